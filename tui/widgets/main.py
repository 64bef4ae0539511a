"""The main screen: header, drops, one pane for each program, the selected row, the filter, the keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from ringtop.bpf import stream
from ringtop.tui.draw import columns, gone
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model import tuning
from ringtop.tui.model.filtering import Filters
from ringtop.tui.model.machine import Machine
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.settings.config import TIMES
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import safe
from ringtop.tui.top.top import Top
from ringtop.tui.widgets import room
from ringtop.tui.widgets.buffers import Buffers
from ringtop.tui.widgets.clipboard import copy
from ringtop.tui.widgets.detail import Detail
from ringtop.tui.widgets.drops import Drops
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.fills import Fills
from ringtop.tui.widgets.filterbar import FilterBar
from ringtop.tui.widgets.footer import Footer
from ringtop.tui.widgets.header import Header
from ringtop.tui.widgets.host import Host
from ringtop.tui.widgets.main_keys import MAIN
from ringtop.tui.widgets.problem import Problem
from ringtop.tui.widgets.ranked import RankedTable
from ringtop.tui.widgets.tables import Tables


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings with which the screen starts."""

    label: str
    host: Host | None
    glyphs: Glyphs
    columns: dict[str, list[str]]
    """The names of the columns by program; a program left out has the defaults."""
    clock: Clock
    shows: dict[str, str] = field(default_factory=dict)
    """The choice of each program's pane, one of SHOWS; a program left out shows both."""


class Main(Screen[None]):
    """The screen with all tables, which is shown most of the time."""

    BINDINGS: ClassVar[list[BindingType]] = MAIN

    class Tell(Message):
        """Asks the app to send a control to the collectors of *machines*."""

        def __init__(self, what: stream.Control, machines: Iterable[Machine]) -> None:
            super().__init__()
            self.what, self.hosts = what, [machine.host for machine in machines]

    class Filtered(Message):
        """Reports that the display filter has changed."""

    class Work(Message):
        """Asks the app to scan or sort rows."""

    def __init__(self, model: Model, top: Top, views: list[View], filters: Filters, setup: Setup) -> None:
        super().__init__()
        self.model = model
        self.top = top
        self.filters = filters
        self.setup = setup
        self.clock = setup.clock
        self.header = Header(model, setup.glyphs, setup.label, setup.host)
        self.drops = Drops(model)
        self.tables = Tables(model, top, views, filters, setup.glyphs, setup.columns, setup.shows)
        self.panes = self.tables.panes
        self.lost = Problem(id="lost")
        self.below = Buffers(model, views[0].table.program, setup.glyphs, id="buffers-below")
        self.fills = Fills(model, [view.table.program for view in views], setup.glyphs)
        self.detail = Detail()
        self.filterbar = FilterBar(model.store, setup.glyphs)
        self.footer = Footer()
        self._details = True
        self._buffers = False
        """Whether the user asked for the whole buffer pane."""
        self._before = ""
        self._counts_waits = False
        self._resumed = False

    def compose(self) -> ComposeResult:
        """The widgets from top to bottom."""
        # This comes before there are widgets, whose styles it would change.
        self._make_room()
        self.panes[0].add_class("-current")
        yield self.header
        yield self.drops
        yield self.lost
        yield self.tables
        yield self.below
        yield self.fills
        yield self.detail
        yield self.filterbar
        yield self.footer
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        """Give the focus to the first table."""
        self.panes[0].main.focus()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Textual computes all styles again now; the first time they were computed just before, with the widgets."""
        event.refresh_styles, self._resumed = self._resumed, True

    def on_resize(self, event: events.Resize) -> None:
        """Choose what there is room for."""
        self._make_room()
        if room.too_small(*event.size):
            self.query_one("#small", Static).update(room.refusal(*event.size))

    def _make_room(self) -> None:
        """Set the classes for the style sheet all at once, because each change recomputes the styles of all widgets."""
        width, height = self.app.size
        self.tables.make_room(width, height)
        wanted = room.classes(width, height, self.tables.only > 0)
        wanted["-buffers"] = self._buffers and room.for_buffers(width, height)
        self.remove_class(*(name for name, on in wanted.items() if not on))
        self.add_class(*(name for name, on in wanted.items() if on))
        self.refresh_bindings()

    # What is shown

    @property
    def table(self) -> EventTable:
        """The event table of the pane that has or last had the focus."""
        return self.tables.events

    @property
    def frozen(self) -> bool:
        """Whether the table in focus is frozen."""
        return self.tables.frozen

    def freeze(self, hold: bool) -> None:
        """Freeze the rows of all tables, or end the freeze."""
        self.tables.freeze(hold)
        self.update()

    def look_at(self, top: Top) -> None:
        """Show the ranked rows of *top* from now on."""
        self.tables.look_at(top)
        self.update()

    def update(self, rows: bool = True) -> None:
        """Show what is new; the tables are redrawn only when *rows* may have changed."""
        self.clock = replace(self.clock, now_ns=self.model.now_ns)
        self.header.update()
        self.drops.update()
        if self._counts_waits != (counts := any(pane.counts_waits for pane in self.panes)):
            self._counts_waits = counts
            self.refresh_bindings()
        self.lost.say(*gone.told(self.model.machine))
        self.tables.update(self.clock, rows)
        table = self.table
        if self.below.program != table.view.table.program:
            self.below.program = table.view.table.program
        self.below.update()
        self.fills.update()
        if self.filterbar.display and self.filterbar.kind == "display":
            self.filterbar.say(self.filters.counts(self.setup.glyphs.ellipsis))
        shown = self._details and table.view.frozen and table.display and room.for_detail(self.size.height)
        self.detail.show(table.event if shown else None, self.clock, table.note if shown else "")

    def replay(self, label: str) -> None:
        """Show a recording from now on: it takes no controls."""
        self.header.label, self.header.host = label, None

    def on_event_table_selected(self, message: EventTable.Selected) -> None:
        """Show the details of the newly selected row."""
        self.update(rows=False)
        self.refresh_bindings()

    @property
    def running(self) -> list[Machine]:
        """The machines that the keys act on and where the table's program takes controls."""
        return [machine for machine in self.model.targets if machine.running(self.program) is not None]

    @property
    def program(self) -> str:
        """The program of the table in focus."""
        return self.table.view.table.program

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that would do something now."""
        if action == "clear":
            return bool(self.filters.text) and not self.tables.pane.narrowed
        if action == "back":
            return bool(self.tables.pane.narrowed)
        if action == "capture":
            return self.model.live
        if action in ("retune", "compare"):
            return bool(self.running)
        if action == "costs":
            return self.model.live and self.model.machine.contact.phase == "running"
        if action == "buffers":
            return room.for_buffers(*self.size)
        if action == "waits":
            return any(pane.counts_waits for pane in self.panes)
        if action == "detail":
            return room.for_detail(self.size.height)
        if action == "table":
            return int(str(parameters[0])) <= len(self.panes) + 1
        return True

    def action_table(self, number: int) -> None:
        """Show only the table *number*, or all tables."""
        self.tables.show(number)
        self._make_room()
        self.tables.focus_shown()
        self.update()

    def action_buffers(self) -> None:
        """Show or hide the buffers."""
        self._buffers = not self.has_class("-buffers")
        self._make_room()

    def action_waits(self) -> None:
        """Show or hide the histogram of all waits."""
        for pane in self.panes:
            pane.set_class(pane.counts_waits and not pane.has_class("-waits"), "-waits")

    def action_detail(self) -> None:
        """Hide the selected row, or freeze the rows and show it."""
        table = self.table
        self._details = not (self._details and table.view.frozen)
        if self._details:
            table.freeze()
        self.update()

    def action_time(self) -> None:
        """Show times in the next way of TIMES."""
        mode = TIMES[(TIMES.index(self.clock.mode) + 1) % len(TIMES)]
        self.clock = replace(self.clock, mode=mode)
        self.update()

    def action_retune(self, what: str) -> None:
        """Request another transport, buffer size or wakeup mode for this table's program, or say why it cannot be."""
        refused: dict[str, ValueError] = {}
        for machine in self.running:
            if (now := machine.tuned(self.program)) is None:
                continue
            try:
                control = tuning.retune(what, now, machine.no_ringbuf)
            except ValueError as e:
                refused[machine.name] = e
                continue
            machine.wanted[now.program] = tuning.granted(now, control)
            self.post_message(self.Tell(control, [machine]))
        self._refuse(refused)

    def action_compare(self) -> None:
        """Compare both transports of this table's program."""
        self.compare([self.program])

    def compare(self, programs: list[str]) -> None:
        """Ask for the length of a comparison and start it for *programs* (all when empty), or say why it cannot be."""
        from ringtop.tui.widgets.ask import Ask

        able, refused = [], {}
        for machine in self.running:
            comparing = any(s.comparing for name, s in machine.states.items() if name in programs)
            try:
                tuning.check_comparable(comparing, machine.no_ringbuf)
            except ValueError as e:
                refused[machine.name] = e
            else:
                able.append(machine)
        self._refuse(refused)
        if not able:
            return

        def tell(text: str) -> None:
            self.post_message(self.Tell(stream.Compare(tuning.seconds(text), programs), able))

        about = "Each event is sent over both transports."
        self.app.push_screen(Ask("Compare for how many seconds", str(tuning.SECONDS), about, tell))

    def _refuse(self, whys: Mapping[str, ValueError]) -> None:
        """Say why a request cannot be carried out, by the name of the host where there are several: of the first."""
        if not whys:
            return
        host, why = next(iter(whys.items()))
        others = f", nor on {format.several(len(whys) - 1, 'other host')}" if len(whys) > 1 else ""
        text = f"{host}: {why}{others}" if host else str(why)
        self.notify(safe(text), severity="warning", markup=False)

    def action_losses(self) -> None:
        """Show the log of losses."""
        from ringtop.tui.widgets.loss_screen import LossScreen

        self.app.push_screen(LossScreen(self.model, lambda: self.clock))

    def action_costs(self) -> None:
        """Show what ringtop costs, and measure it for as long as that is shown."""
        from ringtop.tui.widgets.costs import CostScreen

        machine = self.model.machine

        def end(_: None) -> None:
            self.post_message(self.Tell(stream.Measure(False), [machine]))

        self.post_message(self.Tell(stream.Measure(True), [machine]))
        self.app.push_screen(CostScreen(self.model), end)

    def action_columns(self) -> None:
        """Choose the columns of this table."""
        from ringtop.tui.widgets.chooser import ColumnChooser

        table = self.table
        program = table.view.table.program
        shown = [c.name for c in table.columns]
        usual = [c.name for c in columns.chosen(program, several=bool(self.model.hosts))]
        changed = lambda names: table.show(columns.chosen(program, names))  # noqa: E731
        self.app.push_screen(ColumnChooser(program, shown, usual, changed))

    def action_filter(self) -> None:
        """Edit the display filter."""
        self._before = self.filters.text
        self.filterbar.open("display", self.filters.text, self.filters.used)

    def action_capture(self) -> None:
        """Edit the capture filter."""
        current = next((s.capture for s in self.model.machine.states.values() if s.capture), "")
        self.filterbar.open("capture", current, self.filters.captures)

    def action_clear(self) -> None:
        """Clear the display filter."""
        self.apply("")

    def action_back(self) -> None:
        """Go back from a row's events to the row."""
        self.tables.back()
        self.update()

    def action_show_next(self) -> None:
        """Show ranked rows and events, or only one of them, in this pane."""
        self.tables.show_next(every=False)
        self.update()

    def action_show_all_next(self) -> None:
        """Show ranked rows and events, or only one of them, in all panes."""
        self.tables.show_next(every=True)
        self.update()

    def on_tables_wanted(self, message: Tables.Wanted) -> None:
        """Do what the tables cannot do alone."""
        match message.what:
            case "filter":
                self._only(message.text)
            case "copy":
                copy(self.app, message.text, message.about)
            case "trace":
                self._trace(self.model.machines[message.host], message.only, message.about)
            case "scan":
                self.post_message(self.Work())
        self.update()
        self.refresh_bindings()

    def _trace(self, machine: Machine, only: stream.Follow | None, why: str) -> None:
        """Capture *only* these of *machine*, or say *why* not; the whole host again where not all of it is captured."""
        if machine.running(self.program) is None:
            self.app.bell()
        elif any(state.scope for state in machine.states.values()):
            self.post_message(self.Tell(stream.Follow([]), [machine]))
        elif only is not None:
            self.post_message(self.Tell(only, [machine]))
        else:
            self.notify(why, markup=False)

    def apply(self, text: str, remember: bool = False) -> None:
        """Apply *text* as the display filter. Raises FilterError."""
        if self.filters.set(text):
            self.post_message(self.Work())
            self.post_message(self.Filtered())
        if remember:
            self.filters.accept(text)
        self.refresh_bindings()

    def _only(self, text: str) -> None:
        try:
            self.apply(text, remember=True)
        except ValueError as e:  # a path may be longer than a filter may be, and a damaged one may hold anything
            self._refuse({"": e})

    def on_filter_bar_draft(self, message: FilterBar.Draft) -> None:
        """Apply a valid display filter while it is typed."""
        if message.kind == "display" and self.filterbar.display:
            self.apply(message.text)
            self.update(rows=False)

    def on_filter_bar_accepted(self, message: FilterBar.Accepted) -> None:
        """Keep the accepted filter."""
        self._close_filter()
        if message.kind == "display":
            self.apply(message.text, remember=True)
        else:
            self.filters.accept_capture(message.text)
            self.post_message(self.Tell(stream.SetCapture(message.text), self.model.targets))

    def on_filter_bar_cancelled(self) -> None:
        """Close the filter bar and restore the filter from before."""
        display = self.filterbar.kind == "display"
        self._close_filter()
        if display:
            self.apply(self._before)

    def on_descendant_focus(self) -> None:
        """Cancel the filter bar when a table gets the focus while a filter is typed, as Esc does."""
        if self.filterbar.display and isinstance(self.focused, EventTable | RankedTable):
            self.on_filter_bar_cancelled()

    def _close_filter(self) -> None:
        main = self.tables.pane.main
        self.filterbar.close()
        main.focus()

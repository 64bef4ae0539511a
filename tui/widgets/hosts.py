"""All hosts, a line for each, to choose one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static

from ringtop.tui.draw import hosts
from ringtop.tui.draw.hosts import Host
from ringtop.tui.model import completion
from ringtop.tui.model.model import Model
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import safe
from ringtop.tui.widgets.footer import Footer
from ringtop.tui.widgets.style import Painted

RENEW_S = 0.5
"""How often the list is read again while it is open, in seconds."""


class HostLines(Painted, can_focus=True):
    """The list of *listed*; the cursor is on one of them."""

    PREFIX = "hosts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="hosts_up"),
        Binding("down,j", "move(1)", "Down", show=False, id="hosts_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="hosts_page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="hosts_page_down"),
        Binding("home,g", "move(-1000000)", "First", show=False, id="hosts_first"),
        Binding("end,G", "move(1000000)", "Last", show=False, id="hosts_last"),
    ]

    class Chosen(Message):
        """A host was clicked."""

    class Moved(Message):
        """The cursor is on another host."""

    def __init__(self, listed: Sequence[Host], cursor: int, glyphs: Glyphs) -> None:
        super().__init__()
        self.listed, self.cursor, self.glyphs = listed, cursor, glyphs
        self._top = 0

    @property
    def _rows(self) -> int:
        return max(1, self.size.height - 1)

    def action_move(self, by: int) -> None:
        """Move the cursor by *by* lines."""
        self.cursor = max(0, min(self.cursor + by, len(self.listed) - 1))
        self.refresh()
        self.post_message(self.Moved())

    def action_page(self, by: int) -> None:
        """Move the cursor by *by* pages."""
        self.action_move(by * self._rows)

    def on_click(self, event: events.Click) -> None:
        """Choose the host that was clicked."""
        at = self._first + event.y - 1
        if event.y and at < len(self.listed):
            self.cursor = at
            self.post_message(self.Chosen())

    def on_mouse_scroll_down(self) -> None:
        """Move down."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """Move up."""
        self.action_move(-3)

    @property
    def _first(self) -> int:
        """The first line in sight; the cursor always is."""
        most = max(0, len(self.listed) - self._rows)
        self._top = min(max(self._top, self.cursor - self._rows + 1), self.cursor, most)
        return self._top

    def render_line(self, y: int) -> Strip:
        """The titles, or the line of a host."""
        width, columns = self.size.width, hosts.fitting(self.size.width - 1)
        if y == 0:
            style = self.base + self.part("titles")
            return Strip([Segment(f" {hosts.titles(columns)}", style)]).adjust_cell_length(width, style)
        at = self._first + y - 1
        if at >= len(self.listed):
            return Strip.blank(width, self.base)
        host = self.listed[at]
        style = self.base + self.part("bad") if hosts.bad(host) else self.base
        if at == self.cursor:
            style = style + self.part("cursor")
        line = hosts.line(host, columns, self.glyphs.ellipsis)
        return Strip([Segment(f" {line}", style)]).adjust_cell_length(width, style)


class HostScreen(Screen[None]):
    """Shows all hosts: links, ledgers, settings, clocks."""

    HELP = "All hosts. Enter shows the ledger, settings and buffers of the one under the cursor; Esc leaves."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,at", "back", "Back", id="hosts_back", tooltip="Go back to the tables"),
        Binding("enter", "choose", "Show", id="hosts_choose", tooltip="Show this host's ledger, settings and buffers"),
        Binding(
            "equals_sign",
            "only",
            "Only this",
            key_display="=",
            id="hosts_only",
            tooltip="Go back, and filter all tables to this host's events",
        ),
        Binding(
            "a",
            "steer",
            "Keys act on all/one",
            id="hosts_steer",
            tooltip="Let t, +, -, w, c and A act on all hosts, or only on the one that is shown",
        ),
    ]

    def __init__(self, model: Model, listed: Sequence[Host], glyphs: Glyphs, only: Callable[[str], None]) -> None:
        """*only* filters all tables by a filter."""
        super().__init__()
        self._model, self._only = model, only
        at = next(i for i, host in enumerate(listed) if host.machine is model.machine)
        self._lines = HostLines(listed, at, glyphs)

    def compose(self) -> ComposeResult:
        """A summary, the list, the host under the cursor, the keys."""
        yield Static(markup=False, id="hosts-head")
        yield self._lines
        yield Static(markup=False, id="hosts-about")
        yield Footer()

    def on_mount(self) -> None:
        """Show the list, and follow it."""
        self._lines.focus()
        self._show()
        self.set_interval(RENEW_S, self._show)

    def _show(self) -> None:
        machines = self._model.machines.values()
        totals = [machine.counters.all() for machine in machines]
        away = sum(machine.away for machine in machines)
        whose = "all hosts" if self._model.steers_all else self._model.machine.name
        said = [
            f"{len(totals)} hosts, {away} away" if away else f"{len(totals)} hosts",
            f"{format.rate(sum(total.rate for total in totals))} events/s",
            f"lost {format.count(sum(total.lost for total in totals))}",
            f"unaccounted {format.count(sum(machine.counters.residual for machine in machines))}",
            f"keys act on {safe(whose)}",
        ]
        self.query_one("#hosts-head", Static).update("   ".join(said))
        self._lines.refresh()
        self._tell()

    def _tell(self) -> None:
        self.query_one("#hosts-about", Static).update(hosts.about(self._host))

    def on_host_lines_moved(self) -> None:
        """Tell of the host under the cursor."""
        self._tell()

    @property
    def _host(self) -> Host:
        return self._lines.listed[self._lines.cursor]

    def action_back(self) -> None:
        """Go back to the tables."""
        self.dismiss()

    def on_host_lines_chosen(self) -> None:
        """Show the clicked host."""
        self.action_choose()

    def action_choose(self) -> None:
        """Go back, and show the host under the cursor."""
        self._model.machine = self._host.machine
        self.dismiss()

    def action_only(self) -> None:
        """Go back, and show only the events of the host under the cursor, with its ledger."""
        self._only(completion.of_host(self._host.machine.name))
        self.action_choose()

    def action_steer(self) -> None:
        """Let keys act on all hosts, or only on the one that is shown."""
        self._model.steers_all = not self._model.steers_all
        self._show()

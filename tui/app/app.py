"""The viewer keeps the messages of a source in the model, shows the model, and carries out keys.

What is not on the first screen is imported when it is opened, so that the first frame is there sooner.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.common.errors import CANNOT_TRACE
from ringtop.bpf.common.signals import ENDING
from ringtop.tui.app import palette, remembering
from ringtop.tui.app.bindings import APP
from ringtop.tui.app.deck import REPLAY, Deck, Severity
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.app.news import News
from ringtop.tui.app.pump import Pump
from ringtop.tui.app.refold import Refold
from ringtop.tui.app.sources import Sources
from ringtop.tui.app.themed import Themed
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model.filtering import Filters
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.process.lookup import LocalHost as LookupHost
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.source.inbox import Arrived, Entry, Inbox
from ringtop.tui.source.pace import Pace
from ringtop.tui.source.source import Rewound, Source
from ringtop.tui.terminal.job import Job
from ringtop.tui.terminal.link import Link
from ringtop.tui.terminal.watchdog import Watchdog
from ringtop.tui.text import glyphs
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe
from ringtop.tui.top.top import Top
from ringtop.tui.widgets import entry, keys
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.host import LocalHost
from ringtop.tui.widgets.main import Main, Setup
from ringtop.tui.widgets.ranked import RankedTable
from ringtop.tui.widgets.tables import Tables
from ringtop.tui.widgets.timeline import EventLines

INBOX_BYTES = 32 << 20
TIMES = "14:03:20   90s   1m30s   +10s   -10s   50%"
"""Examples of a time in a recording."""


class Viewer(Themed):
    """``ringtop`` on the screen. ``state`` holds the settings that outlive the run."""

    TITLE = "ringtop"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = APP

    def __init__(
        self,
        sources: Sequence[Source],
        config: Config | None = None,
        state: SavedState | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        super().__init__(config, state, hooks)
        self.link = Link()
        self.inbox = Inbox(INBOX_BYTES)
        self.sources = Sources(sources, self.inbox)
        self.top = Top(self.config.collector.programs, host=LookupHost() if self.local else None)
        programs, names = self.config.collector.programs, self.sources.names
        self.model = Model(programs, self.config.history, self.hooks.monotonic_ns, names)
        self.model.live = self.sources.live
        self.views = [View(t) for t in self.model.store.tables.values()]
        self.refold = Refold(self.top, self.inbox, self.model.store)
        self.filters = Filters(self.views, list(self.state.filters), list(self.state.captures))
        self.glyphs = glyphs.choose(self.config.ascii)
        self.deck = Deck(self.sources.alone, Path(self.config.recordings), self.glyphs, self._tell, self.hooks.create)
        self.watchdog: Watchdog | None = None
        """With a watchdog, the process belongs to the viewer, which tunes garbage collection and handles signals."""
        self._job: Job | None = None
        self._ending = threading.Lock()
        self._begun = self._ended = False
        self.parting: list[str] = []
        """Texts to print after the screen is gone."""
        self.animation_level = "none"
        self.set_class(self.glyphs.ascii, "-ascii")
        self._pump = Pump(self.inbox, self.model, self.views, self._hear, self.paint, 1 / self.config.fps)
        self._pace = Pace()
        self.news = News(self)
        self._seen = -1
        self._rows: tuple[object, ...] = ()
        self._offered: tuple[object, ...] = ()

    # Start and end

    @property
    def local(self) -> bool:
        """Whether all events come live from this machine."""
        return self.sources.alone is not None and self.sources.local(0)

    @property
    def refused(self) -> bool:
        """Whether every collector is gone and no program ever ran."""
        return self.model.live and all(machine.refused for machine in self.model.machines.values())

    @property
    def busy(self) -> bool:
        """Whether messages or rows are being processed."""
        return self._pump.busy

    def on_mount(self) -> None:
        """Set up the screen; the source starts after the first paint."""
        if self.watchdog is not None:
            loop = asyncio.get_running_loop()
            self.watchdog.start(lambda status: loop.call_soon_threadsafe(self._leave, status), self._abandon)
            self._job = Job(self)
        if self.config.keys:
            from ringtop.tui.app import keymap

            self.set_keymap(keymap.whole(self.config.keys))
            for name, wrong in keymap.problems(self.config.keys):
                text = str(self.config.document.error(wrong, "keys", name))
                self.notify(text, severity="warning", markup=False, timeout=10)
        try:
            self.main.apply(self.config.filter)
        except ValueError as e:
            self.notify(safe(str(e)), severity="warning", markup=False)
        self.call_after_refresh(self._begin)

    def get_default_screen(self) -> Main:
        """The first screen."""
        host = self.hooks.host or (LocalHost() if self.local else None)
        clock = Clock(self.state.time or self.config.time, self.model.wall, zone=self.hooks.zone)
        chosen = self.config.columns | self.state.columns
        setup = Setup(self.sources.label, host, self.glyphs, chosen, clock, self.state.shows)
        self.main = Main(self.model, self.top, self.views, self.filters, setup)
        return self.main

    def _begin(self) -> None:
        self.hooks.drawn()
        if self.watchdog is not None:
            # Collecting garbage among all imported objects would hold up the screen for 50 ms, again and again.
            gc.freeze()
            gc.enable()
            gc.set_threshold(5_000, 5, 100)
        with self._ending:
            if self._ended:
                return
            self._begun = True
            self.sources.start()
        self.set_interval(1 / self.config.fps, self._frame)
        self.install_themes()

    def on_unmount(self) -> None:
        """Stop the source."""
        self._let_go()

    def _let_go(self) -> None:
        """Stop the source and finish the recording, once: the first caller does it. The programs are detached then."""
        with self._ending:
            if not self._ended:
                self._ended = True
                if not self._begun:  # a key came before the first frame: the collector runs already, and has to end
                    self.sources.start()
                self.sources.stop()
                self.parting += filter(None, [self.deck.close()])

    def _abandon(self) -> None:
        """End cleanly for the watchdog, when the event loop no longer runs."""
        self._let_go()
        self._remember()
        self.hooks.keep(self.state)

    async def action_quit(self) -> None:
        """End the viewer and remember its state; the exit status says whether nothing could be traced."""
        if self.refused:
            self.parting += [machine.refusal for machine in self.model.machines.values()]
        self._leave(CANNOT_TRACE if self.refused else 0)

    def _leave(self, status: int) -> None:
        self._remember()
        threading.Thread(target=self._let_go, name="ending", daemon=True).start()  # runs while the terminal is restored
        self.exit(status)

    def _remember(self) -> None:
        remembering.remember(self.state, self.config, self.main, self.filters)

    def action_suspend_process(self) -> None:
        """Stop the viewer and give the terminal to the shell until `fg`."""
        if why := self._job.suspend() if self._job is not None else "ringtop cannot be suspended here":
            self.notify(safe(why), severity="warning", markup=False)

    # What is heard, and shown

    async def _frame(self) -> None:
        for host, machine in self.model.machines.items():
            machine.heard_ns = max(machine.heard_ns, self.sources.heard_ns(host))
        if self._pace.due() or self.inbox.full or self.model.machine.silence_s:
            await self.work()

    async def work(self) -> None:
        """Take the messages that arrived, and show them."""
        await self._pump.work()

    def _hear(self, entry: Entry, host: int) -> None:
        """Handle messages that concern more than the model."""
        machine = self.model.machines[host] if not isinstance(entry, Arrived) else self.model.machine
        match entry:
            case stream.Notice():
                self.news.say(entry, machine.name)
            case stream.Compared() if self.model.live and machine is self.model.machine:
                self.news.report(entry, self.can_show_reports)
            case stream.State():
                for control in machine.resumed(entry):
                    self.sources.send(control, [host])
            case stream.Costs() if machine is self.model.machine:
                from ringtop.tui.app.reading import reading
                from ringtop.tui.widgets.costs import CostScreen

                for screen in self.screen_stack:
                    if isinstance(screen, CostScreen):
                        screen.take(reading(entry, self.model, self.link.written_bytes))

    @property
    def can_show_reports(self) -> bool:
        """Whether nothing else has the keyboard: neither another screen nor the filter."""
        return self.screen is self.main and not self.main.filterbar.display

    def paint(self) -> None:
        """Show the model; the tables are redrawn only when their rows changed or they show relative times."""
        if not self.main.is_attached:
            return
        self.main.header.status = self.deck.status
        self.main.header.limit = (self.link.rate, self.link.lag) if self.link.limits else None
        rows = tuple((len(v), v.end, v.table.first, v.sort, v.matched, id(v.predicate)) for v in self.views)
        running = self.main.clock.mode == "relative"
        machine = self.model.machine
        phases = [each.contact.phase for each in self.model.machines.values()]
        offered = (phases, machine.silence_s > 0, list(machine.states.values()))
        if offered != self._offered:
            self._offered = offered
            self.main.refresh_bindings()
        self.news.show_reports(self.can_show_reports)
        self.main.update(rows=running or rows != self._rows or self._seen != self.model.arrivals)
        self._seen, self._rows = self.model.arrivals, rows

    def _tell(self, text: str, severity: Severity) -> None:
        self.notify(safe(text), severity=severity, markup=False)

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Pass on text that was typed ahead while the previous key was still opening the input line for it."""
        line = self.focused
        if isinstance(line, Input) and event.is_printable and event.character:
            event.stop()
            event.prevent_default()
            if isinstance(line, entry.Entry) and line.over:
                line.pass_on(event)
            else:
                line.insert_text_at_cursor(event.character)

    def on_main_work(self) -> None:
        """Scan or sort rows now, in a worker, so that keys still work meanwhile."""
        self.run_worker(self.work())

    def on_main_filtered(self) -> None:
        """Recount the ranked rows for the new display filter; a recount still running is cancelled."""
        self.run_worker(self._refold(), exclusive=True, group="refold")

    async def _refold(self) -> None:
        self.main.look_at(await self.refold.filter(self.filters.expr if self.filters.text else language.ALL))

    def on_tables_fold(self, message: Tables.Fold) -> None:
        """Fold a ranked table by another key."""
        self.refold.fold(message.ranking, message.key)
        self.notify(f"Folded by {message.key.about}", markup=False, timeout=2)
        self.paint()

    def on_main_tell(self, message: Main.Tell) -> None:
        """Send a control to collectors, which answer with a ``State`` or a ``Notice`` and related messages."""
        self.sources.send(message.what, message.hosts)

    def action_freeze(self) -> None:
        """Freeze the rows of all tables, or end the freeze when the table in focus is frozen."""
        self.main.freeze(not self.main.frozen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that would do something now."""
        if action == "hosts":
            return bool(self.model.hosts)
        if action == "record":
            return self.deck.can(action)
        if action == "replay":
            what = str(parameters[0])
            return self.deck.can(what) and (
                what != "toggle" or isinstance(self.focused, EventTable | RankedTable | EventLines)
            )
        if action == "retry":
            machine = self.model.machine
            return (self.model.live and (machine.silence_s > 0 or machine.contact.phase in ("lost", "ended"))) or any(
                state.state == "failed" for state in machine.states.values()
            )
        if action == "demo":
            return self.refused and self.hooks.demo is not None and not self.model.hosts
        return super().check_action(action, parameters)

    async def action_retry(self) -> None:
        """Start the source of the machine in focus again; history stays."""
        machine = self.model.machine
        await asyncio.to_thread(self.sources.stop, machine.host)
        machine.restart()
        self.sources.start(machine.host)
        self.paint()

    async def action_demo(self) -> None:
        """Show the demo recording when nothing can be traced."""
        if self.hooks.demo is None:
            return
        await asyncio.to_thread(self.sources.stop)
        self.sources = Sources([self.hooks.demo()], self.inbox)
        self.model.live = self.sources.live
        self.deck = Deck(self.sources.alone, Path(self.config.recordings), self.glyphs, self._tell, self.hooks.create)
        self.refold.stop()
        self.top.hear(Rewound())
        self.model.rewind()
        self.main.replay(self.sources.label)
        self.sources.start()
        self.paint()

    def action_help(self) -> None:
        """Show all keys that work on this screen with the present focus."""
        from ringtop.tui.widgets.help import Help

        about = (getattr(node, "HELP", "") for node in (self.focused, self.screen))
        self.push_screen(Help(keys.listing(self.screen), next(filter(None, about), "")))

    def action_redraw(self) -> None:
        """Redraw everything: the terminal may no longer show what was drawn."""
        self.link.stale = True
        self.refresh()

    def action_process(self) -> None:
        """Show the process of the row under the cursor."""
        from ringtop.tui.widgets.process_screen import ProcessScreen

        table = self.main.table
        event, pid = table.event, table.pid
        if event is None or pid is None:
            self.bell()
            return
        ts, host = (int(event.batch.rows[name][0]) for name in ("ts", "host"))
        local = self.sources.local(host)
        clock = lambda: self.main.clock  # noqa: E731
        self.push_screen(ProcessScreen(self.model, host, pid, ts, local, clock, self._pivot, self.hooks.process))

    def action_hosts(self) -> None:
        """Show all hosts."""
        from ringtop.tui.draw.hosts import Host
        from ringtop.tui.widgets.hosts import HostScreen

        listed = [
            Host(machine, place)
            for host, machine in self.model.machines.items()
            if (place := self.sources.place(host)) is not None
        ]
        self.push_screen(HostScreen(self.model, listed, self.glyphs, self._pivot), lambda _: self.paint())

    def _pivot(self, text: str) -> None:
        self.main.apply(text, remember=True)

    def action_record(self) -> None:
        """Start a recording, or finish the one in progress."""
        self.deck.record()
        self.paint()

    def action_replay(self, what: str) -> None:
        """Control the replay: *what* is one of REPLAY."""
        if what == "jump":
            from ringtop.tui.widgets.ask import Ask

            self.push_screen(Ask("Go to which time", "time", TIMES, self.deck.jump))
        elif what in REPLAY:
            self.deck.replay(what)

    def action_command_palette(self) -> None:
        """Open the command palette. Textual's own text in the empty line is not ASCII."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder="Find a command by its name", id="--command-palette"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette: exactly the keys that work on *screen*, and the commands for all tables at once."""
        yield from palette.commands(self, screen)
        if screen is self.main and self.main.running and not self.model.machine.no_ringbuf:
            yield from palette.all_tables(self.main, self.sources)


def run(
    sources: Sequence[Source],
    config: Config | None = None,
    state: SavedState | None = None,
    hooks: Hooks | None = None,
) -> int:
    """Show *sources* until the user leaves; returns the exit status. *state* is brought up to date."""
    viewer = Viewer(sources, config, state, hooks)
    viewer.watchdog = Watchdog(ENDING)
    status = viewer.run(mouse=viewer.config.mouse)
    for text in viewer.parting:
        say(text)
    return viewer.return_code or 0 if status is None else status

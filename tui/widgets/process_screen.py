"""One process: its card, and all its events from the three tables in time order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from ringtop.tui.draw.cells import Clock
from ringtop.tui.model import completion
from ringtop.tui.model.model import Model
from ringtop.tui.process import card as process
from ringtop.tui.process import profile
from ringtop.tui.process.card import Card
from ringtop.tui.text import format
from ringtop.tui.text.text import safe
from ringtop.tui.widgets.clipboard import copy
from ringtop.tui.widgets.footer import Footer
from ringtop.tui.widgets.style import Painted
from ringtop.tui.widgets.timeline import EventLines

REFRESH_S = 1.0
_LABEL = 12
"""The width of a fact's label, in cells."""
COPIED = 64 << 10
"""The most bytes that are copied to the clipboard: they travel over the terminal."""

CardReader = Callable[[int, int | None], Card]


class Facts(Painted, Static):
    """What is known of a process, a line for each fact."""

    PREFIX = "facts"

    def show(self, facts: list[profile.Fact]) -> None:
        """Show *facts*."""
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, min_width=_LABEL)
        table.add_column(overflow="fold")
        for fact in facts:
            table.add_row(Text(fact.label, self.part("label")), Text(fact.text, self.part(fact.tone)))
        self.update(table)


class ProcessScreen(Screen[bool]):
    """Shows one process, and reads its card again every second while it exists."""

    HELP = "A process and its events. Tab goes to its card and back, Enter to its parent, Esc leaves."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace", "back", "Back", id="process_back", tooltip="Go back to where this was opened"),
        Binding("enter", "parent", "Parent", id="process_parent", tooltip="Show the process that started this one"),
        Binding(
            "p",
            "pivot",
            "Only this process",
            id="process_pivot",
            tooltip="Go back, and filter all tables to this process",
        ),
        Binding("y", "copy", "Copy", id="process_copy", tooltip="Copy this whole page to the clipboard"),
    ]

    def __init__(
        self,
        model: Model,
        host: int,
        pid: int,
        ts: int | None,
        local: bool,
        clock: Callable[[], Clock],
        pivot: Callable[[str], None],
        read: CardReader | None = None,
    ) -> None:
        """*host* is the number of its host in rows. *ts* is a time (kernel's clock, ns) at which the process existed: a
        younger process may have its PID now.

        *local* says that the events come live from this machine; otherwise /proc is not read. *clock* gives the way
        times are shown. *pivot* filters all tables by a filter.
        """
        super().__init__()
        self.host, self.pid = host, pid
        self._ts = ts
        self._model = model
        self._local = local
        self._times = clock
        self._pivot = pivot
        self._read = read or process.read
        self._card = Card(pid, "gone") if local else process.elsewhere(pid)
        self._asked = not local
        self._known = profile.EventFacts()
        self._shown = -1

    def compose(self) -> ComposeResult:
        """The card above, the events below."""
        with VerticalScroll(id="process-card"):
            yield Static(markup=False, id="process-head")
            yield Facts(id="process-facts")
        yield EventLines(id="process-events")
        yield Footer()

    def on_mount(self) -> None:
        """Show the facts from the events at once, then read the card."""
        self.query_one(EventLines).focus()
        self._update()
        if self._local:
            self.run_worker(self._ask(), exclusive=True)
        self.set_interval(REFRESH_S, self._update)

    async def _ask(self) -> None:
        """Read the card again and again while the process exists."""
        while True:
            card = await asyncio.to_thread(self._read, self.pid, self._ts)
            if self not in self.app.screen_stack:
                return  # it was closed meanwhile, and its widgets may be gone
            here = card.presence == "here"
            self._card = card if here or self._card.started is None else process.ended(self._card)
            self._asked = True
            self._say()
            if not here:
                return
            await asyncio.sleep(REFRESH_S)

    def _update(self) -> None:
        if self._model.arrivals == self._shown:
            return
        self._shown = self._model.arrivals
        timeline = self._model.store.process(self.pid, self._ts, host=self.host)
        self._known = profile.event_facts(timeline)
        self.query_one(EventLines).show(timeline, self._times())
        self._say()

    def _say(self) -> None:
        if not self._asked:
            return
        self.query_one("#process-head", Static).update(self._headline)
        self.query_one(Facts).show(self._facts())

    @property
    def _headline(self) -> str:
        """What process this is; where there are several hosts, also of which one."""
        head = profile.headline(self.pid, self._card, self._known)
        host = self._model.hosts.get(self.host, "")
        return f"{head}  on {safe(host)}" if host else head

    def _facts(self) -> list[profile.Fact]:
        clock = self._times()
        return profile.facts(self._card, self._known, self._model.wall, clock.zone)

    def action_parent(self) -> None:
        """Show the parent in the place of this process: the present one, or else the one that the events tell."""
        above = self._card.ancestors
        pid = above[0].pid if above else self._known.ppid
        if not pid:
            self.app.bell()
            return
        ts = None if above else self._known.last_ts
        how = self._local, self._times, self._pivot, self._read
        self.app.push_screen(ProcessScreen(self._model, self.host, pid, ts, *how), self._back_from_parent)

    def _back_from_parent(self, to_tables: bool | None) -> None:
        if to_tables:
            self.dismiss(True)

    def action_back(self) -> None:
        """Go back to where this was opened."""
        self.dismiss(False)

    def action_pivot(self) -> None:
        """Go back, with all tables filtered to this process."""
        start = self._model.store.started(self.pid, self._ts, self.host)
        self._pivot(completion.process(self.pid, start, self._model.hosts.get(self.host, "")))
        self.dismiss(True)

    def action_copy(self) -> None:
        """Copy the card and the events; of very many events, only the newest."""
        facts = [f"{fact.label:<{_LABEL}}{fact.text}" for fact in self._facts()]
        about = "\n".join([self._headline, *facts, "", ""])
        events = self.query_one(EventLines).plain(max(0, COPIED - len(about.encode())))
        count, total = format.count(len(events)), format.count(self._known.events)
        some = "" if count == total else f" with the newest {count} of {total} events"
        copy(self.app, about + "\n".join(events), f"card{some}")

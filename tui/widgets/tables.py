"""The panes of all programs and the table of all programs together: which are shown, and which has the focus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.stream import Follow
from ringtop.tui.draw import columns, ranks, tables, terms
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model import completion
from ringtop.tui.model.belonging import belonging
from ringtop.tui.model.filtering import Filters
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip, visible
from ringtop.tui.top.keys import Key, coarser, finer, following
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.report import Row
from ringtop.tui.top.top import Top
from ringtop.tui.widgets import room
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.pane import SHOWS, Pane
from ringtop.tui.widgets.ranked import RankedTable
from ringtop.tui.widgets.whole import Whole

USUAL = "both"
"""The choice from SHOWS for a pane without a setting."""
_NAME = 40
"""The width of a row's name in a title, in cells."""
_LOOK = 1 << 14
"""The newest events of a table among which those of a row are looked for."""

_FOLDS: dict[str, Callable[[str, Key], Key | None]] = {"fold": following, "finer": finer, "coarser": coarser}
"""For each request to fold, the key that it leads to."""


class Tables(Vertical):
    """The panes of *views*. *chosen* gives the columns by program, *shows* one of SHOWS by program."""

    class Wanted(Message):
        """Asks the screen to filter by a text, to copy it, to capture only a process, to scan or sort rows, or to
        update."""

        def __init__(
            self, what: str, text: str = "", about: str = "", only: Follow | None = None, host: int = 0
        ) -> None:
            super().__init__()
            self.what, self.text, self.about, self.only, self.host = what, text, about, only, host
            """One of ``filter``, ``copy``, ``trace``, ``scan`` and ``update``; *about* names the copied text for the
            user, or says why there is nothing to capture alone; *only* is what to capture alone, *host* the number of
            the row's host."""

    class Fold(Message):
        """Asks the app to fold the events of *ranking* by *key*."""

        def __init__(self, ranking: Ranking, key: Key) -> None:
            super().__init__()
            self.ranking, self.key = ranking, key

    def __init__(
        self,
        model: Model,
        top: Top,
        views: Sequence[View],
        filters: Filters,
        glyphs: Glyphs,
        chosen: Mapping[str, Sequence[str]],
        shows: Mapping[str, str],
    ) -> None:
        super().__init__(id="tables")
        self.model, self.top, self.filters, self.glyphs = model, top, filters, glyphs
        self.panes = [
            Pane(
                model,
                view,
                Ranking(top, p),
                glyphs,
                str(i),
                columns.chosen(p, chosen.get(p, ()), bool(model.hosts)),
                what if (what := shows.get(p, "")) in SHOWS else USUAL,
            )
            for i, view in enumerate(views, 1)
            for p in (view.table.program,)
        ]
        self.whole = Whole(Ranking(top, ALL), glyphs, str(len(self.panes) + 1))
        self.whole.display = False
        self.only = 0
        """The number of the only table shown; 0 when all are shown."""
        self._current = self.panes[0]

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from self.panes
        yield self.whole

    @property
    def pane(self) -> Pane:
        """The pane that has or last had the focus."""
        focused = self.screen.focused if self.is_attached else None
        self._current = next((p for p in self.panes if focused in (p.table, p.ranks)), self._current)
        shown = [p for p in self.panes if p.display] or self.panes
        return self._current if self._current in shown else shown[0]

    @property
    def frozen(self) -> bool:
        """Whether the table in focus is frozen."""
        pane = self.pane
        return pane.ranking.frozen if isinstance(pane.main, RankedTable) else pane.view.frozen

    def freeze(self, hold: bool) -> None:
        """Freeze the rows of all tables, or end the freeze."""
        self.whole.ranking.freeze(hold)
        for pane in self.panes:
            pane.ranking.freeze(hold)
            if hold:
                pane.table.freeze()
            else:
                pane.table.follow()
                pane.ranks.action_follow()

    def look_at(self, top: Top) -> None:
        """Show the ranked rows of *top* from now on."""
        self.top = top
        for ranking in (*(pane.ranking for pane in self.panes), self.whole.ranking):
            ranking.look_at(top)

    def show(self, number: int) -> None:
        """Show only the table *number*, or all tables for 0."""
        self.only = number
        for i, pane in enumerate(self.panes, 1):
            pane.display = number in (0, i)

    def focus_shown(self) -> None:
        """Give the focus to the only table at once, because the next key is meant for it."""
        if self.only > len(self.panes):
            self.screen.set_focus(self.whole.ranks)
        elif self.only:
            self.screen.set_focus(self.panes[self.only - 1].main)

    def show_next(self, every: bool) -> None:
        """Show ranked rows and events, or only one of them, in this pane or in *every* pane."""
        what = SHOWS[(SHOWS.index(self.pane.shows) + 1) % len(SHOWS)]
        for pane in self.panes if every else [self.pane]:
            pane.show(what)

    def update(self, clock: Clock, rows: bool) -> None:
        """Show what is new; events are redrawn only when *rows* may have changed."""
        current = self.pane
        for pane in self.panes:
            pane.set_class(pane is current, "-current")
            if pane.display:
                pane.table.clock = clock
                pane.title.filter_text = self.filters.text
                pane.update(rows)
        if self.whole.display:
            self.whole.title.filter_text = self.filters.text
            self.whole.update()

    def back(self) -> None:
        """Go back from a row's events to the row."""
        pane = self.pane
        pane.narrowed = ""
        self.filters.narrow(pane.view, None)
        pane.make_room()
        self.screen.set_focus(pane.ranks if pane.ranks.display else pane.table)
        self.post_message(self.Wanted("scan"))

    def make_room(self, width: int, height: int) -> None:
        """Choose what the tables show on a screen of *width* and *height* cells."""
        only_whole = self.only > len(self.panes)
        self.whole.display = only_whole or (not self.only and room.for_whole(width, height))
        tall = room.for_both(height, 1 if self.only else len(self.panes) + self.whole.display)
        for pane in self.panes:
            pane.tall = tall
            pane.make_room()
        if self.is_attached and not self.whole.display and self.screen.focused is self.whole.ranks:
            self.screen.set_focus(self.pane.main)  # otherwise nothing would have it, and keys would do nothing

    # Requests that a table of events cannot carry out alone

    def on_event_table_asked(self, message: EventTable.Asked) -> None:
        """Carry out the request for an event, or for the note in a gap."""
        message.stop()
        table = message.table
        event, text = table.event, self.filters.text
        match message.what:
            case "sort":
                self.post_message(self.Wanted("scan"))
            case "copy_view":
                lines = table.page_text()
                self.post_message(self.Wanted("copy", "\n".join(lines), f"{len(lines) - 1} rows"))
            case "copy" if table.note:
                self.post_message(self.Wanted("copy", table.note, "note"))
            case "copy" if event is not None:
                said = tables.row_text(event, table.columns, table.clock)
                self.post_message(self.Wanted("copy", said, "row"))
            case "trace":
                host = int(event.batch.rows["host"][0]) if event is not None else self.model.machine.host
                self._trace(table.pid or 0, host)
            case "unit":
                self._trace_unit([event.batch] if event is not None else [])
            case "pivot" if event is not None and table.pid is not None:
                start, host = (int(event.batch.rows[name][0]) for name in ("start_ns", "host"))
                self.post_message(self.Wanted("filter", self._process(table.pid, start, host)))
            case "equals" | "except" as how if event is not None and (field := table.field).kind != "time":
                found = completion.equals(field, tables.value(event, field), text, how == "equals")
                self.post_message(self.Wanted("filter", found))
            case "equals" | "except" if event is not None:
                self.notify("A time cannot be filtered: choose another column", markup=False)
            case _:
                self.app.bell()

    # Requests that a ranked table cannot carry out alone

    def on_ranked_table_asked(self, message: RankedTable.Asked) -> None:
        """Carry out the request for a row."""
        message.stop()
        table = message.table
        pane = next((p for p in self.panes if p.ranks is table), None)
        row, what = table.ranking.row, message.what
        if what in _FOLDS:
            self._fold(table.ranking, what)
        elif what == "trace":
            one = row if row is not None and row.pids == 1 else None
            self._trace(one.pid if one is not None else 0, one.host if one is not None else self.model.machine.host)
        elif what == "unit":
            self._trace_unit(self._newest(table.ranking.program, row.id) if row is not None else [])
        elif what == "copy_view":
            text = table.page_text()
            self.post_message(self.Wanted("copy", "\n".join(text), f"{len(text) - 1} rows"))
        elif what and row is None:
            self.app.bell()
        elif what == "copy" and row is not None:
            text = ranks.cells(row, table.ranking.report, table.placed)
            self.post_message(self.Wanted("copy", "  ".join(filter(None, text)), "row"))
        elif what in ("equals", "except") and row is not None:
            self._select(table.ranking, row, table.here, what == "equals")
        elif what and (pane is None or row is None or not self._asked(pane, row, what)):
            self.app.bell()
        self.post_message(self.Wanted("update"))

    def _newest(self, program: str, row: int) -> Iterator[Batch]:
        """The newest resident events that the row with this id counts, of *program* or ALL."""
        select = self.top.events_of(program, row)
        for table in self.model.store.tables.values():
            if program in (table.program, ALL):
                batch = table.ring.slice(table.end - _LOOK, table.end)
                yield batch.take(select(batch))

    def _trace(self, pid: int, host: int) -> None:
        """Ask to capture only the process *pid* of *host*; 0 for a row of several."""
        why = "This row is of several processes: Enter shows its events"
        self.post_message(self.Wanted("trace", about=why, only=Follow([pid]) if pid else None, host=host))

    def _trace_unit(self, batches: Iterable[Batch]) -> None:
        """Ask to capture only the container or unit that all events of *batches* belong to."""
        found = belonging(batches)
        host, cgroup = found[0] if len(found) == 1 else (self.model.machine.host, 0)
        why = "This row is of several units: Enter shows its events" if found else "The unit of this row is not known"
        self.post_message(self.Wanted("trace", about=why, only=Follow(cgroup=cgroup) if cgroup else None, host=host))

    def _asked(self, pane: Pane, row: Row, what: str) -> bool:
        """Carry out *what* for *row*; returns whether it was possible."""
        if what == "events":
            self._show_events(pane, row)
        elif what == "pivot" and row.pids == 1:
            start = self.model.store.started(row.pid, host=row.host)
            self.post_message(self.Wanted("filter", self._process(row.pid, start, row.host)))
        else:
            return False
        return True

    def _process(self, pid: int, start: int, host: int) -> str:
        return completion.process(pid, start, self.model.hosts.get(host, ""))

    def _fold(self, ranking: Ranking, what: str) -> None:
        """Fold by the following, a finer or a coarser key, or say that there is none."""
        program, present = ranking.program, ranking.report.key
        wanted = partial(following, hosts=bool(self.model.hosts)) if what == "fold" else _FOLDS[what]
        if (key := wanted(program, present)) is not None:
            self.post_message(self.Fold(ranking, key))
        else:
            self.notify(f"No key is {what} than {present.about}: f goes through all keys", markup=False)

    def _select(self, ranking: Ranking, row: Row, here: str, only: bool) -> None:
        """Filter to the value of *row* in the column *here*, or out of the display all with it; in a column that is not
        part of the key, the whole key counts."""
        parts = ranking.report.key.parts
        at = [i for i, part in enumerate(parts) if part.name == here] or list(range(len(parts)))
        text = terms.of_row([parts[i] for i in at], [row.key[i] for i in at])
        if text is None:
            self.notify("No filter can tell this key from others: Enter shows the events of the row", markup=False)
            return
        if not only:
            text = f"not ({text})" if len(at) > 1 else f"not {text}"
        self.post_message(self.Wanted("filter", f"({self.filters.text}) and {text}" if self.filters.text else text))

    def _show_events(self, pane: Pane, row: Row) -> None:
        """Show only the resident events of *row*."""
        pane.narrowed = clip(" ".join(visible(part) for part in row.key), _NAME, self.glyphs.ellipsis)
        self.filters.narrow(pane.view, self.top.events_of(pane.program, row.id))
        pane.make_room()
        self.screen.set_focus(pane.table)
        self.post_message(self.Wanted("scan"))

    @property
    def events(self) -> EventTable:
        """The event table of the pane that has or last had the focus."""
        return self.pane.table

"""What is known of one machine: its collector, the settings of its programs, and its ledgers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ringtop.bpf import stream
from ringtop.tui.model import notes, tuning
from ringtop.tui.model.counters import Counters
from ringtop.tui.model.losses import Losses
from ringtop.tui.model.store import Store
from ringtop.tui.source.inbox import Entry, Skipped
from ringtop.tui.source.source import SILENCE_S, Lost
from ringtop.tui.text import format
from ringtop.tui.text.text import safe

Phase = Literal["starting", "running", "ended", "lost"]


@dataclass(frozen=True, slots=True)
class Contact:
    """The state of the connection to the source."""

    phase: Phase = "starting"
    text: str = ""
    """The progress message, or the reason why the source ended."""
    detail: str = ""
    traced: bool = True
    """Whether any program ran before the source was lost."""
    again_ns: int | None = None
    """When the source tries again by itself, by the clock of this machine; None where it does not."""


class Machine:
    """One traced machine. It marks in the tables of *store* where its settings changed.

    *host* is its number in rows, and *name* is given where there are several machines.
    """

    def __init__(self, store: Store, monotonic_ns: Callable[[], int], host: int = 0, name: str = "") -> None:
        self.host, self.name = host, name
        self.counters = Counters()
        self.losses = Losses()
        self.hello: stream.Hello | None = None
        self.contact = Contact()
        self.states: dict[str, stream.State] = {}
        """The latest state of each program; absent until the collector has reported one."""
        self.wanted: dict[str, tuning.Wanted] = {}
        """The setting requested for each program but not yet confirmed; absent when no request is pending."""
        self.kept: dict[str, stream.State] = {}
        """Each program's state when its collector ended, kept until the next collector is given the same setting."""
        self.before: dict[str, stream.Period] = {}
        """The measured period of each program before its last change."""
        self.progress: dict[str, str] = {}
        self.live = True
        """Whether messages come from a collector, and therefore never stop for long."""
        self.heard_ns = monotonic_ns()
        """When the last message came, by the clock of this machine."""
        self._store = store
        self._monotonic_ns = monotonic_ns
        self._traced = False
        self._left_ns: int | None = None
        """When it was lost, by the same clock; None while it is there."""

    @property
    def cpus(self) -> int:
        """The number of CPUs of the traced machine; 1 until it is known."""
        return len(self.hello.cpus) if self.hello is not None else 1

    @property
    def no_ringbuf(self) -> str:
        """Why the traced kernel offers no ring buffer; empty when it does."""
        return self.hello.no_ringbuf if self.hello is not None else ""

    @property
    def silence_s(self) -> float:
        """The seconds since the last message of a collector that hangs or was stopped; 0 for one that does not."""
        connecting = (
            bool(self.name) and self.hello is None
        )  # to another host: its source tells when that takes too long
        if not self.live or connecting or self.contact.phase in ("ended", "lost"):
            return 0.0
        silent = (self._monotonic_ns() - self.heard_ns) / 1e9
        return silent if silent >= SILENCE_S else 0.0

    @property
    def refused(self) -> bool:
        """Whether the source is lost before any program ran."""
        return self.contact.phase == "lost" and not self.contact.traced

    def titled(self, what: str) -> str:
        """The title *what* (safe text), with the name of this machine where there are several."""
        return f"{what}: {safe(self.name)}" if self.name else what

    @property
    def refusal(self) -> str:
        """Why, and the cure, as far as it is known."""
        if self.name:
            return "\n".join(filter(None, (f"{self.name}: {self.contact.text}", self.contact.detail)))
        return self.contact.detail.removeprefix("ringtop: ") or f"cannot trace: {self.contact.text}"

    @property
    def again_s(self) -> float | None:
        """The seconds until the source tries again by itself; None where it does not."""
        again_ns = self.contact.again_ns
        return None if again_ns is None else max(0.0, (again_ns - self._monotonic_ns()) / 1e9)

    @property
    def unkept(self) -> int:
        """The events that arrived from it and were not stored."""
        return sum(table.unkept[self.host] for table in self._store.tables.values())

    @property
    def away(self) -> bool:
        """Whether nothing comes from it: it is lost or silent."""
        return self.contact.phase == "lost" or self.silence_s > 0

    def running(self, program: str) -> stream.State | None:
        """The state of *program* while it takes controls, else None."""
        state = self.states.get(program)
        here = self.live and self.contact.phase == "running"
        return state if here and state is not None and state.state == "running" else None

    def tuned(self, program: str) -> tuning.Tuned | None:
        """As ``running``, but with the pending requests applied, so that a key pressed twice makes two steps."""
        state = self.running(program)
        return self.wanted.get(program, state) if state is not None else None

    @property
    def away_s(self) -> float | None:
        """The seconds since it was lost; None while it is there."""
        return None if self._left_ns is None else (self._monotonic_ns() - self._left_ns) / 1e9

    def take(self, entry: Entry) -> None:
        """Take in one entry; events are the store's."""
        match entry:
            case stream.Stats():
                self.counters.update(entry)
                unkept = {program: table.unkept[self.host] for program, table in self._store.tables.items()}
                self.losses.take(entry, self.states, unkept)
            case Skipped():
                if (table := self._store.tables.get(entry.program)) is not None:
                    table.skip(entry.rows, self.host)
                    self._note(entry.program, f"{entry.rows:,} not kept: they came faster than the viewer reads")
            case stream.Hello():
                self._hello(entry)
            case stream.Progress():
                self.progress[entry.program] = entry.text
                self.contact = replace(self.contact, text=entry.text)
            case stream.State():
                self._captured(entry)
                self.states[entry.program] = entry
                self._traced |= entry.state == "running"
                self.progress.pop(entry.program, None)
                if (wanted := self.wanted.get(entry.program)) is not None and tuning.same(wanted, entry):
                    del self.wanted[entry.program]
                if entry.state == "running" and self.contact.phase == "starting":
                    self.contact = Contact("running")
            case stream.End():
                self.contact = Contact("ended", entry.reason)
                self._stopped()
            case Lost():
                again_ns = self._monotonic_ns() + int(entry.again_s * 1e9) if entry.again_s else None
                self.contact = Contact("lost", entry.reason, entry.detail, self._traced, again_ns)
                self._stopped()
                self._leave(entry)
            case stream.Changed():
                self.before[entry.program] = entry.before
                if entry.before.transport != entry.transport:
                    self.wanted.pop(entry.program, None)
                self.counters.changed(entry.program)
                self._note(entry.program, entry)
            case stream.Compared():
                self._note(entry.program, entry)
            case stream.Notice() if entry.level != "info":
                self._refused(entry.program)

    def _refused(self, program: str) -> None:
        """Drop the pending request for *program*, or all of them when it is empty: the collector refused."""
        for name in [program] if program else list(self.wanted):
            self.wanted.pop(name, None)

    def _stopped(self) -> None:
        self.counters.stop()
        self.losses.stop()

    def _captured(self, state: stream.State) -> None:
        """Mark the place where the capture filter or the scope of a running program changed."""
        before = self.states.get(state.program)
        if before is None or not before.state == state.state == "running":
            return
        if before.capture != state.capture:
            self._note(state.program, notes.captured(state.capture))
        if before.scope != state.scope:
            self._note(state.program, notes.followed(state.scope))

    def _note(self, program: str, about: notes.About) -> None:
        if (table := self._store.tables.get(program)) is not None:
            table.mark(notes.OfHost(self.name, self.cpus, about) if self.name else about, self.host)

    def _leave(self, lost: Lost) -> None:
        """Note that it is away from now on, and may come back by itself."""
        if self._left_ns is not None or not (self.name or lost.again_s):
            return
        self._left_ns = self._monotonic_ns()
        if self._traced:
            for program in self._store.tables:
                self._note(program, f"away: {safe(lost.reason)}")

    def _return(self) -> None:
        """Note that a new collector has started."""
        away = self.away_s
        about = f"was away for {format.uptime(int(away))}" if away is not None else "collector restarted"
        for program, table in self._store.tables.items():
            table.restart(self.host)
            if table.received and self.hello is not None:
                self._note(program, about)
        self._left_ns = None

    def restart(self) -> None:
        """Prepare for a restarted source: history stays, and settings are kept for the new collector."""
        self._keep()
        self.heard_ns = self._monotonic_ns()
        self.contact = Contact()

    def _keep(self) -> None:
        self.kept |= {program: state for program, state in self.states.items() if state.state == "running"}
        self._traced = False
        self.states.clear()
        self.wanted.clear()
        self.progress.clear()

    def resumed(self, state: stream.State) -> list[stream.Control]:
        """The controls that give the collector in *state* the setting of the one before; a note marks the place."""
        if state.state != "running" or (old := self.kept.pop(state.program, None)) is None:
            return []
        if controls := tuning.again(old, state):
            self._note(state.program, "the settings from before are requested again")
        return controls

    def rewind(self) -> None:
        """Forget counters and states; the hello stays."""
        self.counters = Counters()
        self.losses = Losses()
        self.states.clear()
        self.wanted.clear()
        self.before.clear()
        self.contact = Contact()

    def _hello(self, hello: stream.Hello) -> None:
        if self.away_s is not None and self.live:
            self._keep()
        self._return()
        self.hello = hello
        self.counters.restart()
        self.losses.restart()
        self.before.clear()
        self.contact = Contact("starting")

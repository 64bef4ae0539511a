"""What is known of one machine: its collector, the settings of its programs, and its ledgers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ringtop.bpf import stream
from ringtop.tui.model import notes, tuning
from ringtop.tui.model.counters import Counters
from ringtop.tui.model.losses import Losses
from ringtop.tui.model.store import Store
from ringtop.tui.source.inbox import Entry
from ringtop.tui.source.source import SILENCE_S, Lost

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


class Machine:
    """One traced machine. It marks in the tables of *store* where its settings changed."""

    def __init__(self, store: Store, monotonic_ns: Callable[[], int]) -> None:
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
        if not self.live or self.contact.phase in ("ended", "lost"):
            return 0.0
        silent = (self._monotonic_ns() - self.heard_ns) / 1e9
        return silent if silent >= SILENCE_S else 0.0

    def take(self, entry: Entry) -> None:
        """Take in one entry; events are the store's."""
        match entry:
            case stream.Stats():
                self.counters.update(entry)
                self.losses.take(entry, self.states, {p: t.unkept for p, t in self._store.tables.items()})
            case stream.Hello():
                self._hello(entry)
            case stream.Progress():
                self.progress[entry.program] = entry.text
                self.contact = Contact(self.contact.phase, entry.text)
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
                self.contact = Contact("lost", entry.reason, entry.detail, self._traced)
                self._stopped()
            case stream.Changed():
                self.before[entry.program] = entry.before
                if entry.before.transport != entry.transport:
                    self.wanted.pop(entry.program, None)
                self.counters.changed(entry.program)
                self._mark(entry)
            case stream.Compared():
                self._mark(entry)
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
        before, table = self.states.get(state.program), self._store.tables.get(state.program)
        if table is None or before is None or not before.state == state.state == "running":
            return
        if before.capture != state.capture:
            table.mark(notes.captured(state.capture))
        if before.scope != state.scope:
            table.mark(notes.followed(state.scope))

    def _mark(self, entry: stream.Changed | stream.Compared) -> None:
        if (table := self._store.tables.get(entry.program)) is not None:
            table.mark(entry)

    def restart(self) -> None:
        """Prepare for a restarted source: history stays, and settings are kept for the new collector."""
        self.kept |= {program: state for program, state in self.states.items() if state.state == "running"}
        self.heard_ns = self._monotonic_ns()
        self.contact = Contact()
        self._traced = False
        self.states.clear()
        self.wanted.clear()
        self.progress.clear()

    def resumed(self, state: stream.State) -> list[stream.Control]:
        """The controls that give the collector in *state* the setting of the one before; a note marks the place."""
        if state.state != "running" or (old := self.kept.pop(state.program, None)) is None:
            return []
        if (controls := tuning.again(old, state)) and (table := self._store.tables.get(state.program)) is not None:
            table.mark("the settings from before are requested again")
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
        self.hello = hello
        self._store.restart()
        self.counters.restart()
        self.losses.restart()
        self.before.clear()
        self.contact = Contact("starting")

"""The messages of a stream, and what each may hold at most."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ringtop.bpf.common.transports import Transport
from ringtop.bpf.event.schema import SCHEMAS

ShortText = Annotated[str, msgspec.Meta(max_length=4096)]
"""What a reader may say."""
Name = Annotated[str, msgspec.Meta(max_length=256)]
ProgramName = Annotated[str, msgspec.Meta(pattern=rf"\A({'|'.join(SCHEMAS)}|)\Z")]
"""One of SCHEMAS, or (in a ``Notice``) empty."""
Text = Annotated[str, msgspec.Meta(max_length=64 << 10)]
_few = msgspec.Meta(max_length=64)
_cpus = msgspec.Meta(max_length=1 << 13)
"""As many as a kernel can have. What is longer is refused before it is built: no message takes much more memory than it
has bytes."""
ProgramNames = Annotated[list[Name], msgspec.Meta(max_length=16)]
Latency = Annotated[list[int], _few]
"""Events, by the bit length of their delivery latency in microseconds (bucket 0: 0, 1: 1, 2: 2-3, 3: 4-7 …)."""
Level = Literal["info", "warning", "error"]
Wakeup = Name
"""``timer``, ``adaptive``, ``every`` or ``batch:N``."""


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    """Anything in a stream."""


class Hello(Message, frozen=True, tag="hello"):
    """Who is speaking. First message of a stream."""

    host: Name
    kernel: Name
    arch: Name
    version: Name
    """Version of ringtop."""
    cpus: Annotated[list[int], _cpus]
    """Online CPUs."""
    programs: ProgramNames
    """Programs that were asked for, in order."""
    pid: int
    """The collector's process."""
    wall_offset_ns: int
    """Add to an event's ``ts`` to get nanoseconds since 1970 (re-sampled in every ``Stats``)."""
    dtypes: Annotated[dict[Name, Annotated[list[Annotated[list[Name], _few]], _few]], _few]
    """Layout of each program's rows, as NumPy's ``dtype.descr``; a reader refuses a stream of another layout."""
    no_ringbuf: Text = ""
    """Why this kernel gives no ring buffer; empty when it does."""


class Progress(Message, frozen=True, tag="progress"):
    """What the collector is busy with while it starts: 'loading execsnoop'."""

    program: ProgramName
    text: Text


class State(Message, frozen=True, tag="state"):
    """A program's state changed, or one of its settings did."""

    program: ProgramName
    state: Literal["running", "failed", "stopped"]
    transport: Transport = "ringbuf"
    hook: Name = ""
    """The rung of the ladder that was attached, and its variant unless that is the best one."""
    without: Text = ""
    """What it leaves out of what the best rung tells; empty when nothing."""
    tried: Annotated[list[Text], _few] = []
    """Rungs and variants before it, each with why it was not used."""
    loader: Name = ""
    """``core`` (an object compiled beforehand) or ``bcc`` (compiled where it runs); empty: not told."""
    no_core: Text = ""
    """Why the loader is not ``core``, where that was tried."""
    buffer_bytes: int = 0
    """Ring buffer: its size. Perf buffers: size of one CPU's."""
    wakeup: Wakeup = "timer"
    capture: ShortText = ""
    """Capture filter in force, as its text; empty when none."""
    comparing: bool = False
    """Each event goes over the other transport too (``Compare``)."""
    reason: Text = ""
    """Why it failed, and the cure."""


class Rows(Message, frozen=True, tag="rows"):
    """Events of one program, as drained in one round, in time order."""

    program: ProgramName
    rows: bytes
    """``Schema.dtype`` records."""
    tails: bytes


class Round(Message, frozen=True, tag="round"):
    """One drain of all programs. Every event stamped before ``before_ns`` is in this round or an earlier one (those
    still being written when it was drained excepted), and none stamped later is: rounds follow each other in time."""

    before_ns: int
    drained_ns: int
    """Monotonic clock after the drain: delivery latency is ``drained_ns - ts``."""
    batches: Annotated[list[Rows], _few]


class CpuStats(Message, frozen=True, tag="cpu"):
    """The ledger of one program on one CPU over one transport. Counters only grow; readers take deltas."""

    cpu: int
    hits: int
    """Times the hook had something to report."""
    filtered: int
    """Of those, kept out by the capture filter."""
    emitted: int
    """Of those, handed to the transport: hits - filtered."""
    received: int
    dropped: Annotated[dict[Name, int], _few]
    """By reason: ``full`` (no space), ``no_reader`` (no buffer for this CPU), ``other`` (any other refusal)."""
    bytes: int
    """Bytes received, record headers included."""
    gaps: int
    """Holes in the sequence numbers: events emitted that are not here, as the numbers tell."""
    lost_records: int
    """Perf buffers: what PERF_RECORD_LOST told. The same drops seen again, never added."""
    fill: int
    """Bytes waiting in this CPU's buffer at the last drain; for the ring buffer, this CPU's share of them."""
    peak: int
    """Most bytes found waiting since the start."""
    inversions: int
    """Events that arrived after a later-stamped one."""
    untracked: int = 0
    """Hook runs of the program that could not be followed to their end (over both transports). While it runs, with the
    calls on their way: counted where they enter, taken back where they leave, so that only the sum over CPUs counts."""


class Period(Message, frozen=True, tag="period"):
    """What one program's events saw of one transport with one setting, for a stretch of time."""

    transport: Transport
    buffer_bytes: int
    """Ring buffer: its size. Perf buffers: size of one CPU's."""
    wakeup: Wakeup
    memory_bytes: int
    """Of all its buffers."""
    seconds: float
    received: int
    dropped: int
    inversions: int
    """Events that arrived after a later-stamped one."""
    wakeups: int
    reader_ns: int
    """CPU time that reading it took."""
    latency_us: Latency


class ProgramStats(Message, frozen=True, tag="program"):
    """The ledger of one program over one transport; the one in use comes last."""

    program: ProgramName
    transport: Transport
    cpus: Annotated[list[CpuStats], _cpus]
    fill: int
    """Ring buffer: bytes waiting at the last drain, all CPUs. Perf buffers: the sum."""
    capacity: int
    """Bytes the transport can hold, all CPUs."""
    wakeups: int
    """Times the kernel woke the reader."""
    latency_us: Latency
    missed: int
    """Times the kernel skipped a program because it was already running on that CPU (recursion_misses)."""
    late: int = 0
    """Events, over both transports, that came too late for their place in time (flagged ``late``)."""
    now: Period | None = None
    """The transport in use, since its last change. None for one that is not in use."""


class Stats(Message, frozen=True, tag="stats"):
    """All ledgers and the collector's own cost, about once a second and once at the end."""

    ts_ns: int
    wall_offset_ns: int
    programs: Annotated[list[ProgramStats], msgspec.Meta(max_length=16)]
    cpu_ns: int
    """CPU time the collector used since its start."""
    rss_bytes: int


class Changed(Message, frozen=True, tag="changed"):
    """A program's transport, buffer size or wake-up mode was changed while events flowed; a ``State`` follows.

    No event is in both, and on every CPU all of the old one's come before all of the new one's.
    """

    program: ProgramName
    before: Period
    transport: Transport
    """From now on."""
    buffer_bytes: int
    wakeup: Wakeup
    ts_ns: int
    """Monotonic clock when the kernel was told: events stamped later take the new one, but for those just in work."""
    took_ns: int
    """From then until the last event of the old one was in, and it was closed."""
    in_flight: int
    """Events read from the old one after ``ts_ns``."""
    dropped: int
    """Events lost in the meantime, over both."""
    cpus: Annotated[list[tuple[int, int, int]], _cpus]
    """CPU, the last number received over the old one and the first over the new one; -1 where there was none."""


class Compared(Message, frozen=True, tag="compared"):
    """What came of a ``Compare``: the same events over both transports."""

    program: ProgramName
    used: Period
    """The transport in use, whose events were shown."""
    other: Period
    """The one that had copies."""
    residual: int
    """Copies that are neither received nor dropped. Anything but 0 is a broken ledger."""
    choose: Transport
    why: Text


class Notice(Message, frozen=True, tag="notice"):
    """Something a user should read: 'ring buffer refused by this kernel: using perf buffers'."""

    level: Level
    text: Text
    program: ProgramName = ""


class End(Message, frozen=True, tag="end"):
    """Last message: programs are detached, everything they sent was received, the last ``Stats`` is exact."""

    reason: Text


AnyMessage = Hello | Progress | State | Round | Stats | Changed | Compared | Notice | End


class SetCapture(Message, frozen=True, tag="set_capture"):
    """Replace the capture filter of the programs named (all when empty)."""

    text: ShortText
    programs: ProgramNames = []


class Retune(Message, frozen=True, tag="retune"):
    """Change how events of the programs named (all when empty) leave the kernel. What is not said stays as it is.

    Answered for each, when it is done, by ``Changed`` and ``State``. Where it is so already, a ``Notice`` and ``State``
    say so at once; where it cannot be, a ``Notice`` that is an error does, and nothing was changed.
    """

    transport: Transport | Literal["", "other"] = ""
    """``other``: the one that is not in use."""
    buffer_bytes: int = 0
    wakeup: ShortText = ""
    programs: ProgramNames = []


MOST_SECONDS = 3600
"""Longest comparison."""


class Compare(Message, frozen=True, tag="compare"):
    """Send each event of the programs named (all when empty) over both transports for *seconds*; then ``Compared``."""

    seconds: float
    programs: ProgramNames = []


class Stop(Message, frozen=True, tag="stop"):
    """Detach, drain, send the last ``Stats`` and ``End``, exit."""


Control = SetCapture | Retune | Compare | Stop

"""The messages of a stream, with a limit on the size of everything they hold."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ringtop.bpf.common.transports import Transport
from ringtop.bpf.event.names import LONGEST
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.event.waits import BUCKETS

ShortText = Annotated[str, msgspec.Meta(max_length=4096)]
"""Text in a control message, which a reader sends."""
Name = Annotated[str, msgspec.Meta(max_length=256)]
ProgramName = Annotated[str, msgspec.Meta(pattern=rf"\A({'|'.join(SCHEMAS)}|)\Z")]
"""The name of a program in SCHEMAS, or empty (in a ``Notice``)."""
Text = Annotated[str, msgspec.Meta(max_length=64 << 10)]
_few = msgspec.Meta(max_length=64)
_cpus = msgspec.Meta(max_length=1 << 13)
"""As many CPUs as a kernel can have. A longer list is refused before it is built, so that no message takes much more
memory than it has bytes."""
ProgramNames = Annotated[list[Name], msgspec.Meta(max_length=16)]
Latency = Annotated[list[int], _few]
"""Events by the bit length of their delivery latency in microseconds (bucket 0: 0, 1: 1, 2: 2-3, 3: 4-7 …)."""
Level = Literal["info", "warning", "error"]
Wakeup = Name
"""``timer``, ``adaptive``, ``every`` or ``batch:N``."""


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    """The base of everything in a stream."""


class Hello(Message, frozen=True, tag="hello"):
    """The first message of a stream: the host and the collector that it comes from."""

    host: Name
    kernel: Name
    arch: Name
    version: Name
    """The version of ringtop that writes the stream."""
    cpus: Annotated[list[int], _cpus]
    """The numbers of the online CPUs."""
    programs: ProgramNames
    """The requested programs, in order."""
    pid: int
    """The collector's process id."""
    wall_offset_ns: int
    """Add to an event's ``ts`` to get nanoseconds since 1970 (re-sampled in every ``Stats``)."""
    dtypes: Annotated[dict[Name, Annotated[list[Annotated[list[Name], _few]], _few]], _few]
    """The layout of each program's rows, as NumPy's ``dtype.descr``; a reader refuses a stream with other layouts."""
    no_ringbuf: Text = ""
    """Why this kernel has no ring buffer; empty when it has one."""


class Progress(Message, frozen=True, tag="progress"):
    """A step of the collector's start: 'loading execsnoop'."""

    program: ProgramName
    text: Text


class State(Message, frozen=True, tag="state"):
    """A program's state, or one of its settings, changed."""

    program: ProgramName
    state: Literal["running", "failed", "stopped"]
    transport: Transport = "ringbuf"
    hook: Name = ""
    """The attached rung of the ladder, with its variant unless that is the best one."""
    without: Text = ""
    """The facts that this rung cannot report and the best rung can; empty when there are none."""
    tried: Annotated[list[Text], _few] = []
    """The better rungs and variants, each with the reason why it was not used."""
    loader: Name = ""
    """``core`` (an object compiled beforehand) or ``bcc`` (compiled where it runs); empty when unknown."""
    no_core: Text = ""
    """Why the loader is not ``core``, when ``core`` was tried."""
    buffer_bytes: int = 0
    """Ring buffer: its size. Perf buffers: size of one CPU's."""
    wakeup: Wakeup = "timer"
    capture: ShortText = ""
    """The text of the capture filter in force; empty when there is none."""
    min_us: int | None = None
    """runqslower: the shortest wait that it reports, µs; None where ``capture`` alone decides."""
    scope: ShortText = ""
    """Whose events are captured, 'make (4711) and what it starts'; empty where they are the whole host's."""
    follows: Annotated[list[int], _few] = []
    """The processes that ``scope`` names."""
    cgroup: int = 0
    """The control group that ``scope`` names, by the id that it had then; 0 where it names none."""
    comparing: bool = False
    """Whether each event is also sent over the other transport (``Compare``)."""
    reason: Text = ""
    """Why the program failed, and the cure."""


class Rows(Message, frozen=True, tag="rows"):
    """The events of one program from one round, in time order."""

    program: ProgramName
    rows: bytes
    """``Schema.dtype`` records."""
    tails: bytes


MOST_GROUPS = 512
"""The most control groups of one message."""
GroupText = Annotated[bytes, msgspec.Meta(max_length=LONGEST)]


class Cgroups(Message, frozen=True, tag="cgroups"):
    """What control groups are called, before the first round that has their ids."""

    groups: Annotated[list[tuple[int, GroupText, GroupText]], msgspec.Meta(max_length=MOST_GROUPS)]
    """For each its id, its path in its hierarchy, and what its container's runtime calls the container: empty where
    that is not known. Others wrote the text."""


class Round(Message, frozen=True, tag="round"):
    """One drain of all programs.

    Every event stamped before ``before_ns`` is in this round or an earlier one, except events still being written at
    the time of the drain. No event stamped later is in it, so rounds follow each other in time.
    """

    before_ns: int
    drained_ns: int
    """The monotonic clock after the drain, ns; an event's delivery latency is ``drained_ns - ts``."""
    batches: Annotated[list[Rows], _few]


class CpuStats(Message, frozen=True, tag="cpu"):
    """The ledger of one program on one CPU over one transport. Counters only grow; readers take deltas."""

    cpu: int
    hits: int
    """Times that the hook had an event to report."""
    filtered: int
    """Hits that the capture filter rejected."""
    emitted: int
    """Hits that were handed to the transport: hits - filtered."""
    received: int
    dropped: Annotated[dict[Name, int], _few]
    """Dropped events by reason: ``full`` (no space), ``no_reader`` (no buffer for this CPU), ``other`` (any other
    refusal)."""
    bytes: int
    """Bytes received, record headers included."""
    gaps: int
    """Emitted events that were not received, counted by the gaps in the sequence numbers."""
    lost_records: int
    """Perf buffers: lost samples reported by PERF_RECORD_LOST. They are drops already counted above, so they are never
    added to them."""
    fill: int
    """Bytes waiting in this CPU's buffer at the last drain; for the ring buffer, this CPU's share of them."""
    peak: int
    """The most bytes found waiting at any drain since the start."""
    inversions: int
    """Events that arrived after a later-stamped one."""
    untracked: int = 0
    """Hook runs of the program that could not be followed to their end, over both transports.

    While the program runs, calls in flight are included: a call is added on the CPU where it enters and subtracted on
    the CPU where it leaves, so only the sum over all CPUs has a meaning.
    """


class Period(Message, frozen=True, tag="period"):
    """The statistics of one program's events over one transport with one setting, for a stretch of time."""

    transport: Transport
    buffer_bytes: int
    """Ring buffer: its size. Perf buffers: size of one CPU's."""
    wakeup: Wakeup
    memory_bytes: int
    """Memory of all the transport's buffers."""
    seconds: float
    received: int
    dropped: int
    inversions: int
    """Events that arrived after a later-stamped one."""
    wakeups: int
    reader_ns: int
    """CPU time spent on reading the transport."""
    latency_us: Latency


class Waits(Message, frozen=True, tag="waits"):
    """All waits for a CPU since the start of the tasks whose events are wanted, also those too short to be reported."""

    reported: int
    """The waits that were at least as long as the threshold in force when they ended."""
    counts: Annotated[list[int], msgspec.Meta(max_length=BUCKETS)]
    """The waits by length, in the buckets of ``bpf.event.waits``; the last buckets are left out where they are 0."""


class ProgramStats(Message, frozen=True, tag="program"):
    """The ledger of one program over one transport; the one in use comes last."""

    program: ProgramName
    transport: Transport
    cpus: Annotated[list[CpuStats], _cpus]
    fill: int
    """Bytes waiting at the last drain, all CPUs; for perf buffers, the sum over them."""
    capacity: int
    """Bytes that the transport can hold, all CPUs."""
    wakeups: int
    """Times that the kernel woke the reader."""
    latency_us: Latency
    missed: int
    """Times that the kernel skipped a program because it was already running on that CPU (recursion_misses)."""
    late: int = 0
    """Events, over both transports, that arrived too late for their place in time order (flagged ``late``)."""
    now: Period | None = None
    """The period since the transport's last change; None when the transport is not in use."""
    waits: Waits | None = None
    """runqslower's count of all waits; None when it does not count them, or the transport is not in use."""


class Stats(Message, frozen=True, tag="stats"):
    """All ledgers and the collector's own cost, about once a second and once at the end."""

    ts_ns: int
    wall_offset_ns: int
    programs: Annotated[list[ProgramStats], msgspec.Meta(max_length=16)]
    cpu_ns: int
    """CPU time that the collector has used since its start."""
    rss_bytes: int


class Changed(Message, frozen=True, tag="changed"):
    """A program's transport, buffer size or wakeup mode was changed while events flowed; a ``State`` follows.

    No event arrives over both transports, and on every CPU all events of the old one come before those of the new one.
    """

    program: ProgramName
    before: Period
    transport: Transport
    """The transport from now on."""
    buffer_bytes: int
    wakeup: Wakeup
    ts_ns: int
    """The monotonic clock when the kernel got the new setting. Events stamped later take the new transport, except
    those already in flight at that moment."""
    took_ns: int
    """Time from ``ts_ns`` until the old transport's last event was received and the transport was closed."""
    in_flight: int
    """Events read from the old transport after ``ts_ns``."""
    dropped: int
    """Events dropped in the meantime, over both transports."""
    cpus: Annotated[list[tuple[int, int, int]], _cpus]
    """For each CPU: its number, the last sequence number received over the old transport and the first received over
    the new one; -1 where there was none."""


class Compared(Message, frozen=True, tag="compared"):
    """The result of a ``Compare``: the same events over both transports."""

    program: ProgramName
    used: Period
    """The period of the transport in use, whose events were shown."""
    other: Period
    """The period of the other transport, which carried copies."""
    residual: int
    """Copies that were neither received nor dropped. Any value but 0 means that the ledger does not balance."""
    choose: Transport
    why: Text


class ProcessCost(Message, frozen=True, tag="process"):
    """What one of ringtop's processes has used since it began, and its memory now."""

    name: Name
    pid: int
    cpu_ns: int
    wakeups: int
    """Times that it waited and was woken again."""
    rss_bytes: int
    pss_bytes: int
    """As resident memory, but of pages that several processes share, its part of them; -1 when unknown."""


class FunctionCost(Message, frozen=True, tag="function"):
    """What the kernel tells of one BPF program: a function of a program of ringtop's."""

    program: ProgramName
    """Empty for one that serves all of them."""
    name: Name
    hooks: Annotated[list[Name], _few]
    """What runs it."""
    id: int
    tag: Name
    """The hash of its instructions."""
    runs: int
    """Times that it ran while runs were counted."""
    run_ns: int
    """Time that these runs took."""
    jited_bytes: int
    """Size of its machine code; 0 where the kernel interprets it."""
    memory_bytes: int
    """-1 when unknown: before Linux 5.14 the collector may not see it once it has given up root."""
    maps: Annotated[list[int], _few]
    """Ids of the maps that it uses."""


class MapCost(Message, frozen=True, tag="map"):
    """What the kernel tells of one BPF map."""

    program: ProgramName
    """Empty for a map that belongs to no program any more, or to several."""
    id: int
    name: Name
    kind: Name
    """Its type, as bpftool calls it: 'percpu_array'."""
    key_bytes: int
    value_bytes: int
    entries: int
    memory_bytes: int
    """-1 when unknown."""


class Costs(Message, frozen=True, tag="costs"):
    """What ringtop costs the traced machine: about once a second, and once at the end, after a ``Measure``."""

    ts_ns: int
    uncounted: Text
    """Why the runs of the functions are not counted; empty when they are."""
    processes: Annotated[list[ProcessCost], _few]
    """The collector, and what it started."""
    functions: Annotated[list[FunctionCost], _few]
    maps: Annotated[list[MapCost], msgspec.Meta(max_length=256)]
    waits: int
    """Waits for a CPU that runqslower reported since the start."""
    kept_waiting: int
    """Those of them before which one of ringtop's own processes had that CPU; -1 in a container with process ids of its
    own."""


class Notice(Message, frozen=True, tag="notice"):
    """A message for the user: 'this kernel has no BPF ring buffer …: perf buffers are used'."""

    level: Level
    text: Text
    program: ProgramName = ""


class End(Message, frozen=True, tag="end"):
    """The last message. All programs are detached, all their events were received, and the last ``Stats`` is exact."""

    reason: Text


AnyMessage = Hello | Progress | State | Cgroups | Round | Stats | Changed | Compared | Costs | Notice | End


class SetCapture(Message, frozen=True, tag="set_capture"):
    """Replace the capture filter of the named programs (all when empty)."""

    text: ShortText
    programs: ProgramNames = []


class Follow(Message, frozen=True, tag="follow"):
    """Capture only the events of these processes, of what they have started and start, or those of the container or
    unit to which a control group belongs; of the whole host when both are empty.

    Each program answers with ``State``. Where it is impossible nothing changes, and the answer is a ``Notice`` of level
    ``error``.
    """

    pids: Annotated[list[int], _few] = []
    cgroup: int = 0
    """The id of the control group; 0 for none."""


class Retune(Message, frozen=True, tag="retune"):
    """Change the transport settings of the named programs (all when empty). Empty fields leave their setting unchanged.

    Each program answers with ``Changed`` and ``State`` when the change is done. A program that already has these
    settings answers at once with a ``Notice`` and ``State``. Where the change is impossible, nothing changes and the
    answer is a ``Notice`` of level ``error``.
    """

    transport: Transport | Literal["", "other"] = ""
    """``other`` is the transport that is not in use."""
    buffer_bytes: int = 0
    wakeup: ShortText = ""
    programs: ProgramNames = []


class Compare(Message, frozen=True, tag="compare"):
    """Send each event of the named programs (all when empty) over both transports for *seconds*; then ``Compared``."""

    seconds: float
    programs: ProgramNames = []


class Measure(Message, frozen=True, tag="measure"):
    """Send ``Costs`` from now on, or no more. Only meanwhile are the runs of BPF programs counted."""

    on: bool


class Stop(Message, frozen=True, tag="stop"):
    """Detach all programs, drain, send the last ``Stats`` and ``End``, and exit."""


Control = SetCapture | Follow | Retune | Compare | Measure | Stop

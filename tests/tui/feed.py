"""A made-up collector: the same messages on every machine, in every state the viewer has to show."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np

from ringtop.bpf import stream
from ringtop.bpf.common.transports import OTHER, Transport
from ringtop.bpf.event.schema import SCHEMAS, usual
from ringtop.tui.source.source import Lost, Post

START_NS = 1_000_000_000_000
"""The kernel's clock when the feed starts."""
WALL_NS = 1_767_225_600_000_000_000 - START_NS
"""Such that it is 2026-01-01 00:00:00 UTC then."""
HOOKS = {
    "runqslower": "raw tracepoints, BTF offsets",
    "execsnoop": "sched_process_exec, BTF offsets",
    "unlinksnoop": "syscall tracepoints",
}
COMMS = [b"nginx", b"postgres", b"kworker/0:1", b"python3", b"stress-ng", b"sshd", b"bash", b"make"]
COMMANDS = [
    (b"/usr/bin/git", [b"git", b"status", b"--porcelain"]),
    (b"/usr/bin/cc", [b"cc", b"-O2", b"-Wall", b"-c", b"src/main.c", b"-o", b"build/main.o"]),
    (b"/bin/sh", [b"sh", b"-c", b"date +%s > /tmp/stamp; sleep 1"]),
    (b"/usr/bin/grep", [b"grep", b"-rn", b"it's here", b"/etc"]),
    (b"/usr/sbin/logrotate", [b"logrotate", b"--state", b"/var/lib/logrotate/status", b"/etc/logrotate.conf"]),
    (b"./missing", [b"./missing"]),
]
PATHS = [
    b"/tmp/pip-req-tracker-kx2p1o/lock",
    b"/var/lib/postgresql/15/main/pg_wal/000000010000000000000042",
    b"build/main.o",
    b"/run/user/1000/evil \x1b]0;owned\x07[bold]name",
    b"/var/cache/nginx/proxy_temp/7/03/0000000037",
]
LATENCY = {"ringbuf": [0, 0, 1, 5, 30, 40, 19, 4, 1], "perfbuf": [0] * 10 + [2, 5, 8, 14, 22, 30, 18, 1]}
"""Delivery latency of a hundred events."""
REC = 128
"""Bytes that an event takes in a buffer, for the counters."""


@dataclass
class Ledger:
    """Counters of one program on one CPU."""

    hits: int = 0
    received: int = 0
    filtered: int = 0
    dropped: dict[str, int] = field(default_factory=lambda: {"full": 0, "no_reader": 0, "other": 0})
    fill: int = 0
    peak: int = 0


@dataclass
class Setting:
    """How one program's events leave the kernel, and since when."""

    transport: Transport
    size: int
    wakeup: str = "timer"
    since: int = START_NS
    received: int = 0
    """Events until then, over this transport."""


class Feed:
    """A source whose messages are made up. Give it to the viewer; in tests, call its methods."""

    live = True

    def __init__(
        self,
        cpus: int = 2,
        transport: Transport = "ringbuf",
        programs: tuple[str, ...] = usual(),
        failed: tuple[str, ...] = (),
        seed: int = 1,
        no_ringbuf: str = "",
    ) -> None:
        self.label = "made-up feed"
        self.host = "web-1"
        self.wall_ns = WALL_NS
        self.cpus = cpus
        self.transport: Transport = transport
        self.programs = programs
        self.failed = failed
        self.no_ringbuf = no_ringbuf
        self.capture = ""
        self.follows: list[int] = []
        self.cgroup = 0
        self.controls: list[stream.Control] = []
        self.starts = 0
        self.stops = 0
        self.size = 256 << 10
        self.late = 0
        self.residual = 0
        self.waits: stream.Waits | None = None
        self._rng = np.random.default_rng(seed)
        self._post: Post = lambda item: None
        self._reset()

    def _reset(self) -> None:
        self.now = START_NS
        self._seq = {(p, c): 0 for p in self.programs for c in range(self.cpus)}
        self._ledgers = {(p, c): Ledger() for p in self.programs for c in range(self.cpus)}
        self._settings = {p: Setting(self.transport, self.size) for p in self.programs}
        self._left: dict[str, dict[int, Ledger]] = {}
        self._comparing: dict[str, tuple[int, float]] = {}

    # A source

    def start(self, post: Post) -> None:
        """Say hello, and what state the programs are in."""
        self._post = post
        self.starts += 1
        self._reset()
        self.hello()
        for program in self.programs:
            self.state(program)
        self.stats()

    def send(self, control: stream.Control) -> None:
        """Obey it."""
        self.controls.append(control)
        if isinstance(control, stream.Retune):
            for program in control.programs or self.programs:
                self.retune(program, control)
        if isinstance(control, stream.Compare):
            for program in control.programs or self.programs:
                self._comparing[program] = (self.now + int(control.seconds * 1e9), control.seconds)
                self.state(program)
        if isinstance(control, stream.Follow):
            self.follows, self.cgroup = control.pids, control.cgroup
            for program in self.programs:
                self.state(program)
        if isinstance(control, stream.SetCapture):
            self.capture = control.text
            for program in self.programs:
                self.state(program)

    def stop(self) -> None:
        """Nothing to end."""
        self.stops += 1

    # What it says

    def hello(self) -> None:
        """Who speaks."""
        self._post(
            stream.Hello(
                host=self.host,
                kernel="6.1.0-44-amd64",
                arch="x86_64",
                version="0.1.0",
                cpus=list(range(self.cpus)),
                programs=list(self.programs),
                pid=4242,
                wall_offset_ns=self.wall_ns,
                dtypes=stream.dtypes(),
                no_ringbuf=self.no_ringbuf,
            )
        )
        self._post(stream.Cgroups([(4026, b"/system.slice/web.service", b"")]))

    def state(self, program: str) -> None:
        """A program's state."""
        if program in self.failed:
            reason = "all hooks were refused: Operation not permitted\nrun it as root, or with CAP_BPF and CAP_PERFMON"
            self._post(stream.State(program, "failed", tried=["fentry: EPERM", "tracepoints: EPERM"], reason=reason))
            return
        hook, s = HOOKS[program], self._settings[program]
        comparing = program in self._comparing
        self._post(
            stream.State(
                program,
                "running",
                s.transport,
                hook,
                buffer_bytes=s.size,
                wakeup=s.wakeup,
                capture=self.capture,
                scope=f"{', '.join(f'nginx ({pid})' for pid in self.follows)} and what it starts"
                if self.follows
                else "unit web.service"
                if self.cgroup
                else "",
                follows=self.follows,
                cgroup=self.cgroup,
                min_us=10_000 if program == "runqslower" else None,
                comparing=comparing,
            )
        )

    def retune(self, program: str, control: stream.Retune) -> None:
        """Change how a program's events leave the kernel."""
        old = self._settings[program]
        before = self._period(program)
        transport = old.transport
        if control.transport:
            transport = OTHER[old.transport] if control.transport == "other" else control.transport
        size = old.size if transport == old.transport else self.size // (2 if transport != self.transport else 1)
        new = Setting(transport, control.buffer_bytes or size, control.wakeup or old.wakeup, self.now)
        if transport != old.transport:
            mine = {c: self._ledgers[program, c] for c in range(self.cpus)}
            for ledger in mine.values():
                ledger.fill = 0
            again = self._left.get(program, {c: Ledger() for c in mine})
            self._left[program] = mine
            self._ledgers.update({(program, c): ledger for c, ledger in again.items()})
        new.received = sum(self._ledgers[program, c].received for c in range(self.cpus))
        self._settings[program] = new
        numbers = [(c, n - 1, n) for c in range(self.cpus) for n in (self._seq[program, c],)]
        self._post(
            stream.Changed(program, before, new.transport, new.size, new.wakeup, self.now, 3_100_000, 41, 0, numbers)
        )
        self.state(program)

    def _period(self, program: str, transport: Transport | None = None) -> stream.Period:
        """What a program's events saw since the last change; over the *transport* not in use: what they would see."""
        s = self._settings[program]
        seconds = (self.now - s.since) / 1e9
        received = sum(self._ledgers[program, c].received for c in range(self.cpus)) - s.received
        ring = (transport or s.transport) == "ringbuf"
        size = s.size if transport in (None, s.transport) else self.size // 2
        return stream.Period(
            transport=transport or s.transport,
            buffer_bytes=size,
            wakeup=s.wakeup,
            memory_bytes=size * (1 if ring else self.cpus),
            seconds=seconds,
            received=received,
            dropped=0 if ring else received // 50,
            inversions=0 if ring else received // 9,
            wakeups=int(seconds * (2 if ring else 30)),
            reader_ns=int(seconds * (4e6 if ring else 17e6)),
            latency_us=LATENCY[transport or s.transport],
        )

    def compared(self, program: str, seconds: float) -> None:
        """A comparison is over."""
        used = self._period(program)
        used = msgspec.structs.replace(used, seconds=seconds)
        other = msgspec.structs.replace(self._period(program, OTHER[used.transport]), seconds=seconds)
        worse = max(used, other, key=lambda p: p.dropped)
        why = f"it loses less: 0 events against {worse.dropped} over the perf buffers"
        self._post(stream.Compared(program, used, other, self.residual, "ringbuf", why))
        del self._comparing[program]
        self.state(program)

    def events(self, counts: dict[str, int], lose: dict[int, int] | None = None, seconds: float = 0.25) -> None:
        """One round of *counts* events by program, after *lose* events of each CPU were dropped (buffer full)."""
        span = int(seconds * 1e9)
        batches = []
        for program, n in counts.items():
            if program in self.failed:
                continue
            for cpu, lost in (lose or {}).items():
                self._seq[program, cpu] += lost
                ledger = self._ledgers[program, cpu]
                ledger.hits += lost
                ledger.dropped["full"] += lost
            if n:
                batches.append(self._rows(program, n, span))
        self.now += span
        self._post(stream.Round(self.now, self.now, batches))
        for program, (until, length) in list(self._comparing.items()):
            if self.now >= until:
                self.compared(program, length)

    def fill(self, parts: dict[int, float]) -> None:
        """How full the buffers were at the last drain, by CPU, as a part of the whole (ring) or its own (perf)."""
        for (_, cpu), ledger in self._ledgers.items():
            ledger.fill = int(self.size * parts.get(cpu, 0.0))
            ledger.hits += ledger.fill // REC
            ledger.peak = max(ledger.peak, ledger.fill)

    def drained(self) -> None:
        """The buffers are empty; what was in them counts as received."""
        for ledger in self._ledgers.values():
            ledger.received += ledger.fill // REC
            ledger.fill = 0

    def stats(self) -> None:
        """The ledgers."""
        running = [p for p in self.programs if p not in self.failed]
        parts = [part for p in running for part in self._program(p)]
        cpu_ns = int((self.now - START_NS) * 0.012)
        self._post(stream.Stats(self.now, self.wall_ns, parts, cpu_ns, 34 << 20))

    def lose_collector(self, again_s: float = 0) -> None:
        """It died; the source tries again after so many seconds."""
        self._post(Lost("killed by SIGKILL", "ringtop collect: cannot allocate memory\n\x1b[2Jgone", again_s))

    def say(self, item: stream.AnyMessage) -> None:
        """Anything else."""
        self._post(item)

    def play(self, rounds: int = 4, rate: int = 40) -> None:
        """Some seconds of an ordinary load: *rate* events a round of each program. There are few rounds: to fold one
        takes a millisecond for each program, however few its events."""
        for i in range(rounds):
            n = rate + int(self._rng.integers(0, max(1, rate // 3)))
            self.events({p: n if p == "runqslower" else max(1, n // 4) for p in self.programs})
            if i % 4 == 3:
                self.stats()

    def _program(self, program: str) -> list[stream.ProgramStats]:
        s = self._settings[program]
        mine = {c: self._ledgers[program, c] for c in range(self.cpus)}
        parts = [self._part(program, s.transport, s.size, mine, self._period(program))]
        if program in self._left:
            parts.insert(0, self._part(program, OTHER[s.transport], self.size, self._left[program], None))
        return parts

    def _part(
        self,
        program: str,
        transport: Transport,
        size: int,
        ledgers: dict[int, Ledger],
        now: stream.Period | None,
    ) -> stream.ProgramStats:
        cpus = [
            stream.CpuStats(
                c, e.hits + e.filtered, e.filtered, e.hits, e.received, dict(e.dropped), e.received * REC, 0, 0, e.fill,
                e.peak, 0,
            )
            for c, e in ledgers.items()
        ]  # fmt: skip
        fill = sum(c.fill for c in cpus)
        capacity = size * (1 if transport == "ringbuf" else self.cpus)
        waits = self.waits if program == "runqslower" and now is not None else None
        return stream.ProgramStats(program, transport, cpus, fill, capacity, 0, [], 0, self.late, now, waits)

    def _rows(self, program: str, n: int, span: int) -> stream.Rows:
        schema, rng = SCHEMAS[program], self._rng
        rows = np.zeros(n, schema.dtype)
        rows["ts"] = self.now + np.sort(rng.integers(0, span, n))
        rows["cpu"] = rng.integers(0, self.cpus, n)
        for cpu in range(self.cpus):
            mine = np.flatnonzero(rows["cpu"] == cpu)
            rows["seq"][mine] = self._seq[program, cpu] + np.arange(len(mine))
            self._seq[program, cpu] += len(mine)
            ledger = self._ledgers[program, cpu]
            ledger.hits += len(mine)
            ledger.received += len(mine)
        who = rng.integers(0, len(COMMS), n)
        rows["comm"] = np.array(COMMS)[who]
        rows["pid"] = rows["tid"] = 1000 + who * 111
        rows["ppid"] = 1000
        rows["uid"] = np.where(who < 2, 33, 1000)
        rows["cgroup"] = 4026
        tails = b""
        if program == "runqslower":
            rows["latency"] = (10e6 * (1 + rng.exponential(1.5, n))).astype(np.uint64)
            before = rng.integers(0, len(COMMS), n)
            rows["prev_comm"] = np.array(COMMS)[before]
            rows["prev_pid"] = rows["prev_tid"] = 1000 + before * 111
            rows["preempted"] = rng.random(n) < 0.3
            rows["culprit_comm"], rows["culprit_pid"] = rows["prev_comm"], rows["prev_pid"]
            rows["culprit_share"] = 60 + before * 3
        elif program == "execsnoop":
            which = rng.integers(0, len(COMMANDS), n)
            texts = [(name, b"".join(a + b"\0" for a in argv), len(argv)) for name, argv in COMMANDS]
            rows["filename_len"] = np.array([len(t[0]) for t in texts])[which]
            rows["argv_len"] = np.array([len(t[1]) for t in texts])[which]
            rows["argc"] = np.array([t[2] for t in texts])[which]
            rows["ret"] = np.where(which == len(COMMANDS) - 1, -2, 0)
            tails = _tails(rows, [t[0] + t[1] for t in texts], which)
        else:
            which = rng.integers(0, len(PATHS), n)
            rows["path_len"] = np.array([len(p) for p in PATHS])[which]
            rows["dfd"] = -100
            rows["op"] = rng.random(n) < 0.1
            rows["ret"] = np.where(rng.random(n) < 0.1, -2, 0)
            tails = _tails(rows, PATHS, which)
        return stream.Rows(program, rows.tobytes(), tails)


def _tails(rows: np.ndarray, texts: list[bytes], which: np.ndarray) -> bytes:
    sizes = np.array([len(t) for t in texts])[which]
    rows["tail"] = np.cumsum(sizes) - sizes
    return b"".join([texts[i] for i in which.tolist()])

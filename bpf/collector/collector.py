"""The collector: the privileged process. It loads programs, drains transports, writes the stream and obeys controls."""

from __future__ import annotations

import os
import platform
import resource
import select
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from ringtop.bpf import stream
from ringtop.bpf.collector.outbox import CannotWrite, Outbox
from ringtop.bpf.collector.rounds import cut
from ringtop.bpf.collector.tracer import TICK_NS, Tracer
from ringtop.bpf.common import privilege
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.filter import FilterError
from ringtop.bpf.kernel import leftovers
from ringtop.bpf.kernel.features import Kernel, ensure_tracefs, online_cpus
from ringtop.bpf.options.collector import CollectorOptions

STATS_NS = 1_000_000_000
CONTROL_LIMIT = 64 << 10
"""Longest control message, bytes."""
MOST_CONTROLS = 200
"""Control messages obeyed in a second."""
MOST_WAITING = 64
"""Changes that wait for others to be over."""


def wall_offset_ns() -> int:
    """Wall clock minus monotonic clock, from two readings of it around one of the other."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    wall = time.time_ns()
    return wall - (before + time.clock_gettime_ns(time.CLOCK_MONOTONIC)) // 2


class Collector:
    """Reads control messages from *control_fd* and writes the stream to *out_fd* until told to stop."""

    def __init__(self, options: CollectorOptions, control_fd: int, out_fd: int) -> None:
        self.options = options
        self.out = Outbox(out_fd)
        self.tracers: dict[str, Tracer] = {}
        self._programs = list(dict.fromkeys(options.programs))
        self.captures = dict.fromkeys(self._programs, options.capture)
        self._own = [os.getpid(), *options.exclude]
        self._control_fd = control_fd
        self._control = stream.Frames(magic=False, limit=CONTROL_LIMIT)
        self._epoll = select.epoll()
        self._controls = 0
        self._waiting: deque[tuple[str, stream.Control]] = deque()
        self._reason = ""
        self._signals, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._signalled)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def run(self) -> int:
        """The collector's life; its exit status. Raises CannotTrace when no program can run."""
        try:
            return self._run()
        except BrokenPipeError:
            return 0  # nobody listens any more: the programs go with this process
        except CannotWrite as e:
            sys.stderr.write(f"ringtop: {e}\n")
            return 1
        finally:
            for tracer in self.tracers.values():
                tracer.close()

    def _run(self) -> int:
        kernel = Kernel()
        self.out.put(self._hello(kernel))
        try:
            if ensure_tracefs():
                self.out.put(stream.Notice("info", "tracefs was not mounted: mounted it at /sys/kernel/tracing"))
        except CannotTrace as missing:
            self.out.put(stream.Notice("warning", str(missing)))  # raw tracepoints need none
        if kernel.inner_pids:
            unknown = "what a hook cannot know of a process stays unknown, and ringtop's own events are shown"
            self.out.put(stream.Notice("warning", f"{kernel.inner_pids}: {unknown}"))
        transport = self._transport(kernel)
        failures = [e for p in self._programs if (e := self._start(p, kernel, transport))]
        if not self.tracers:
            raise failures[0]
        leftovers.release()
        privilege.drop(privilege.to_read_events())
        privilege.end_with_parent()
        self._loop()
        for tracer in self.tracers.values():
            tracer.stop()
        self._drain(audit=True, last=True)
        self._stats()
        self.out.put(stream.End(self._reason))
        self._say_goodbye()
        return 1 if failures else 0

    def _say_goodbye(self) -> None:
        """Nothing is attached any more: wait for a slow reader as long as nobody sends another signal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.set_blocking(self.out.fd, True)
        self.out.flush()

    def _hello(self, kernel: Kernel) -> stream.Hello:
        return stream.Hello(
            host=platform.node(),
            kernel=kernel.release,
            arch=platform.machine(),
            version=version("ringtop"),
            cpus=online_cpus(),
            programs=self._programs,
            pid=os.getpid(),
            wall_offset_ns=wall_offset_ns(),
            dtypes=stream.dtypes(),
        )

    def _transport(self, kernel: Kernel) -> Transport:
        match self.options.transport:
            case "perfbuf":
                return "perfbuf"
            case "ringbuf" if kernel.no_ringbuf:
                cure = "Use --transport perfbuf, or auto, which does so by itself."
                raise CannotTrace("the ring buffer cannot be used", kernel.no_ringbuf, cure)
            case "auto" if kernel.no_ringbuf:
                self.out.put(stream.Notice("warning", f"{kernel.no_ringbuf}: using perf buffers"))
                return "perfbuf"
        return "ringbuf"

    def _start(self, program: str, kernel: Kernel, transport: Transport) -> CannotTrace | None:
        """Load and attach; why it failed, which is also told, and no reason for the others not to run."""
        self.out.put(stream.Progress(program, f"loading {program}"))
        try:
            tracer = Tracer(program, kernel, self.options, transport)
            tracer.exclude(self._own)
            tracer.attach()
        except CannotTrace as e:
            self.out.put(stream.State(program, "failed", transport=transport, reason=str(e)))
            return e
        self.tracers[program] = tracer
        tracer.ways.watch(self._epoll)
        self.out.put(tracer.state(self.options.capture))
        return None

    def _loop(self) -> None:
        self._epoll.register(self._signals, select.EPOLLIN)
        with suppress(PermissionError):  # a file or /dev/null: nobody to obey
            self._epoll.register(self._control_fd, select.EPOLLIN)
        now = time.monotonic_ns()
        next_drain, next_stats = now + TICK_NS, now + STATS_NS
        listening = False
        while not self._reason:
            if listening != (not self.out.empty):
                listening = not listening
                if listening:
                    self._epoll.register(self.out.fd, select.EPOLLOUT)
                else:
                    self._epoll.unregister(self.out.fd)
            due = min(next_drain, next_stats) - time.monotonic_ns()
            ready = {fd for fd, _ in self._epoll.poll(max(due, 0) / 1e9)}
            now = time.monotonic_ns()
            if self._control_fd in ready:
                self._read_control()
            if self.out.fd in ready:
                self.out.flush()
            woken = [tracer.ways.woken(ready) for tracer in self.tracers.values()]
            if any(woken) or now >= min(next_drain, next_stats):
                self._drain(audit=now >= next_stats)
                self._obey_waiting()
                # What nobody takes cannot be drained, however full the buffers are.
                next_drain = now + (TICK_NS if self.out.full else min(t.patience_ns for t in self.tracers.values()))
            if now >= next_stats:
                self._controls = 0
                self._stats()
                for tracer in self.tracers.values():
                    tracer.exclude(self._own)
                    tracer.ways.follow_cpus()
                next_stats = now + STATS_NS

    def _drain(self, audit: bool, last: bool = False) -> None:
        if self.out.full and not last:
            for tracer in self.tracers.values():
                tracer.skip()  # the kernel drops what finds no room, and counts it
            return
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) - (0 if last else self.options.merge_ms * 1_000_000)
        batches = [tracer.drain(before, audit) for tracer in self.tracers.values()]
        drained = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        for edge, parts in cut(batches, before):
            rows = [stream.rows(part) for part in parts if len(part)]
            if rows:
                self.out.put(stream.Round(edge, drained, rows))
        for tracer in self.tracers.values():
            self._tell(tracer)

    def _stats(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        self.out.put(
            stream.Stats(
                ts_ns=time.clock_gettime_ns(time.CLOCK_MONOTONIC),
                wall_offset_ns=wall_offset_ns(),
                programs=[part for t in self.tracers.values() for part in t.stats()],
                cpu_ns=int((usage.ru_utime + usage.ru_stime) * 1e9),
                rss_bytes=resident,
            )
        )
        for tracer in self.tracers.values():
            self._tell(tracer)

    def _read_control(self) -> None:
        data = os.read(self._control_fd, CONTROL_LIMIT)
        if not data:
            self._reason = "the viewer is gone"
            return
        try:
            for body in self._control.feed(data):
                self._hear(body)
        except stream.StreamError as e:
            self.out.put(stream.Notice("error", str(e)))
            self._reason = "a control message could not be read"

    def _hear(self, body: bytes) -> None:
        self._controls += 1
        try:
            message = stream.decode_control(body)
        except stream.StreamError as e:
            self.out.put(stream.Notice("error", str(e)))
            return
        if self._controls <= MOST_CONTROLS or isinstance(message, stream.Stop):
            self._obey(message)
        elif self._controls == MOST_CONTROLS + 1:
            self.out.put(stream.Notice("error", f"more than {MOST_CONTROLS} control messages in a second"))

    def _obey(self, message: stream.Control) -> None:
        if isinstance(message, stream.Stop):
            self._reason = "stopped"
            return
        for name in message.programs or list(self.tracers):
            if name not in self.tracers:
                self.out.put(stream.Notice("error", f"{name!r} is not running"))
            elif len(self._waiting) >= MOST_WAITING:
                self.out.put(stream.Notice("error", "too many changes at once", name))
            else:
                self._waiting.append((name, message))
        self._obey_waiting()

    def _obey_waiting(self) -> None:
        """One change of a program at a time, in the order they were asked for."""
        for _ in range(len(self._waiting)):
            name, message = self._waiting.popleft()
            if self.tracers[name].ways.changing:
                self._waiting.append((name, message))
            else:
                self._change(name, message)

    def _change(self, name: str, message: stream.Control) -> None:
        tracer = self.tracers[name]
        try:
            match message:
                case stream.SetCapture(text):
                    tracer.set_capture(text)
                    self.captures[name] = text
                case stream.Retune():
                    tracer.ways.retune(message)
                case stream.Compare(seconds):
                    tracer.ways.compare(seconds)
        except (FilterError, ValueError, CannotTrace) as e:
            self.out.put(stream.Notice("error", str(e), name))
            return
        self.out.put(tracer.state(self.captures[name]))

    def _tell(self, tracer: Tracer) -> None:
        """What came of its changes."""
        for message in tracer.ways.news:
            self.out.put(message)
            if not isinstance(message, stream.Notice):
                self.out.put(tracer.state(self.captures[tracer.program]))
        tracer.ways.news.clear()

    def _signalled(self, number: int, frame: object) -> None:
        self._reason = f"stopped by {signal.Signals(number).name}"


def collect(options: CollectorOptions) -> int:
    """Run a collector on standard input and output; its exit status. Raises CannotTrace."""
    if not privilege.may_load():
        why = "loading BPF programs needs root, or the capabilities CAP_BPF and CAP_PERFMON"
        raise CannotTrace("cannot trace", why, "Run it as root: sudo ringtop …")
    privilege.clean_environment()
    return Collector(options, 0, 1).run()

"""The collector's loop: it drains the transports, writes the stream and obeys control messages until it is stopped."""

from __future__ import annotations

import os
import resource
import select
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from ringtop.bpf import stream
from ringtop.bpf.change.background import Background
from ringtop.bpf.collector.controls import Controls
from ringtop.bpf.collector.costs import Costing
from ringtop.bpf.collector.following import Following
from ringtop.bpf.collector.groups import Groups
from ringtop.bpf.collector.loading import Loading
from ringtop.bpf.collector.outbox import Outbox
from ringtop.bpf.collector.rounds import cut
from ringtop.bpf.collector.tracer import TICK_NS, Tracer
from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.common.threads import side_by_side
from ringtop.bpf.kernel.features import online_cpus
from ringtop.bpf.ledger.audit import Audit

STATS_NS = 1_000_000_000
_BEAT_S = 1.0
"""Most seconds without a message: a reader takes a longer silence for a collector that hangs."""
_FIRST_TICK_NS = 10_000_000
"""Nanoseconds to the first drain. Each of the next waits twice as long, up to ``TICK_NS``: the first events are shown
soon after the start."""


def wall_offset_ns() -> int:
    """Wall clock minus monotonic clock in nanoseconds: the monotonic clock is read before and after the wall clock."""
    before = now_ns()
    wall = time.time_ns()
    return wall - (before + now_ns()) // 2


class Collector:
    """Reads control messages from *control_fd* and writes the stream of ``tracers`` to *out*. *following* knows whose
    events are wanted. Events are put in time order within *merge_ms*. *costing* measures what ringtop costs, *groups*
    knows control groups by name."""

    def __init__(
        self, out: Outbox, control_fd: int, following: Following, merge_ms: int, costing: Costing, groups: Groups
    ) -> None:
        self.out = out
        self.tracers: dict[str, Tracer] = {}
        """Tracers by program; all that are to run are entered before ``run``."""
        self._following = following
        self._window_ns = merge_ms * 1_000_000
        self._costing = costing
        self.groups = groups
        self._controls = Controls(control_fd, self.tracers, out.put, self.stop, self._measure, following)
        self._epoll = select.epoll()
        self._reason = ""
        self.abandoned = False
        """Whether a program is being loaded, or was when the collector was stopped."""
        self.unread = False
        """Whether the reader of the stream is gone."""
        self._awake, self.wake_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        """A write to ``wake_fd`` wakes the loop: it is for signal handlers, which call ``stop``."""
        self._epoll.register(self._awake, select.EPOLLIN)
        with suppress(PermissionError):  # a file or /dev/null: no control messages come
            self._epoll.register(self._controls.fd, select.EPOLLIN)

    def stop(self, reason: str) -> None:
        """End the loop. Only the first *reason* is kept."""
        self._reason = self._reason or reason

    def wait_for(self, loading: Loading, progress: stream.Progress) -> bool:
        """Read control messages, which ``run`` obeys later, and tell the *progress* again and again, until *loading* is
        over. Returns False when the collector was stopped before that."""
        self.abandoned = True
        self._epoll.register(loading.over_fd, select.EPOLLIN)
        ready: set[int] = set()
        while not self._reason and loading.over_fd not in ready:
            ready = {fd for fd, _ in self._epoll.poll(_BEAT_S)}
            self._hear(ready)
            if not ready:
                self.out.put(progress)
        self._epoll.unregister(loading.over_fd)
        self.abandoned = bool(self._reason)
        return not self.abandoned

    def run(self) -> None:
        """Collect until something calls ``stop``. Then detach and drain everything, and report it. Raises
        BrokenPipeError and CannotWrite."""
        for tracer in self.tracers.values():
            tracer.ways.watch(self._epoll)
        self._controls.obey_early()
        self._loop()
        self._detach()
        self._stats(self._drain(audit=True, last=True))
        self._costing.ask(False)
        self.out.put(stream.End(self._reason))

    def close(self) -> None:
        """Free all buffers and take the programs out of the kernel."""
        for tracer in self.tracers.values():
            tracer.close()
        self._epoll.close()
        os.close(self._awake)
        os.close(self.wake_fd)

    def _loop(self) -> None:
        now = time.monotonic_ns()
        tick = _FIRST_TICK_NS
        next_drain, next_stats = now + tick, now + STATS_NS
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
            self._hear(ready)
            if self.out.fd in ready:
                self.out.flush()
            woken = [tracer.ways.woken(ready) for tracer in self.tracers.values()]
            audits: Mapping[str, Audit] = {}
            if any(woken) or now >= min(next_drain, next_stats):
                # While the outbox is full draining is paused: the kernel drops and counts what finds no room.
                audits = {} if self.out.full else self._drain(audit=now >= next_stats)
                self._controls.obey_waiting()
                patience = TICK_NS if self.out.full else min(t.patience_ns for t in self.tracers.values())
                next_drain, tick = now + min(patience, tick), min(2 * tick, TICK_NS)
            if now >= next_stats:
                self._controls.new_second()
                self._stats(audits)
                self._following.exclude_own()
                for name in self._following.ended():
                    self.out.put(stream.Notice("info", f"{name} has ended; what it started is followed further"))
                if news := self._following.group_news():
                    self.out.put(stream.Notice("info", news))
                for tracer in self.tracers.values():
                    tracer.follow_cpus(online_cpus())
                next_stats = now + STATS_NS

    def _hear(self, ready: set[int]) -> None:
        """Read what woke the loop: control messages, and the numbers of signals, whose handlers have run."""
        if self._awake in ready:
            os.read(self._awake, 512)
        if self._controls.fd in ready:
            self._controls.read()

    def _detach(self) -> None:
        """Detach all programs, which takes some of the kernel's grace periods."""
        detaching = Background(partial(side_by_side, [tracer.stop for tracer in self.tracers.values()]))
        while not detaching.wait(_BEAT_S):
            self.out.put(stream.Progress("", "detaching"))
        detaching.result()

    def _drain(self, audit: bool, last: bool = False) -> dict[str, Audit]:
        """Write one round of events. Returns the audits that were asked for, by program."""
        before = now_ns() - (0 if last else self._window_ns)
        drained = {program: tracer.drain(before, audit) for program, tracer in self.tracers.items()}
        drained_ns = now_ns()
        for one in drained.values():
            self._costing.saw(one.batch)
        for told in self.groups.news(one.batch for one in drained.values()):
            self.out.put(told)
        for edge, parts in cut([one.batch for one in drained.values()], before):
            rows = [stream.rows(part) for part in parts if len(part)]
            if rows:
                self.out.put(stream.Round(edge, drained_ns, rows))
        self._tell()
        return {program: one.audit for program, one in drained.items() if one.audit is not None}

    def _stats(self, audits: Mapping[str, Audit]) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        self.out.put(
            stream.Stats(
                ts_ns=now_ns(),
                wall_offset_ns=wall_offset_ns(),
                programs=[part for program, t in self.tracers.items() for part in t.stats(audits.get(program))],
                cpu_ns=int((usage.ru_utime + usage.ru_stime) * 1e9),
                rss_bytes=resident,
            )
        )
        if self._costing.asked:
            self._tell_costs()
        self._tell()

    def _measure(self, on: bool) -> None:
        self._costing.ask(on)
        if on:
            self._tell_costs()

    def _tell_costs(self) -> None:
        self.out.put(
            self._costing.costs((t.loaded for t in self.tracers.values()), self._following.hooks | self.groups.hooks)
        )

    def _tell(self) -> None:
        """Write the results of changes."""
        for tracer in self.tracers.values():
            for message in tracer.changes.news:
                self.out.put(message)
                if not isinstance(message, stream.Notice):
                    self.out.put(tracer.state)
            tracer.changes.news.clear()

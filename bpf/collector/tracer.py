"""One program at work: it is loaded, its events are drained, and its ledger is kept."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import NamedTuple

from ringtop.bpf.change.capture import CaptureInForce, capture_filter
from ringtop.bpf.change.changes import Changes
from ringtop.bpf.change.cpus import Cpus
from ringtop.bpf.change.ways import Open, Ways
from ringtop.bpf.collector.identify import resolve, without_root_group
from ringtop.bpf.collector.order import InOrder
from ringtop.bpf.collector.report import report
from ringtop.bpf.collector.trial import delete_something, judge
from ringtop.bpf.common import sizes
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.event.batch import Batch, concat
from ringtop.bpf.event.culprit import blamed
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import Rung
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.kernel.marks import ALL, HOST, Scope
from ringtop.bpf.kernel.newgroup import refused
from ringtop.bpf.ledger.audit import Audit
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.stream import ProgramStats, State
from ringtop.bpf.transport.setting import Setting

TICK_NS = 100_000_000
"""Nanoseconds between drains at the most, whatever the wakeup mode."""
_CHANGE_NS = 1_000_000
"""Nanoseconds between drains during a change, so that it ends soon."""


class Drained(NamedTuple):
    """The result of a drain."""

    batch: Batch
    """The events that are due, in time order."""
    audit: Audit | None
    """The audit for the stats; None unless it was asked for."""


class Tracer:
    """A program in the kernel with its readers, set up by *options* but not attached. *transport* is the one to begin
    with, *open* opens its buffers, *online* are the CPUs that are online, *scope* is whose events are wanted. Raises
    CannotTrace when the buffers cannot be opened, and FilterError."""

    def __init__(
        self,
        loaded: Loaded,
        kernel: Kernel,
        options: CollectorOptions,
        transport: Transport,
        online: list[int],
        open: Open,
        scope: Scope = HOST,
    ) -> None:
        self.program = loaded.program
        self.loaded, self._kernel = loaded, kernel
        self._silent = kernel.silent_perf
        self._only_unified = bool(kernel.hierarchy.controller) and not (self.rung.knows_groups and kernel.controller)
        self._min_us = options.min_us
        self._window_ns = options.merge_ms * 1_000_000
        self._order = InOrder(self.program)
        self._damaged = 0
        """Damaged records that were already reported."""
        self._check(scope)
        capture = replace(self._filter(options.capture), scope=scope)
        setting = Setting(transport, options.buffer or sizes.DEFAULT[transport], options.wakeup)
        self.ways = Ways(open, setting, loaded.counters())
        try:
            self.ways.used.reader.install(loaded.map_fd(transport))
        except OSError as e:
            self.ways.close(self.ways.used)
            raise setting.refused(self.program, e) from e
        self.changes = Changes(loaded, self.ways, capture, options.buffer, kernel.no_ringbuf)
        self.cpus = Cpus(loaded, self.ways, online, self.changes.tell)

    @property
    def rung(self) -> Rung:
        """The rung by which it is attached."""
        return self.loaded.rung

    def _filter(self, text: str) -> CaptureInForce:
        return capture_filter(text, SCHEMAS[self.program], self.loaded.rung.knows, self._min_us)

    def set_capture(self, text: str) -> None:
        """Replace the capture filter. Raises FilterError and leaves the old one in force."""
        self.changes.set_capture(replace(self._filter(text), scope=self.changes.capture.scope))

    def set_scope(self, scope: Scope) -> None:
        """Replace whose events are wanted. Raises CannotTrace."""
        self._check(scope)
        self.changes.set_capture(replace(self.changes.capture, scope=scope))

    def _check(self, scope: Scope) -> None:
        if scope.cgroup and not self.rung.knows_groups:
            raise refused(f"{self.program} does not know control groups by the hook {self.rung.name}")

    def follow_cpus(self, online: list[int]) -> None:
        """Match the perf buffers to the CPUs that are *online* now. During a change this waits for a later call."""
        if not self.changes.changing:
            self.cpus.follow(online)

    def prove(self) -> None:
        """Try a doubtful rung: make sure that it reports what happens, ringtop's own deletions included, before its
        events are shown and counted. Raises CannotTrace."""
        if not self.rung.doubtful:
            return
        capture = self.changes.capture
        mine = self._filter("" if self._kernel.inner_pids else f"pid={os.getpid()}")
        self.changes.set_capture(replace(mine, scope=ALL))
        self.loaded.attach()
        deleted = delete_something()
        self.loaded.detach()
        judge(deleted, self.ways.used.reader.drain().batch)
        self.loaded.forget()
        self.changes.set_capture(capture)

    def attach(self) -> None:
        """Attach the program: from now on events flow. Raises CannotTrace."""
        self.loaded.attach()
        if not self._kernel.inner_pids:  # else the ids in /proc name other processes
            self.loaded.know_parents()

    def drain(self, before_ns: int, audit: bool = False) -> Drained:
        """The events stamped before *before_ns* (about now), in time order. All events that arrived are entered in the
        ledger.

        For an *audit* the kernel's counters are read before the buffers. Every event that they report as emitted has
        then been received or dropped, except those just being written; events received beyond the counters are known by
        their sequence numbers.
        """
        complete = self.changes.step()
        counters = self.loaded.counters() if audit or complete or self._silent else None
        audited = Audit(counters) if counters is not None and (audit or self._silent) else None
        batches = []
        for way in self.ways:
            batch = way.drain()
            if way.copies:
                continue
            batches.append(batch)
            self.changes.saw(way, batch.rows)
            if audited is not None:
                audited.saw(way.transport, batch.rows)
        if audited is not None and self._silent:
            self.loaded.unreported += audited.find_unreported(self.ways.ledger)
        if counters is not None and complete:
            self.changes.finish(counters)
        arrived = blamed(concat(self.program, batches))
        if self._only_unified:
            arrived = without_root_group(arrived)
        due = self._order.push(arrived if self._kernel.inner_pids else resolve(arrived), before_ns)
        return Drained(due, audited if audit else None)

    @property
    def patience_ns(self) -> int:
        """Nanoseconds that the next drain may wait if the kernel does not ask for it.

        The kernel asks only when a buffer becomes half full (timer) or gets its first event (the other modes). A buffer
        that was already past that mark when the last drain ended causes no wakeup, so it is drained at once.
        """
        if self.changes.changing:
            return _CHANGE_NS
        if self.ways.due:
            return 0
        return self._window_ns if self._order.holding and self.ways.used.setting.wakeup != "timer" else TICK_NS

    def stop(self) -> None:
        """Detach: nothing is emitted any more. A drain completes the change that was under way."""
        self.changes.settle()
        self.loaded.detach()

    def close(self) -> None:
        """Free the buffers and take the program out of the kernel."""
        self.changes.settle()
        for way in list(self.ways):
            self.ways.close(way)
        self.loaded.close()

    @property
    def state(self) -> State:
        """The state that is reported to the user."""
        setting = self.ways.used.setting
        return State(
            program=self.program,
            state="running",
            transport=setting.transport,
            hook=self.loaded.hook,
            without=self.loaded.without,
            tried=self.loaded.tried,
            loader=self.loaded.loader,
            no_core=self.loaded.no_core,
            buffer_bytes=setting.buffer,
            wakeup=setting.wakeup,
            capture=self.changes.capture.text,
            min_us=self.changes.capture.min_us,
            scope=self.changes.capture.scope.text,
            follows=list(self.changes.capture.scope.pids),
            cgroup=self.changes.capture.scope.cgroup,
            comparing=self.changes.comparing,
        )

    def stats(self, audit: Audit | None = None) -> list[ProgramStats]:
        """The ledgers of its transports, by the *audit* of the last drain; without an audit, as they are now."""
        counters = audit.counters if audit is not None else self.loaded.counters()
        damaged = sum(side.damaged for side in self.ways.ledger.by.values())
        if damaged > self._damaged:
            self.changes.tell("warning", f"{damaged - self._damaged:,} damaged records in a buffer were skipped")
            self._damaged = damaged
        missed, late = self.loaded.missed(), self._order.late
        return report(self.program, self.ways, self.cpus.online, counters, audit, missed, late, self.loaded.waits())

"""The privileged process from start to end: it loads the programs, gives up root, and collects."""

from __future__ import annotations

import gc
import os
import platform
import signal
import sys
from contextlib import suppress
from functools import partial

from ringtop.bpf import VERSION, stream
from ringtop.bpf.collector.collector import Collector, wall_offset_ns
from ringtop.bpf.collector.costs import Costing
from ringtop.bpf.collector.following import Following
from ringtop.bpf.collector.groups import Groups
from ringtop.bpf.collector.helper import Helper
from ringtop.bpf.collector.loading import Loading, scratch
from ringtop.bpf.collector.outbox import CannotWrite, Outbox
from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.common import privilege, signals
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.kernel import leftovers
from ringtop.bpf.kernel.features import Kernel, ensure_tracefs, online_cpus
from ringtop.bpf.kernel.limits import allow_files
from ringtop.bpf.kernel.marks import Marks
from ringtop.bpf.kernel.probe import no_perf_buffers
from ringtop.bpf.options.collector import CollectorOptions


def collect(options: CollectorOptions, kernel: Kernel) -> int:
    """Run a collector on standard input and output. Returns the exit status. Raises CannotTrace when no program can
    run."""
    privilege.require()
    privilege.clean_environment()
    _keep_up()
    helper = Helper()
    helpers = {"helper": helper.pid} if helper.pid else {}
    own = [os.getpid(), *options.exclude, *helpers.values()]
    following = Following(kernel, Marks(kernel), own)
    costing = Costing(own, helpers, helper.count)
    groups = Groups(kernel.hierarchy.top, following.containers, kernel.inode_bits)
    collector = Collector(Outbox(1), 0, following, options.merge_ms, costing, groups)
    _stop_when_signalled(collector)
    try:
        status = _collect(collector, options, kernel, following)
    finally:
        signal.set_wakeup_fd(-1)
        if not collector.unread:
            collector.close()
        helper.close()
    if collector.abandoned or collector.unread:
        # A thread may be in the compiler, or wait for the kernel: an orderly exit would destroy it, or wait as well.
        os._exit(status)
    return status


def _keep_up() -> None:
    """A viewer that gives way to others may have started this process: it must drain in time all the same."""
    if os.getpriority(os.PRIO_PROCESS, 0) > 0:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, 0)


def _collect(collector: Collector, options: CollectorOptions, kernel: Kernel, following: Following) -> int:
    try:
        failed = _start(collector, options, kernel, following)
        gc.freeze()
        gc.enable()
        collector.run()
        _say_goodbye(collector.out)
        return 1 if failed else 0
    except BrokenPipeError:
        collector.unread = True  # the kernel removes the programs when this process ends
        return 0
    except CannotWrite as e:
        sys.stderr.write(f"ringtop: {e}\n")
        return 1


def _stop_when_signalled(collector: Collector) -> None:
    parent = os.getppid()

    def stop(number: int, frame: object) -> None:
        collector.stop(f"stopped by {signals.name(number)}")

    def look(number: int, frame: object) -> None:
        if os.getppid() != parent:
            collector.stop("the process that started it has ended")

    signal.set_wakeup_fd(collector.wake_fd, warn_on_full_buffer=False)
    for number in signals.ENDING:
        signal.signal(number, stop)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGCONT, look)
    privilege.told_of_parent()


def _say_goodbye(out: Outbox) -> None:
    """Write what is left to a slow reader, since nothing is attached any more. Another signal ends the process."""
    for number in signals.ENDING:
        signal.signal(number, signal.SIG_DFL)
    os.set_blocking(out.fd, True)
    out.flush()


def _start(collector: Collector, options: CollectorOptions, kernel: Kernel, following: Following) -> bool:
    """Load and attach all programs, and give up the privileges that only loading needs. Returns whether a program
    failed."""
    out = collector.out
    out.put(_hello(kernel, options.programs))
    _tell_what_is_missing(kernel, out)
    transport = _transport(options.transport, kernel, out)
    # A change of the buffers has the old and the new ones open.
    allow_files(0 if transport == "ringbuf" else 2 * len(options.programs) * len(online_cpus()))
    following.exclude_own()
    with suppress(CannotTrace):  # else origins are unknown
        following.marks.origins.attach(kernel)
    with suppress(CannotTrace):  # else control groups that are gone in a moment have no names
        collector.groups.watch(kernel)
    following.containers.read()
    if options.launched:
        following.launch(options.launched)
    elif options.follow:
        following.follow(options.follow)
    elif options.unit or options.container:
        following.follow_group(
            lambda find: find.unit(options.unit) if options.unit else find.container(options.container)
        )
    failures = _load_all(collector, kernel, options, transport, following)
    if collector.abandoned:
        return bool(failures)
    if not collector.tracers:
        raise failures[0]
    following.prepare()
    leftovers.release()
    privilege.drop(privilege.to_read_events())
    privilege.told_of_parent()
    no_perfbuf = no_perf_buffers()
    for tracer in collector.tracers.values():
        tracer.changes.no_perfbuf = no_perfbuf
    return bool(failures)


def _load_all(
    collector: Collector, kernel: Kernel, options: CollectorOptions, transport: Transport, following: Following
) -> list[CannotTrace]:
    """Load and attach the programs side by side, until the collector is stopped. Returns the errors of those that
    failed."""
    failures = []
    with scratch():
        loadings = {}
        how = options, transport, following.marks, following.scope
        progress = {program: stream.Progress(program, f"loading {program}") for program in options.programs}
        for program in options.programs:
            collector.out.put(progress[program])
            loadings[program] = Loading(partial(start_tracer, program, kernel, *how))
        for program, loading in loadings.items():
            if not collector.wait_for(loading, progress[program]):
                break
            try:
                collector.tracers[program] = tracer = loading.result()
            except CannotTrace as e:  # the other programs can still run
                collector.out.put(stream.State(program, "failed", transport=transport, reason=str(e)))
                failures.append(e)
            else:
                collector.out.put(tracer.state)
    return failures


def _hello(kernel: Kernel, programs: tuple[str, ...]) -> stream.Hello:
    return stream.Hello(
        host=platform.node(),
        kernel=kernel.release,
        arch=platform.machine(),
        version=VERSION,
        cpus=online_cpus(),
        programs=list(programs),
        pid=os.getpid(),
        wall_offset_ns=wall_offset_ns(),
        dtypes=stream.dtypes(),
        no_ringbuf=kernel.no_ringbuf,
    )


def _tell_what_is_missing(kernel: Kernel, out: Outbox) -> None:
    try:
        if ensure_tracefs():
            out.put(stream.Notice("info", "tracefs was not mounted; it is mounted now at /sys/kernel/tracing"))
    except CannotTrace as missing:
        out.put(stream.Notice("warning", str(missing)))  # raw tracepoints need none
    if kernel.inner_pids:
        unknown = "values that a hook does not know stay unknown, and ringtop's own events are shown"
        out.put(stream.Notice("warning", f"{kernel.inner_pids}: {unknown}"))


def _transport(wanted: str, kernel: Kernel, out: Outbox) -> Transport:
    match wanted:
        case "perfbuf":
            return "perfbuf"
        case "ringbuf" if kernel.no_ringbuf:
            cure = "Use --transport perfbuf, or auto, which then chooses perf buffers."
            raise CannotTrace("the ring buffer cannot be used", kernel.no_ringbuf, cure)
        case "auto" if kernel.no_ringbuf:
            out.put(stream.Notice("warning", f"{kernel.no_ringbuf}: perf buffers are used"))
            return "perfbuf"
    return "ringbuf"

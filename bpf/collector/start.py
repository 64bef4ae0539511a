"""Brings one program into the kernel, by the first rung of its ladder that works on this kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.filter import FilterError
from ringtop.bpf.kernel.features import Kernel, online_cpus
from ringtop.bpf.kernel.loader import load
from ringtop.bpf.options.collector import CollectorOptions


def load_tracer(
    program: str,
    kernel: Kernel,
    options: CollectorOptions,
    transport: Transport = "ringbuf",
    failed: Mapping[str, str] | None = None,
) -> Tracer:
    """Load *program* with its buffers, without attaching it. *failed* are the names of rungs that could not be
    attached, and why. Raises CannotTrace."""
    loaded = load(program, kernel, not kernel.no_ringbuf, options.emit, failed, options.loader, options.histogram)
    try:
        return Tracer(loaded, kernel, options, transport, online_cpus(), lambda setting: setting.open(program))
    except FilterError as e:
        loaded.close()
        cure = "`ringtop trace --help` lists the fields of a capture filter."
        raise CannotTrace(f"{program} cannot use this capture filter", str(e), cure) from e
    except CannotTrace:
        loaded.close()
        raise


def start_tracer(
    program: str, kernel: Kernel, options: CollectorOptions, transport: Transport = "ringbuf", own: Sequence[int] = ()
) -> Tracer:
    """Load and attach *program*: its events flow, except those of the processes *own*. Raises CannotTrace."""
    failed: dict[str, str] = {}
    while True:
        tracer = load_tracer(program, kernel, options, transport, failed)
        try:
            tracer.prove()
            tracer.exclude(own)
            tracer.attach()
        except CannotTrace as e:
            failed[tracer.rung.name] = e.why
            tracer.close()
        else:
            return tracer

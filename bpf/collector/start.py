"""Brings one program into the kernel, by the first rung of its ladder that works on this kernel."""

from __future__ import annotations

from collections.abc import Mapping

from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.filter import FilterError
from ringtop.bpf.kernel.features import Kernel, online_cpus
from ringtop.bpf.kernel.loader import load
from ringtop.bpf.kernel.marks import HOST, Marks, Scope
from ringtop.bpf.options.collector import CollectorOptions


def load_tracer(
    program: str,
    kernel: Kernel,
    options: CollectorOptions,
    transport: Transport = "ringbuf",
    failed: Mapping[str, str] | None = None,
    marks: Marks | None = None,
    scope: Scope = HOST,
) -> Tracer:
    """Load *program* with its buffers, without attaching it. *failed* are the names of rungs that could not be
    attached, and why. Raises CannotTrace."""
    how = options.emit, failed, options.loader, options.histogram, marks
    loaded = load(program, kernel, not kernel.no_ringbuf, *how)
    try:
        return Tracer(loaded, kernel, options, transport, online_cpus(), lambda setting: setting.open(program), scope)
    except FilterError as e:
        loaded.close()
        cure = "`ringtop trace --help` lists the fields of a capture filter."
        raise CannotTrace(f"{program} cannot use this capture filter", str(e), cure) from e
    except CannotTrace:
        loaded.close()
        raise


def start_tracer(
    program: str,
    kernel: Kernel,
    options: CollectorOptions,
    transport: Transport = "ringbuf",
    marks: Marks | None = None,
    scope: Scope = HOST,
) -> Tracer:
    """Load and attach *program*: the events flow of those whose *marks* are in the *scope*. Raises CannotTrace."""
    failed: dict[str, str] = {}
    while True:
        tracer = load_tracer(program, kernel, options, transport, failed, marks, scope)
        try:
            tracer.prove()
            tracer.attach()
        except CannotTrace as e:
            failed[tracer.rung.name] = e.why
            tracer.close()
        else:
            return tracer

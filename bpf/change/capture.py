"""The capture filter of a running program: the user's text, and the compiled form that the kernel side checks."""

from __future__ import annotations

from dataclasses import dataclass

from ringtop.bpf import filter as language
from ringtop.bpf.event.schema import Schema
from ringtop.bpf.filter.capture import Capture, compile_capture
from ringtop.bpf.kernel.marks import HOST, Scope
from ringtop.bpf.options.collector import MIN_US


@dataclass(frozen=True, slots=True)
class CaptureInForce:
    """A capture filter in both forms."""

    text: str
    """The filter as the user wrote it."""
    compiled: Capture
    """The filter as the kernel checks it."""
    min_us: int | None = None
    """runqslower's threshold besides the text, µs; None where the text alone decides and for other programs."""
    scope: Scope = HOST
    """Whose events the filter is asked about."""


def capture_filter(text: str, schema: Schema, knows: frozenset[str], min_us: int | None) -> CaptureInForce:
    """Compile *text* for a program whose hook knows the fields *knows*. *min_us* is the shortest wait, in microseconds,
    that runqslower reports. With None, the text's own condition on latency decides, or ``MIN_US`` if it has none.
    Raises FilterError."""
    expr = language.parse(text)  # parsed alone first, so that an error points into the user's text
    if expr is not None:
        compile_capture(expr, schema, knows)
    if min_us is None and not (expr is not None and language.mentions(expr, "latency")):
        min_us = MIN_US
    if "latency" not in schema:
        min_us = None
    terms = [f"latency>={min_us}us"] if min_us is not None else []
    terms += [f"({text})"] if text.strip() else []
    return CaptureInForce(text, compile_capture(language.parse(" and ".join(terms)), schema, knows), min_us)

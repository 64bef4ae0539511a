"""The capture filter of a program that runs: what the user wrote, and what its kernel side checks."""

from __future__ import annotations

from dataclasses import dataclass

from ringtop.bpf import filter as language
from ringtop.bpf.event.schema import Schema
from ringtop.bpf.filter.capture import Capture, compile_capture
from ringtop.bpf.options.collector import MIN_US


@dataclass(frozen=True, slots=True)
class CaptureInForce:
    """A capture filter."""

    text: str
    """As the user wrote it."""
    compiled: Capture
    """As the kernel checks it."""


def capture_filter(text: str, schema: Schema, knows: frozenset[str], min_us: int | None) -> CaptureInForce:
    """*text* for a program whose hook knows the fields *knows*. *min_us*: the shortest wait that runqslower reports;
    None for what the text says of latency, else ``MIN_US``. Raises FilterError."""
    expr = language.parse(text)  # so that an error points into what the user wrote
    if expr is not None:
        compile_capture(expr, schema, knows)
    if min_us is None and not (expr is not None and language.mentions(expr, "latency")):
        min_us = MIN_US
    terms = [f"latency>={min_us}us"] if "latency" in schema and min_us is not None else []
    terms += [f"({text})"] if text.strip() else []
    return CaptureInForce(text, compile_capture(language.parse(" and ".join(terms)), schema, knows))

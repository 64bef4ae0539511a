"""The schemas: one description for each program's events, from which they are decoded, filtered, drawn and written.

Everything here is plain data and needs no kernel. No other module knows the events of a particular program.
"""

from ringtop.bpf.event.schema.execsnoop import EXECSNOOP
from ringtop.bpf.event.schema.exitsnoop import EXITSNOOP
from ringtop.bpf.event.schema.field import AT_FDCWD, TEXTS, UNKNOWN, Column, Field, Kind, Tone
from ringtop.bpf.event.schema.runqslower import RUNQSLOWER
from ringtop.bpf.event.schema.schema import LineColumn, Schema
from ringtop.bpf.event.schema.unlinksnoop import UNLINKSNOOP

__all__ = [
    "AT_FDCWD",
    "EXECSNOOP",
    "EXITSNOOP",
    "RUNQSLOWER",
    "SCHEMAS",
    "TEXTS",
    "UNKNOWN",
    "UNLINKSNOOP",
    "Column",
    "Field",
    "Kind",
    "LineColumn",
    "Schema",
    "Tone",
    "usual",
]

SCHEMAS: dict[str, Schema] = {s.program: s for s in (RUNQSLOWER, EXECSNOOP, UNLINKSNOOP, EXITSNOOP)}
"""All programs, in the order in which they are shown."""


def usual() -> tuple[str, ...]:
    """Return the programs that run unless others are named."""
    return tuple(name for name, schema in SCHEMAS.items() if schema.usual)

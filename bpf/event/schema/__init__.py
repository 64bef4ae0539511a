"""What the events of each program look like, one description a program: to decode, filter, draw and write them.

Everything here is plain data. It needs no kernel, and nothing else of ringtop says anything of one program's events.
"""

from ringtop.bpf.event.schema.execsnoop import EXECSNOOP
from ringtop.bpf.event.schema.field import AT_FDCWD, UNKNOWN, Column, Field, Kind, Tone
from ringtop.bpf.event.schema.runqslower import RUNQSLOWER
from ringtop.bpf.event.schema.schema import LineColumn, Schema
from ringtop.bpf.event.schema.unlinksnoop import UNLINKSNOOP

__all__ = [
    "AT_FDCWD",
    "EXECSNOOP",
    "RUNQSLOWER",
    "SCHEMAS",
    "UNKNOWN",
    "UNLINKSNOOP",
    "Column",
    "Field",
    "Kind",
    "LineColumn",
    "Schema",
    "Tone",
]

SCHEMAS: dict[str, Schema] = {s.program: s for s in (RUNQSLOWER, EXECSNOOP, UNLINKSNOOP)}
"""All programs, in the order they are shown."""

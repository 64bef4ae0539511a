"""What is added up for each row: what the fields of a program's events imply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS, Field, Schema

ALL = "all"
"""In place of a program: the table across all programs."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known of each row. An event has one outcome: done, failed or searched."""

    done: tuple[str, ...]
    """Programs whose events are counted, each by itself."""
    across: bool
    """Of the table across programs; else there is one."""
    failures: bool
    searches: bool
    """Failed execs may be searches along PATH; and who starts what is of interest."""
    waits: bool
    """How long something took: total, longest, percentiles."""
    long_ns: int
    """What takes so long stands out."""
    preempted: bool
    commons: tuple[str, ...]
    """Parts of which the commonest value is kept."""

    @property
    def names(self) -> tuple[str, ...]:
        """All sums; first those that together make up the events of a row."""
        there = {"failed": self.failures, "searched": self.searches, "waited": self.waits, "preempted": self.preempted}
        return (*self.done, *(name for name, is_there in there.items() if is_there))

    @property
    def outcomes(self) -> int:
        """How many of the sums make up the events of a row."""
        return len(self.done) + self.failures + self.searches


def measures(program: str, programs: Iterable[str] = ()) -> Measures:
    """What the events of *program* tell; of ALL, those of *programs*."""
    across = program == ALL
    done = tuple(programs) if across else (program,)
    schemas = [SCHEMAS[name] for name in done]
    execs = any(map(searches, schemas))
    failures = any("ret" in schema for schema in schemas)
    commons = {
        "after": not across and "prev_comm" in schemas[0],
        "parent": not across and execs,
        "error": failures,
    }
    return Measures(
        done=done,
        across=across,
        failures=failures,
        searches=execs,
        waits=any(duration(schema) is not None for schema in schemas),
        long_ns=min(filter(None, map(_long_ns, schemas)), default=0),
        preempted=not across and "preempted" in schemas[0],
        commons=tuple(name for name, there in commons.items() if there),
    )


def searches(schema: Schema) -> bool:
    """Whether events are execs, whose failures may be a search along PATH."""
    return all(name in schema for name in ("filename", "argv", "ret"))


def duration(schema: Schema) -> Field | None:
    """The field that tells how long something took."""
    return next((field for field in schema.fields if field.kind == "duration"), None)


def _long_ns(schema: Schema) -> int:
    """From what on a duration stands out most; 0 where none does."""
    field = duration(schema)
    return field.levels[1] if field is not None and field.levels is not None else 0

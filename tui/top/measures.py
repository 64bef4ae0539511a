"""The measures of a table, which follow from the fields of its programs' events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS, Schema

ALL = "all"
"""In place of a program: the table across all programs."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The values that a table keeps for each row. Every event has one outcome: done, failed or searched."""

    done: tuple[str, ...]
    """Programs whose done events are counted, each in a sum of its own."""
    across: bool
    """Whether this is the table across programs; any other table has one program."""
    failures: bool
    searches: bool
    """Whether failed execs may be searches along PATH; such a table also keeps the parents."""
    waits: bool
    """Whether times waited are kept: total, longest, percentiles."""
    runs: bool
    """Whether the times that processes ran are kept: total and median."""
    long_ns: int
    """Durations from here on stand out, ns; 0 when none does."""
    preempted: bool
    commons: tuple[str, ...]
    """Parts of which the commonest value is kept."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all sums; first the outcomes, which add up to the events of a row."""
        there = {"failed": self.failures, "searched": self.searches, "waited": self.waits}
        there |= {"preempted": self.preempted, "ran": self.runs}
        return (*self.done, *(name for name, is_there in there.items() if is_there))

    @property
    def outcomes(self) -> int:
        """How many of the sums are outcomes."""
        return len(self.done) + self.failures + self.searches


def measures(program: str, programs: Iterable[str] = ()) -> Measures:
    """The measures of *program*; for ALL, the measures of the table across *programs*."""
    across = program == ALL
    done = tuple(programs) if across else (program,)
    schemas = [SCHEMAS[name] for name in done]
    execs = any(map(searches, schemas))
    failures = any(schema.outcome is not None for schema in schemas)
    commons = {
        "after": not across and "prev_comm" in schemas[0],
        "because": not across and "culprit_comm" in schemas[0],
        "parent": not across and execs,
        "error": failures,
    }
    return Measures(
        done=done,
        across=across,
        failures=failures,
        searches=execs,
        waits=any(schema.waits for schema in schemas),
        runs=not across and (bool(schemas[0].runs) or (execs and any(SCHEMAS[name].runs for name in programs))),
        long_ns=min(filter(None, map(_long_ns, schemas)), default=0),
        preempted=not across and "preempted" in schemas[0],
        commons=tuple(name for name, there in commons.items() if there),
    )


def searches(schema: Schema) -> bool:
    """Whether the events are execs, whose failures may be searches along PATH."""
    return all(name in schema for name in ("filename", "argv", "ret"))


def _long_ns(schema: Schema) -> int:
    """The upper level of the time waited, from which on waits stand out, ns; 0 when there is none."""
    levels = schema[schema.waits].levels if schema.waits else None
    return levels[1] if levels is not None else 0

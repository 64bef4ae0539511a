"""What is added up for each row: what the fields of a program's events imply."""

from __future__ import annotations

from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS, Schema

ALL = "all"
"""In place of a program: the table across all programs."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the events of a program are called."""

    done: str
    """What was done, as a column is called: 'started'."""
    many: str
    """'programs started'."""


_WORDS = {
    "runqslower": Words("waits", "waits"),
    "execsnoop": Words("started", "programs started"),
    "unlinksnoop": Words("deleted", "deletions"),
}


def words(program: str) -> Words:
    """Of *program*, or of ALL."""
    return _WORDS.get(program, Words("events", "events"))


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known of each row. An event has one outcome: done, failed or searched."""

    done: tuple[str, ...]
    """Programs whose events are counted, each by itself."""
    failures: bool
    searches: bool
    """Failed execs may be searches along PATH; and who starts what is of interest."""
    waits: bool
    """How long something took: total, longest, percentiles."""
    preempted: bool
    pids: bool
    """How many processes."""
    commons: tuple[str, ...]
    """Parts of which the commonest value is kept."""

    @property
    def outcomes(self) -> int:
        """Sums that together make up the events of a row; they come first."""
        return len(self.done) + 2

    @property
    def sums(self) -> int:
        """All sums: those, then the time waited and how many waits were of preempted tasks."""
        return self.outcomes + 2


def measures(program: str) -> Measures:
    """What the events of *program*, or of ALL, tell."""
    if program == ALL:
        return Measures(tuple(SCHEMAS), True, True, True, False, False, ("error",))
    schema = SCHEMAS[program]
    execs = searches(schema)
    failures = "ret" in schema
    commons = {"after": "prev_comm" in schema, "parent": execs, "error": failures}
    return Measures(
        done=(program,),
        failures=failures,
        searches=execs,
        waits=duration(schema) is not None,
        preempted="preempted" in schema,
        pids=True,
        commons=tuple(name for name, there in commons.items() if there),
    )


def searches(schema: Schema) -> bool:
    """Whether events are execs, whose failures may be a search along PATH."""
    return all(name in schema for name in ("filename", "argv", "ret"))


def duration(schema: Schema) -> str | None:
    """The field that tells how long something took."""
    return next((field.name for field in schema.fields if field.kind == "duration"), None)

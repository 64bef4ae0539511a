"""What a hook could not know is unknown everywhere: in a table, in JSON and CSV, and to a filter made from its cell."""

from __future__ import annotations

import csv
import json

import pytest

from ringtop.bpf import filter as language
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN, Field
from ringtop.tui.draw import cells
from ringtop.tui.lines.lines import writer
from ringtop.tui.model import completion
from ringtop.tui.text.format import UNKNOWN_TEXT
from tests.samples import make

IDS = [(s.program, f) for s in SCHEMAS.values() for f in s.fields if f.unknown is not None]


def sample(program: str, field: Field) -> Batch:
    """An event that does not know *field*, and one that does."""
    return make(program, [{field.name: field.unknown}, {field.name: 7}])  # type: ignore[dict-item]


def test_they_are_the_ids() -> None:
    known = {f.name: f.unknown for _, f in IDS}
    assert [known.pop(name) for name in ("cgroup", "age", "culprit_pid", "origin_pid", "start_ns")] == [0] * 5
    assert known == dict.fromkeys(("pid", "tid", "ppid", "uid", "prev_pid", "prev_tid"), UNKNOWN)


@pytest.mark.parametrize(("program", "field"), IDS, ids=lambda part: getattr(part, "name", part))
def test_what_is_unknown_is_so_everywhere(program: str, field: Field) -> None:
    batch = sample(program, field)
    shown = cells.column(batch, field, cells.Clock())
    text, number = ("7 ns", 0.007) if field.kind == "duration" else ("7", 7)
    assert [c.text for c in shown] == [UNKNOWN_TEXT, text]
    assert [batch.number(field.name, row) for row in (0, 1)] == [None, 7]
    told = [json.loads(line)[field.record_name] for line in writer("json", [program]).lines(batch, 0)]
    assert told == [None, number]
    lines = writer("csv", [program])
    rows = csv.DictReader([lines.header(), *lines.lines(batch, 0)])
    assert [row[field.record_name] for row in rows] == ["", str(number)]


@pytest.mark.parametrize(("program", "field"), IDS, ids=lambda part: getattr(part, "name", part))
def test_a_filter_to_an_unknown_cell_finds_its_row_and_no_other(program: str, field: Field) -> None:
    batch = sample(program, field)
    for row, value in enumerate((field.unknown, 7)):
        assert value is not None
        expr = language.parse(completion.equals(field, value, ""))
        assert language.match(expr, batch).tolist() == [row == 0, row == 1]

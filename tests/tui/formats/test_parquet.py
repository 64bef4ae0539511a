"""Parquet files hold the events and the ledger, with nothing lost and nothing invented."""

from __future__ import annotations

import errno
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringtop.bpf import stream
from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.cli.output_files import check
from ringtop.tui.formats.parquet import Parquet
from ringtop.tui.lines.part import Part, Told
from ringtop.tui.source.recording import Recorder
from tests.samples import batches
from tests.tui.cli.test_replay import EVENTS, REPLAY, events, replay, write
from tests.tui.cli.test_top import round_of
from tests.tui.source.recordings import SECOND, WALL, hello, stats_at
from tests.tui.top.events import deletions

OF_EACH = {"runqslower": 0, "execsnoop": 70, "unlinksnoop": 230}
"""The events that ``write`` records."""


class Memory(io.BytesIO):
    """A file that is still there once it was closed."""

    def close(self) -> None:
        """Leave it open."""


def tables(*parts: Part) -> dict[str, pq.ParquetFile]:
    """What is written of *parts*."""
    files = {part.batch.program: Memory() for part in parts}
    writer = Parquet(files)
    writer.put(parts)
    writer.close([Told(hello())])
    return {program: pq.ParquetFile(io.BytesIO(file.getvalue())) for program, file in files.items()}


def original(row: dict[str, Any], name: str) -> Any:
    """The bytes of a text, or of a list of them."""
    if row[f"{name}_bytes"] is not None:
        return row[f"{name}_bytes"]
    return [text.encode() for text in row[name]] if isinstance(row[name], list) else row[name].encode()


@settings(max_examples=50)
@given(batches(), st.integers(0, 1 << 60))
def test_nothing_is_lost(batch: Batch, offset: int) -> None:
    table = tables(Part(batch, offset))[batch.program].read()
    order = np.argsort(batch.rows["ts"], kind="stable")
    rows, raw = table.drop_columns("time").to_pylist(), batch.rows[order]
    assert len(rows) == len(raw)
    assert table["time"].cast(pa.int64()).to_pylist() == (raw["ts"].astype(np.int64) + offset).tolist()
    texts = {f.name: batch.text(f.name) for f in batch.schema.fields if f.kind in ("comm", "name", "path", "args")}
    for at, row, own in zip(order.tolist(), rows, raw, strict=True):
        assert row["ts_ns"] == own["ts"]
        for field in map(batch.schema.__getitem__, batch.schema.json):
            name = field.name
            if field.kind in ("comm", "name", "path"):
                assert original(row, name) == texts[name][at]
            elif field.kind == "args":
                assert original(row, name) == split_args(texts[name][at], int(own[field.count]))
            elif field.kind == "bool":
                assert row[name] is bool(own[name])
            elif field.kind == "duration":
                assert row[f"{name}_ns"] == (None if own[name] == field.unknown else own[name])
            elif field.kind == "enum":
                assert row[name] == (field.words[own[name]] if own[name] < len(field.words) else str(own[name]))
            elif field.kind != "time":
                assert row[name] == (None if own[field.part] == field.unknown else own[field.part])
        if "ret" in batch.schema:
            assert row["errno"] == errno.errorcode.get(-int(own["ret"]))


@pytest.mark.parametrize("program", SCHEMAS)
def test_each_field_has_its_own_type(program: str) -> None:
    """Checked by what any engine sees, without the types that only Arrow has."""
    empty = Batch(program, np.empty(0, SCHEMAS[program].dtype), b"")
    written = tables(Part(empty, WALL))[program].schema
    types = {name: column.logical_type.type for name, column in zip(written.names, written, strict=True)}
    assert types["time"] == "TIMESTAMP"
    assert {types[name] for name in ("ts_ns", "pid", "cpu", "uid")} == {"INT"}
    assert types["comm"] == "STRING"
    physical = {name: column.physical_type for name, column in zip(written.names, written, strict=True)}
    assert (physical["pid"], physical["ts_ns"]) == ("INT32", "INT64")
    assert (physical["late"], physical["comm_bytes"]) == ("BOOLEAN", "BYTE_ARRAY")


@pytest.mark.slow
def test_a_replay_fills_a_file_for_each_program(tmp_path: Path) -> None:
    file = write(tmp_path / "a.ringtop", lost=1207)
    replay(file, "--format", "parquet", "--output", tmp_path / "out.parquet", "--summary", tmp_path / "sum")
    ledger = json.loads((tmp_path / "sum").read_text())
    told = events(file)
    for program, count in OF_EACH.items():
        table = pq.read_table(tmp_path / f"out.{program}.parquet")
        assert table.num_rows == count
        assert table["ts_ns"].to_pylist() == [e["ts_ns"] for e in told if e["program"] == program]
        about = json.loads(pq.read_metadata(tmp_path / f"out.{program}.parquet").metadata[b"ringtop"])
        assert about["program"] == program
        assert about["streams"] == [
            {"host": "web-1", "kernel": "6.1", "version": "1", "damage": "", "ledger": ledger.get(program)}
        ]
    assert ledger["unlinksnoop"]["dropped"]["full"] == 1207


@pytest.mark.slow
def test_filters_times_and_counts_choose_as_for_lines(tmp_path: Path) -> None:
    file, other = write(tmp_path / "a.ringtop"), write(tmp_path / "b.ringtop", shift_ns=SECOND // 2)
    asked = "--filter", "ret<0", "--since", "2s", "--count", "23"
    replay(file, other, *asked, "--format", "parquet", "--output", tmp_path / "o.parquet")
    table = pq.read_table(tmp_path / "o.execsnoop.parquet")
    assert table["ts_ns"].to_pylist() == [e["ts_ns"] for e in events(file, other, *asked)]
    assert table.num_rows == 23
    assert table["errno"].unique().to_pylist() == ["ENOENT"]


@pytest.mark.slow
def test_memory_is_bounded_by_row_groups(tmp_path: Path) -> None:
    rows, at_once = 100_000, 10_000
    with Recorder(tmp_path / "a.ringtop") as recorder:
        recorder.write(hello())
        for second in range(rows // at_once):
            recorder.write(round_of(second, deletions([b"/tmp/x"] * at_once)))
        recorder.write(stats_at(20))
        recorder.write(stream.End("done"))
    replay(tmp_path / "a.ringtop", "--format", "parquet", "--output", tmp_path / "o.parquet")
    about = pq.read_metadata(tmp_path / "o.unlinksnoop.parquet")
    groups = [about.row_group(i).num_rows for i in range(about.num_row_groups)]
    assert sum(groups) == rows
    assert len(groups) > 1
    assert max(groups) < 80_000


@pytest.mark.slow
def test_a_single_program_may_go_to_a_pipe(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.ringtop") as recorder:
        recorder.write(msgspec.structs.replace(hello(), programs=["unlinksnoop"]))
        recorder.write(round_of(1, deletions([b"/tmp/\xff"] * 23)))
        recorder.write(stream.End("done"))
    command = [*REPLAY, str(tmp_path / "a.ringtop"), "--format", "parquet"]
    piped = subprocess.run(command, capture_output=True, check=True).stdout
    table = pq.read_table(io.BytesIO(piped))
    assert table["full"].unique().to_pylist() == ["/tmp/\ufffd"]
    assert table["full_bytes"].unique().to_pylist() == [b"/tmp/\xff"]
    with Path("/dev/full").open("w") as full:
        failed = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert failed.returncode == 1
    assert "No space left on device. A Parquet file without its end cannot be read." in failed.stderr


@pytest.mark.slow
def test_damage_is_told_in_the_file(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.ringtop").read_bytes()
    (tmp_path / "cut.ringtop").write_bytes(whole[:-8])
    replay(tmp_path / "cut.ringtop", "--format", "parquet", "--output", tmp_path / "o.parquet", status=1)
    about = json.loads(pq.read_metadata(tmp_path / "o.execsnoop.parquet").metadata[b"ringtop"])
    assert "read up to byte" in about["streams"][0]["damage"]


@pytest.mark.slow
def test_events_of_a_program_that_was_not_announced_end_it(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.ringtop") as recorder:
        recorder.write(msgspec.structs.replace(hello(), programs=["execsnoop", "../../nowhere"]))
        recorder.write(round_of(1, deletions([b"/tmp/x"])))
        recorder.write(stream.End("done"))
    asked = tmp_path / "a.ringtop", "--format", "parquet", "--output", tmp_path / "o.parquet"
    assert "a recording has events of unlinksnoop, which it did not announce" in replay(*asked, status=1)


@pytest.mark.slow
def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    file = write(tmp_path / "a.ringtop")
    assert "a file for each program" in replay(file, "--format", "parquet", status=2)
    assert "--output is for parquet" in replay(file, "--format", "json", "--output", tmp_path / "x", status=2)
    (tmp_path / "o.execsnoop.parquet").write_text("precious")
    asked = file, "--format", "parquet", "--output", tmp_path / "o.parquet"
    assert "o.execsnoop.parquet cannot be written: exists already" in replay(*asked, status=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ringtop", "o.execsnoop.parquet"]
    assert (tmp_path / "o.execsnoop.parquet").read_text() == "precious"
    assert events(file)[EVENTS - 1]


def test_a_launched_command_does_not_print_into_the_file() -> None:
    with pytest.raises(click.UsageError, match="what the command prints would be in the parquet file, too"):
        check("parquet", None, launching=True)


@pytest.mark.parametrize("output", ["", ".", "/", ".."])
def test_an_output_without_a_name_is_refused(output: str) -> None:
    with pytest.raises(click.UsageError, match="names no file"):
        check("parquet", output)


@pytest.mark.slow
def test_a_missing_library_is_named_with_its_cure(tmp_path: Path) -> None:
    without = "import sys; sys.modules['pyarrow'] = None; from ringtop.tui.cli.main import main; main()"
    words = "trace", "execsnoop", "--format", "parquet", "--output", str(tmp_path / "o.parquet")
    failed = subprocess.run([sys.executable, "-c", without, *words], capture_output=True, text=True)
    assert failed.returncode == 3
    assert failed.stderr.endswith(f"To install it: {sys.executable} -m pip install 'ringtop[parquet]'\n")
    assert not list(tmp_path.iterdir())

"""A Perfetto trace has the waits, execs, deletions and losses of a recording, at their times."""

from __future__ import annotations

import os
import pty
import subprocess
from dataclasses import replace as changed
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.formats import packets
from ringtop.tui.formats.perfetto import Perfetto
from ringtop.tui.lines.part import Part, Told
from tests.samples import batches, make
from tests.tui.cli.test_replay import EVENTS, REPLAY, events, replay, write
from tests.tui.cli.test_top import ledger
from tests.tui.formats.test_parquet import Memory
from tests.tui.formats.traces import Trace, overlapping, trace
from tests.tui.source.recordings import SECOND, START, WALL, hello
from tests.tui.top.events import MS, execs, waits

MS_100 = 100 * MS


def traced(*parts: Part, programs: tuple[str, ...] = tuple(SCHEMAS)) -> Trace:
    """What is written of *parts*."""
    file = Memory()
    writer = Perfetto({"": file})
    writer.hear(stream.Hello("h", "6.1", "x86_64", "1", [0, 1], list(programs), 7, WALL, {}))
    writer.put(parts)
    writer.close([Told(hello())])
    return trace(file.getvalue())


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, MS_100), st.integers(1, 9)), max_size=40))
def test_waits_are_slices_that_do_not_overlap(drawn: list[tuple[int, int, int]]) -> None:
    drawn.sort(key=lambda one: one[1])
    waits = [
        {"ts": START + at, "cpu": cpu, "latency": ms * MS, "pid": i + 1, "comm": b"cc1", "prev_comm": b"make"}
        for i, (cpu, at, ms) in enumerate(drawn)
    ]
    bars = traced(Part(make("runqslower", waits), WALL)).of("runqslower")
    found = sorted((b.begin, b.end, b.track.name, b.name, b.fields["pid"], b.fields["prev_comm"]) for b in bars)
    ends = [(w["ts"] + WALL, w) for w in waits]  # type: ignore[operator]
    assert found == sorted((e - w["latency"], e, f"CPU {w['cpu']}", "cc1", w["pid"], "make") for e, w in ends)  # type: ignore[operator]
    assert not overlapping(bars)


def test_as_many_tracks_as_tasks_wait_at_once() -> None:
    waits = [{"ts": START + i * MS, "latency": (i * 7 % 5) * MS + 1, "pid": i} for i in range(100)]
    bars = traced(Part(make("runqslower", waits), WALL)).of("runqslower")
    at_once = max(sum(b.begin <= bar.begin < (b.end or 0) for b in bars) for bar in bars)
    assert len({bar.track.uuid for bar in bars}) == at_once > 2


@settings(max_examples=50)
@given(batches(), st.integers(0, 1 << 60))
def test_every_event_is_there_whatever_it_holds(batch: Batch, offset: int) -> None:
    bars = traced(Part(batch, offset)).of(batch.program)
    assert sorted(b.begin if b.end is None else b.end for b in bars) == sorted((batch.rows["ts"] + offset).tolist())


def test_packets_are_written_before_many_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none is written that is not complete."""
    parts = Part(make("execsnoop", execs(b"/bin/a", count=23)), WALL), Part(waits(b"cc1", [MS] * 23), WALL)
    at_once = traced(*parts)
    monkeypatch.setattr(packets, "_HELD", 3)
    assert traced(*parts) == at_once


@pytest.mark.slow
def test_a_recording(tmp_path: Path) -> None:
    file = write(tmp_path / "a.ringtop", lost=1207)
    replay(file, "--format", "perfetto", "--output", tmp_path / "o.pftrace")
    found = trace((tmp_path / "o.pftrace").read_bytes())
    told = events(file)
    assert len(found.of("execsnoop")) + len(found.of("unlinksnoop")) == EVENTS == len(told)
    for program in ("execsnoop", "unlinksnoop"):
        assert [b.begin - WALL for b in found.of(program)] == [e["ts_ns"] for e in told if e["program"] == program]
    failed = [bar for bar in found.of("execsnoop") if "errno" in bar.fields]
    assert {(bar.name, bar.fields["errno"], bar.end) for bar in failed} == {("gone: ENOENT", "ENOENT", None)}
    assert len(failed) == 20
    deleted = found.of("unlinksnoop")
    assert {bar.track.process.process_name for bar in deleted} == {"rm"}
    assert {bar.name for bar in deleted} == {f"unlink /tmp/{i}" for i in range(23)}
    lost = [bar for bar in found.bars if found.lost(bar)]
    assert sum(bar.fields.get("lost", 0) for bar in lost) == 1207
    assert [bar.fields["dropped"] for bar in lost if "dropped" in bar.fields] == [1207]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> str:
    """A program that tells of the ends of processes, and for how long they ran."""
    waits = SCHEMAS["runqslower"]
    monkeypatch.setitem(SCHEMAS, "ends", changed(waits, program="ends", waits="", runs="latency"))
    return "ends"


def test_execs_reach_to_the_ends_of_their_processes(ends: str) -> None:
    """An exec whose end is known is one slice with its end; an end whose exec is not known is one by itself."""
    started = [{**execs(b"/bin/a", ts=START)[0], "pid": pid} for pid in (1, 2, 3)]
    started += [{**execs(b"/bin/b", ts=START + SECOND)[0], "pid": 1}]
    ended = [
        {"ts": START + 3 * SECOND, "latency": 2 * SECOND - 1000, "pid": 1, "comm": b"b"},
        {"ts": START + 3 * SECOND, "latency": SECOND, "pid": 2, "comm": b"later"},
        {"ts": START + 3 * SECOND, "latency": SECOND, "pid": 9, "comm": b"forked"},
    ]
    parts = Part(make("execsnoop", started), WALL), Part(make(ends, ended), WALL)
    found = traced(*parts, programs=("execsnoop", ends))
    bars = {
        (b.track.process.pid, b.name, (b.begin - WALL - START) / SECOND, b.end and (b.end - WALL - START) / SECOND)
        for b in found.bars
    }
    assert bars == {
        (1, "a", 0, None),  # it became b
        (1, "b", 1, 3),
        (2, "a", 0, None),  # its end was lost, and the id given again
        (2, "later", 2, 3),
        (3, "a", 0, None),  # it still runs
        (9, "forked", 2, 3),
    }
    assert not overlapping([bar for bar in found.bars if bar.end])


def test_a_collector_that_was_started_again_counts_from_0(ends: str) -> None:
    file = Memory()
    writer = Perfetto({"": file})
    for lost in (23, 7):
        writer.hear(msgspec.structs.replace(hello(), programs=["execsnoop", ends]))
        writer.put([Part(make("execsnoop", execs(b"/bin/a", count=3)), WALL)])
        writer.hear(ledger(2, lost))
    writer.close([Told(hello())])
    found = trace(file.getvalue())
    assert [bar.fields["lost"] for bar in found.bars if found.lost(bar)] == [23, 7]
    assert len(found.of("execsnoop")) == 6


@pytest.mark.slow
def test_several_recordings_are_several_machines(tmp_path: Path) -> None:
    files = [write(tmp_path / name) for name in ("a.ringtop", "b.ringtop")]
    piped = subprocess.run([*REPLAY, *files, "--format", "perfetto"], capture_output=True, check=True).stdout
    found = trace(piped)
    assert len(found.of("execsnoop")) + len(found.of("unlinksnoop")) == 2 * EVENTS
    assert [packet.machine_id for packet in found.clocks] == [0, 1]
    assert len({bar.track.uuid for bar in found.of("unlinksnoop")}) == 2


@pytest.mark.slow
def test_a_terminal_is_refused(tmp_path: Path) -> None:
    main, terminal = pty.openpty()
    command = [*REPLAY, write(tmp_path / "a.ringtop"), "--format", "perfetto"]
    refused = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, text=True)
    os.close(main)
    os.close(terminal)
    assert refused.returncode == 2
    assert "perfetto is not for a terminal: name a file with --output" in refused.stderr

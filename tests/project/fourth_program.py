"""What is seen of a fourth program, opensnoop, of which there is nothing but its description in opensnoop.py.

Run by test_fourth_program.py, in a process of its own.
"""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import numpy as np
import pytest
from textual.color import Color
from textual.pilot import Pilot

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter.capture import compile_capture
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.app.app import Viewer
from ringtop.tui.cli.main import ringtop
from ringtop.tui.lines.lines import writer
from ringtop.tui.lines.part import Part
from ringtop.tui.model import completion
from ringtop.tui.model.ring import OVERHEAD, row_bytes
from ringtop.tui.model.store import Store
from ringtop.tui.settings import config, themes
from ringtop.tui.source.recording import read
from ringtop.tui.source.replay import ReplaySource
from ringtop.tui.top.columns import columns
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.top import Top
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.timeline import EventLines
from ringtop.tui.widgets.title import Title
from tests.samples import make
from tests.tui.formats.test_parquet import tables
from tests.tui.formats.test_perfetto import traced
from tests.tui.source.recordings import START, hello, write
from tests.tui.viewing import settle, shown, viewer

EVENTS = [
    {"ts": START + 1_000, "pid": 41, "comm": b"nginx", "took": 2_500, "mode": 1, "dev": 8, "name": b"/etc/\x1b[2J"},
    {"ts": START + 2_000, "pid": 42, "comm": b"cat", "took": 9_000_000, "ret": -2, "sync": 1, "name": b"/tmp/none"},
]
"""The last is not told its device."""


@pytest.fixture
def batch() -> Batch:
    """Both events."""
    return make("opensnoop", EVENTS)  # type: ignore[arg-type]


@pytest.fixture
def recording(tmp_path: Path, batch: Batch) -> Path:
    """A recording of them."""
    state = stream.State("opensnoop", "running", hook="made up", buffer_bytes=4096)
    told = [hello(), state, stream.Round(START + 3_000, START + 4_000, [stream.rows(batch)]), stream.End("done")]
    return write(tmp_path / "file.ringtop", told)


def test_a_line_alone_and_among_others(batch: Batch) -> None:
    alone = writer("table", ["opensnoop"])
    assert alone.header().split() == ["TIME", "PID", "COMM", "MODE", "RET", "NAME"]
    first, second = (line.split(maxsplit=1)[1] for line in alone.lines(batch, 0))
    assert first.split() == ["41", "nginx", "write", "ok", r"/etc/\x1b[2J", "in", "0.003", "ms"]
    assert second.split() == ["42", "cat", "read", "ENOENT", "/tmp/none", "in", "9.000", "ms"]
    mixed = writer("table", ["opensnoop", "execsnoop"]).lines(batch, 0)
    assert mixed[1].split()[1:] == ["opensnoop", "0", "42", "cat", "ENOENT", "read", "/tmp/none"]
    coloured = writer("table", ["opensnoop"], colour=True).lines(batch, 0)
    assert ["\x1b[31m" in line for line in coloured] == [False, True]


def test_parquet_and_perfetto(batch: Batch) -> None:
    (row,) = tables(Part(batch.take(slice(1, 2)), 0))["opensnoop"].read().drop_columns("time").to_pylist()
    assert (row["took_ns"], row["mode"], row["dev"], row["sync"], row["errno"]) == (
        9_000_000,
        "read",
        None,
        True,
        "ENOENT",
    )
    bars = traced(Part(batch, 0)).of("opensnoop")
    assert [bar.name for bar in bars] == [r"write /etc/\x1b[2J", "read /tmp/none: ENOENT"]
    assert (bars[0].track.process.pid, bars[0].fields["took_us"], bars[0].fields["dev"]) == (41, 2.5, 8)


def test_json_and_csv(batch: Batch) -> None:
    first, second = (json.loads(line) for line in writer("json", ["opensnoop"]).lines(batch, 0))
    assert list(first)[-8:] == ["took_us", "mode", "dev", "sync", "ret", "errno", "name", "late"]
    assert (first["took_us"], first["mode"], first["dev"], first["name"]) == (2.5, "write", 8, "/etc/\x1b[2J")
    assert (second["dev"], second["sync"], second["ret"], second["errno"]) == (None, True, -2, "ENOENT")
    lines = writer("csv", ["execsnoop", "opensnoop"])
    rows = list(csv.DictReader([lines.header(), *lines.lines(batch, 0)]))
    assert [row["mode"] for row in rows] == ["write", "read"]
    assert [row["argv"] for row in rows] == ["", ""]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("program=opensnoop", [True, True]),
        ("program=execsnoop", [False, False]),
        ("mode=write", [True, False]),
        ("took>=9ms", [False, True]),
        ("took_us=2.5us", [True, False]),
        ("dev=unknown", [False, True]),
        ("dev=8", [True, False]),
        ("ret=ENOENT", [False, True]),
        ("sync", [False, True]),
        ('name~"^/etc/"', [True, False]),
        ("name=/tmp/none and latency>0", [False, False]),
    ],
)
def test_a_filter(batch: Batch, text: str, found: list[bool]) -> None:
    assert language.match(language.parse(text), batch).tolist() == found


def test_a_capture_filter() -> None:
    assert compile_capture(language.parse("ret<0 and pid=42"), SCHEMAS["opensnoop"]).active


def test_completion(batch: Batch) -> None:
    store = Store()
    store.append(batch)
    assert completion.complete("too", 3, store) == (0, ["took"])
    assert completion.complete("program=ope", 11, store)[1] == ["opensnoop"]
    assert completion.complete("mode=b", 6, store)[1] == ["both"]
    assert completion.complete("mode=", 5, store)[1] == ["read", "write"]
    assert completion.complete("name=/tm", 8, store)[1] == ["/tmp/none"]
    assert completion.complete("dev=", 4, store)[1] == ["unknown", "8"]


def test_memory_for_its_rows() -> None:
    assert row_bytes("opensnoop") == SCHEMAS["opensnoop"].dtype.itemsize + OVERHEAD + 64


def test_options(tmp_path: Path) -> None:
    assert CollectorOptions.parse(["opensnoop"]).programs == ("opensnoop",)
    assert ringtop.commands["trace"].make_context("trace", ["opensnoop"]).params["programs"] == ("opensnoop",)
    assert "files opened" in ringtop.get_help(ringtop.make_context("ringtop", ["demo"]))
    file = tmp_path / "config.toml"
    file.write_text('programs = ["opensnoop"]\n[columns]\nopensnoop = ["name", "dev"]')
    found = config.load(file)
    assert (found.collector.programs, found.columns) == (("opensnoop",), {"opensnoop": ["name", "dev"]})


def test_every_theme_has_a_colour_for_its_name() -> None:
    shipped, errors = themes.load_all()
    assert errors == []
    assert all(theme.variables["event-opensnoop"] for theme in shipped.values())


def test_a_recording_is_read_as_it_was_written(recording: Path, batch: Batch) -> None:
    (told,) = (m for m in read(recording) if isinstance(m, stream.Round))
    (again,) = map(stream.batch, told.batches)
    assert np.array_equal(again.rows, batch.rows)
    assert again.text("name") == batch.text("name")


def test_it_is_folded_by_comm(batch: Batch) -> None:
    top = Top(["opensnoop"])
    top.take(batch)
    report = top.report("opensnoop")
    told = {row.key: (row.count, row.failed, row.errno, row.marks) for row in report.rows}
    assert told == {(b"nginx",): (1, 0, b"", ""), (b"cat",): (0, 1, b"ENOENT", "!")}
    assert top.report(ALL).rows[0].done in ((1,), (0,))
    titles = [column.title for column in columns(report.key, report.measures)]
    assert titles[:2] == ["WHO", "OPENSNOOP"]
    assert {"FAILED", "ERROR", "PIDS"} < set(titles)


async def test_the_viewer_replays_it(recording: Path) -> None:
    app = viewer(ReplaySource(recording, speed=64))
    async with app.run_test(size=(120, 50)) as pilot:
        await _until_it_has_come(pilot)
        await pilot.press("4")
        await settle(pilot)
        assert "by name of the thread" in shown(pilot)  # ranked rows first
        await pilot.press("v", "v")
        await settle(pilot)
        screen = shown(pilot)
        assert all(title in screen for title in ("TOOK", "MODE", "RESULT", "NAME"))
        assert r"/etc/\x1b[2J" in screen
        assert "ENOENT" in screen
        assert "execsnoop" not in screen
        name = app.screen.query_one("#opensnoop", EventTable)
        title = next(t for t in app.screen.query(Title) if t.view is name.view)
        colour = app.theme_variables["event-opensnoop"]
        assert title.part("opensnoop").color == Color.parse(colour).rich_color
        await pilot.press("=")
        await settle(pilot)
        assert app.filters.text == "ret=ENOENT"
        await pilot.press("enter")
        await settle(pilot)
        (lines,) = app.screen.query(EventLines)
        assert "opened /tmp/none" in lines.plain(1 << 10)[0]


async def _until_it_has_come(pilot: Pilot[int]) -> None:
    """The replay is a thread with a clock of its own."""
    app = pilot.app
    assert isinstance(app, Viewer)
    while not len(app.model.store.tables["opensnoop"]):
        await asyncio.sleep(0.01)
        await settle(pilot)

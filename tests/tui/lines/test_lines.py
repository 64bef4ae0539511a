"""Events as lines: read back whole from JSON and CSV, aligned and safe in tables."""

from __future__ import annotations

import base64
import csv
import errno
import json
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.batch import Batch, empty
from ringtop.bpf.event.schema import AT_FDCWD, SCHEMAS, UNKNOWN
from ringtop.tui.lines.lines import FORMATS, writer
from ringtop.tui.text.format import UNKNOWN_TEXT
from ringtop.tui.text.text import width
from tests.originals import cell_args, cell_bytes
from tests.safety import assert_safe
from tests.samples import NASTY, batches, make

WALL = 1_700_000_000_000_000_000
"""2023-11-14 22:13:20 UTC."""
PROGRAMS = list(SCHEMAS)
_SGR = re.compile("\x1b\\[[0-9]+m")


@pytest.fixture(autouse=True, scope="module")
def _utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def _json(batch: Batch) -> list[dict[str, Any]]:
    return [json.loads(line) for line in writer("json", [batch.program]).lines(batch, WALL)]


def _csv(batch: Batch, programs: list[str]) -> list[dict[str, str]]:
    lines = writer("csv", programs)
    return list(csv.DictReader([lines.header(), *lines.lines(batch, WALL)]))


def _text(record: dict[str, Any], name: str) -> Any:
    """The bytes of a text value, or of a list of them."""
    whole = record.get(f"{name}_base64")
    if isinstance(record[name], list):
        return [base64.b64decode(w) for w in whole] if whole else [a.encode() for a in record[name]]
    return base64.b64decode(whole) if whole else record[name].encode()


def _numbers(batch: Batch) -> list[dict[str, int | None]]:
    """What each row says of its numbers, unknown ones as None."""
    names = [f.name for f in batch.schema.fields if f.kind in ("int", "result", "dirfd") and f.name != "ts_ns"]
    ids = ("pid", "tid", "ppid", "uid", "prev_pid", "prev_tid")
    rows = []
    for row in batch.rows:
        values: dict[str, int | None] = {n: int(row[n]) for n in names}
        values |= {n: None for n in ids if values.get(n) == UNKNOWN}
        values |= {n: None for n in ("cgroup", "culprit_pid", "origin_pid", "start_ns") if values.get(n) == 0}
        rows.append(values)
    return rows


def _time(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09}Z"


@given(batches())
def test_json_loses_nothing(batch: Batch) -> None:
    records = _json(batch)
    assert [{n: r[n] for n in own} for r, own in zip(records, _numbers(batch), strict=True)] == _numbers(batch)
    for i, (record, row) in enumerate(zip(records, batch.rows, strict=True)):
        assert record["program"] == batch.program
        assert record["ts_ns"] == row["ts"]
        assert record["time"] == _time(int(row["ts"]) + WALL)
        for field in batch.schema.fields:
            if field.kind in ("comm", "path"):
                assert _text(record, field.name) == batch.text(field.name)[i]
            elif field.kind == "bool":
                assert record[field.name] is bool(row[field.name])
        if batch.program == "execsnoop":
            assert _text(record, "argv") == split_args(batch.text("argv")[i], int(row["argc"]))
        elif batch.program == "runqslower":
            assert record["latency_us"] == pytest.approx(int(row["latency"]) / 1000, abs=0.0006)
        elif batch.program == "exitsnoop":
            known = {-number for number in signal.valid_signals()} - {-32, -33}
            assert (record["signal"] is not None) == (int(row["status"]) in known)
            assert record["status"] == int(row["status"])
        else:
            assert record["errno"] == errno.errorcode.get(-int(row["ret"]))
            assert record["op"] == {0: "unlink", 1: "rmdir"}.get(int(row["op"]), str(row["op"]))


@given(batches(), st.lists(st.sampled_from(PROGRAMS), unique=True))
def test_csv_loses_nothing(batch: Batch, others: list[str]) -> None:
    records = _csv(batch, list(dict.fromkeys([*others, batch.program])))
    told = _json(batch)
    assert len(records) == len(batch)
    for i, (record, same) in enumerate(zip(records, told, strict=True)):
        for field in batch.schema.fields:
            if field.kind in ("comm", "path"):
                assert cell_bytes(record[field.name]) == batch.text(field.name)[i]
            elif field.kind == "args":
                assert cell_args(record[field.name]) == _text(same, field.name)
        for name, value in same.items():
            if isinstance(value, int | float | None):
                assert record[name] == ("" if value is None else json.dumps(value)), name
        lacked = set(record) - set(same)
        assert {record[name] for name in lacked} <= {""}


@given(batches())
def test_no_cell_is_a_formula(batch: Batch) -> None:
    for record in _csv(batch, PROGRAMS):
        for name, cell in record.items():
            assert not re.match(r"[=+@\t\r]", cell)
            assert not cell.startswith("-") or (name in ("ret", "dfd", "status") and re.fullmatch(r"-\d+", cell))


@given(batches(), st.sampled_from(FORMATS))
def test_lines_are_safe_and_one_a_row(batch: Batch, style: str) -> None:
    for programs in ([batch.program], PROGRAMS):
        lines = writer(style, programs)
        out = lines.lines(batch, WALL)
        assert len(out) == len(batch)
        for line in [lines.header(), *out]:
            assert_safe(line)


@given(batches(), st.booleans(), st.none() | st.integers(40, 200))
def test_colour_adds_nothing_but_colour(batch: Batch, alone: bool, cells: int | None) -> None:
    programs = [batch.program] if alone else PROGRAMS
    plain, coloured = (writer("table", programs, colour, cells) for colour in (False, True))
    for with_it, without in zip(
        [coloured.header(), *coloured.lines(batch, WALL)], [plain.header(), *plain.lines(batch, WALL)], strict=True
    ):
        assert _SGR.sub("", with_it) == without
        assert with_it.count("\x1b[0m") * 2 == with_it.count("\x1b[")


@given(batches(), st.booleans(), st.integers(130, 200))
def test_lines_fit_the_terminal(batch: Batch, alone: bool, cells: int) -> None:
    programs = [batch.program] if alone else PROGRAMS
    cut, whole = writer("table", programs, width=cells), writer("table", programs)
    for short, long in zip(cut.lines(batch, WALL), whole.lines(batch, WALL), strict=True):
        assert width(short) <= cells
        if "…" not in short:
            assert short == long


@given(batches(), st.integers(-(1 << 63), (1 << 64) - 1))
def test_any_clock_of_a_damaged_recording_is_written(batch: Batch, offset: int) -> None:
    for style in FORMATS:
        assert len(writer(style, PROGRAMS).lines(batch, offset)) == len(batch)


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_events(program: str, style: str) -> None:
    assert writer(style, PROGRAMS).lines(empty(program), WALL) == []


def test_an_unknown_format() -> None:
    with pytest.raises(ValueError, match="table, json, csv"):
        writer("xml", PROGRAMS)


RUNQ = make(
    "runqslower",
    [
        {"ts": 123_456_789, "cpu": 1, "pid": 4242, "tid": 4243, "ppid": 1, "uid": 33, "cgroup": 9, "seq": 7}
        | {"comm": b"nginx", "latency": 12_345_678, "prev_pid": 17, "prev_tid": 18, "prev_comm": b"stress"}
        | {"preempted": 1, "culprit_pid": 19, "culprit_comm": b"make", "culprit_share": 93, "short_share": 4},
        {"pid": UNKNOWN, "tid": 5, "ppid": UNKNOWN, "uid": UNKNOWN, "comm": b"\x1b[2J", "prev_pid": UNKNOWN}
        | {"culprit_comm": b"(idle)", "culprit_share": 96, "idle_share": 96},
    ],
)
EXEC = make(
    "execsnoop",
    [
        {"pid": 10, "ppid": 9, "uid": 1000, "comm": b"ls", "filename": b"/bin/ls", "argv": [b"ls", b"a b", b""]},
        {"ret": -2, "comm": b"sh", "filename": b"/usr/local/bin/ls", "argv": [b"ls"]},
        {"comm": b"nginx", "filename": b"/tmp/evil", "argv": [b"nginx", b"-g"]},
        {"comm": b"sh", "filename": b"./run", "argv": [b"/bin/sh", b"./run"], "truncated": 1},
        {"ret": -14, "filename": b"/x"},
    ],
)
UNLINK = make(
    "unlinksnoop",
    [
        {"comm": b"rm", "path": b"/tmp/a", "dfd": -100},
        {"comm": b"rm", "path": b"b\n", "dfd": 4, "op": 1, "ret": -39},
        {"comm": b"rm", "place": b"/tmp/", "path": b"b", "dfd": 4},
    ],
)


def _table(batch: Batch, programs: list[str]) -> list[str]:
    lines = writer("table", programs)
    return [lines.header(), *lines.lines(batch, WALL)]


def test_the_table_of_runqslower() -> None:
    assert _table(RUNQ, ["runqslower"]) == [
        "TIME         CPU     PID COMM                 LATENCY WAITED    AFTER                BECAUSE OF",
        "22:13:20.123   1    4242 nginx              12.346 ms preempted stress/17            make 93%",
        r"22:13:20.000   0       - \x1b[2J             0.000 ms woken     /-                   (idle) 96%",
    ]


def test_the_table_of_execsnoop() -> None:
    assert _table(EXEC, ["execsnoop"]) == [
        "TIME             PID    PPID   UID COMM            RET      ARGUMENTS",
        "22:13:20.000      10       9  1000 ls              ok       ls 'a b' ''",
        "22:13:20.000       0       0     0 sh              ENOENT   /usr/local/bin/ls as ls",
        "22:13:20.000       0       0     0 nginx           ok       /tmp/evil as nginx -g",
        "22:13:20.000       0       0     0 sh              ok       /bin/sh ./run …",
        "22:13:20.000       0       0     0                 EFAULT   /x",
    ]


def test_the_table_of_unlinksnoop() -> None:
    assert _table(UNLINK, ["unlinksnoop"]) == [
        "TIME             PID   UID COMM            OP     RET      PATH",
        "22:13:20.000       0     0 rm              unlink ok       /tmp/a",
        r"22:13:20.000       0     0 rm              rmdir ENOTEMPTY (fd 4) b\n",
        "22:13:20.000       0     0 rm              unlink ok       /tmp/b",
    ]


def test_the_table_of_several_programs() -> None:
    assert [_table(batch, PROGRAMS)[1] for batch in (RUNQ, EXEC, UNLINK)] == [
        "22:13:20.123 runqslower    1    4242 nginx           "
        "12.346 ms because of make 93%, after stress/17 (preempted)",
        "22:13:20.000 execsnoop     0      10 ls              ok ls 'a b' ''",
        "22:13:20.000 unlinksnoop   0       0 rm              ok unlink /tmp/a",
    ]


@given(
    st.integers(0, 4_194_304),
    st.integers(0, UNKNOWN - 1) | st.just(UNKNOWN),
    # ENAMETOOLONG is the longest name of an error of these calls.
    st.sampled_from([0, *(-number for number, name in errno.errorcode.items() if len(name) <= len("ENAMETOOLONG"))]),
    st.sampled_from([b"true", b"fifteen-letters"]),
    st.sampled_from(["execsnoop", "unlinksnoop"]),
)
def test_no_number_moves_the_last_column(pid: int, uid: int, ret: int, comm: bytes, program: str) -> None:
    (tail,) = SCHEMAS[program].tail[-1:]
    text: Any = [b"WHERE"] if tail == "argv" else b"WHERE"
    made = make(program, [{"pid": pid, "ppid": pid, "uid": uid, "ret": ret, "comm": comm, tail: text}])
    if program == "unlinksnoop":
        made.rows["dfd"] = AT_FDCWD
    lines = writer("table", [program], width=130)
    (line,) = lines.lines(made, WALL)
    at = {"argv": "ARGUMENTS", "path": "PATH"}[tail]
    assert line.index("WHERE") == lines.header().index(at)
    shown = [UNKNOWN_TEXT if n == UNKNOWN else str(n) for n in (pid, uid)]
    assert {*shown, SCHEMAS[program]["ret"].word(ret)} <= set(line.split())


def test_what_stands_out() -> None:
    assert "\x1b[31mENOENT" in writer("table", ["execsnoop"], colour=True).lines(EXEC, WALL)[1]
    slow = make("runqslower", [{"latency": ms * 1_000_000} for ms in (10, 50, 500)])
    tones = [_SGR.findall(line)[2:3] for line in writer("table", ["runqslower"], colour=True).lines(slow, WALL)]
    assert tones == [[], ["\x1b[33m"], ["\x1b[31m"]]


def test_json_as_written() -> None:
    assert writer("json", PROGRAMS).header() == ""
    assert writer("json", PROGRAMS).lines(RUNQ, WALL)[0] == (
        '{"program":"runqslower","time":"2023-11-14T22:13:20.123456789Z","ts_ns":123456789,"cpu":1,"seq":7,"pid":4242,'
        '"tid":4243,"ppid":1,"uid":33,"cgroup":9,"cgroup_path":"","unit":"","container":"","comm":"nginx","parent":"","origin":"",'
        '"origin_pid":null,"start_ns":null,"latency_us":12345.678,"prev_pid":17,"prev_tid":18,'
        '"prev_comm":"stress","preempted":true,"culprit_pid":19,"culprit_comm":"make","culprit_share":93,'
        '"others_share":0,"idle_share":0,"short_share":4,"moved_share":0,"late":false}'
    )


def test_json_of_hostile_names() -> None:
    names = make("unlinksnoop", [{"path": name} for name in NASTY])
    lines = writer("json", ["unlinksnoop"]).lines(names, WALL)
    assert '"path":"\\u202egnp.exe"' in lines[2]
    assert '"path":"\ufffd\ufffd' in lines[4]
    assert '"path_base64":"//7toIA="' in lines[4]
    assert "\\ud83c\\udffd" in lines[12]
    assert [_text(json.loads(line), "path") for line in lines] == list(NASTY)
    replaced = make("unlinksnoop", [{"path": "\ufffd".encode()}, {"path": b"\xff"}])
    assert ["path_base64" in r for r in _json(replaced)] == [False, True]


def test_csv_as_written() -> None:
    lines = writer("csv", ["unlinksnoop"])
    assert (
        lines.header() == "program,time,ts_ns,cpu,seq,pid,tid,ppid,uid,cgroup,cgroup_path,unit,container,comm,parent,"
        "origin,origin_pid,start_ns,full,path,dfd,op,ret,errno,truncated,late"
    )
    formula = make(
        "unlinksnoop", [{"comm": b"=1+1", "place": b"/", "path": b'a,"b"\n', "dfd": -100, "ret": -2, "ppid": UNKNOWN}]
    )
    assert lines.lines(formula, WALL) == [
        r"""unlinksnoop,2023-11-14T22:13:20.000000000Z,0,0,0,0,0,,0,,,,,'=1+1,,,,,"/a,""b""\n","a,""b""\n",-100,unlink,-2,ENOENT,false,false"""
    ]

"""`ringtop bench`: every row is there and every event of it accounted for. How fast anything was is not asserted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ringtop.bpf.bench import run, storm
from ringtop.bpf.bench.overload import Overload, Paid
from ringtop.bpf.bench.report import WIDTH, Report
from ringtop.bpf.bench.rows import Plan, Row
from ringtop.bpf.bench.sides import SIDES, Counted, Side
from ringtop.bpf.bench.tax import Tax
from ringtop.bpf.common.sizes import EMITS
from tests.kernel.tracing import RINGTOP

EVENTS = 20_000


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    done = subprocess.run(
        [*RINGTOP, "bench", "--json", "--events", str(EVENTS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_every_way_of_reading_is_measured(report: dict[str, Any]) -> None:
    assert [(row["reader"], row["transport"], row["wakeup"], row["emit"]) for row in report["rows"]] == [
        (side.kind, side.transport, side.wakeup, side.emit) for side in SIDES
    ]
    assert [row["emit"] for row in report["overloads"]] == list(EMITS)


def test_every_event_is_accounted_for(report: dict[str, Any]) -> None:
    assert report["balanced"] is True
    for row in report["rows"] + report["overloads"]:
        assert row["emitted"] == row["received"] + row["dropped"]
        assert row["residual"] == 0
        # One system call, one event; and the storm's process has no others.
        assert row["emitted"] == row["offered"] > 0
        assert row["gaps"] is None or row["gaps"] <= row["dropped"]
    for row in report["overloads"]:
        assert row["dropped"] > row["received"] > 0


def test_figures_make_sense(report: dict[str, Any]) -> None:
    assert report["storm"] in ("machine code", "ctypes")
    for row in report["rows"]:
        assert 0 < row["offered"] <= EVENTS
        assert row["reader_us"] > 0
        assert row["slow_down"] > 0
        assert row["received_per_s"] <= row["offered_per_s"]
    assert report["rows"][0]["reader_ratio"] == 1
    assert report["overloads"][0]["one"]["adds_ratio"] == 1
    assert all(row[cpus]["slow_down"] > 0 for row in report["overloads"] for cpus in ("one", "all"))


def test_the_cost_to_others_is_measured(report: dict[str, Any]) -> None:
    assert [(tax["program"], tax["load"]) for tax in report["taxes"]] == [
        ("execsnoop", "getppid"),
        ("execsnoop --capture=ret=0", "getppid"),
        ("unlinksnoop", "getppid"),
        ("runqslower", "pipe ping-pong on one CPU"),
        ("runqslower --no-histogram", "pipe ping-pong on one CPU"),
    ]
    assert all(tax["ratio"] > 0 for tax in report["taxes"])


def row(**given: Any) -> Row:
    figures: dict[str, Any] = {
        "side": Side("bcc, 5 fields", "ringbuf", "adaptive"),
        "offered": 1_000_000,
        "counted": Counted(1_000_000, 1_000_000, 0, 0, 1_000_000),
        "offered_per_s": 10_000_000.0,
        "received_per_s": 10_000_000.0,
        "reader_us": 99.999,
        "reader_ratio": 999.9,
        "call_ns": 99_999.0,
        "slow_down": 999.9,
    }
    return Row(**(figures | given))


def test_the_tables_fit_a_terminal() -> None:
    host = {"kernel": "6.18.0-amd64", "cpus": 128, "storm": "machine code", "storm_cpu": 0, "reader_cpu": 127}
    whole = Report(Plan(1_000_000, 4 << 20, 0), host, notes=["word " * 40])
    whole.rows += [row(reader_us=0.1), row()]
    paid = Paid(99.99, 99_999, 99.99)
    whole.overloads.append(Overload("reserve+query", paid, paid, 9_999_999, Counted(9_999_999, 0, 9_999_999, None, 0)))
    whole.taxes.append(Tax("runqslower", "pipe ping-pong on one CPU", 99_999, 999_999))
    text = "\n".join(
        [whole.head(), *map(whole.line, whole.rows), whole.ledger(), whole.overload(), whole.tax(), whole.verdict()]
    )
    assert max(map(len, text.splitlines())) <= 100
    assert WIDTH <= 100
    assert "Every event is accounted for" in text


def test_a_ledger_that_does_not_balance_is_said_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = row(counted=Counted(10, 10, 1, None, 0))
    assert bad.counted.residual == -1
    whole = Report(Plan(1, 4096, 0), {}, rows=[bad])
    assert not whole.balanced
    assert "DOES NOT BALANCE" in whole.verdict()
    assert json.loads(whole.as_json())["balanced"] is False
    monkeypatch.setattr("ringtop.bpf.bench._measure", lambda report, *args, **kw: report.rows.append(bad))
    assert run(json=True, events=1) == 1


@pytest.mark.parametrize("refused", [False, True])
def test_the_storm_makes_as_many_calls_as_it_says(
    refused: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    storm._loop.cache_clear()
    if refused:
        monkeypatch.setattr(storm, "_MACHINE", {})
    try:
        assert storm.how() == ("ctypes" if refused else "machine code")
        victim = tmp_path / "victim"
        for _ in range(2):
            victim.touch()
            storm.syscalls("unlinkat", storm.AT_FDCWD, bytes(victim), 0)(3)
            assert not victim.exists()
        storm.getppids()(1000)
        assert storm._make(storm.unlinks(), 1003, 10)[0] == 1003
    finally:
        storm._loop.cache_clear()


def test_a_storm_stops_at_its_limit_and_ends_when_closed() -> None:
    load = storm.Storm(storm.ping_pong, 0)
    made = load.run(100_000_000, 0.01)
    assert 0 < made.count < 100_000_000
    load.close()
    assert not Path(f"/proc/{load.pid}").exists()


def test_the_path_of_the_storm_cannot_exist() -> None:
    with pytest.raises(NotADirectoryError):
        Path(storm.NOWHERE.decode()).touch()

"""`ringtop bench --start`: every command and every process is measured. How fast anything was is not asserted."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ringtop.bpf.bench import start
from ringtop.bpf.bench.launch import Launch, NotStarted, Process, launch
from tests.kernel.tracing import RINGTOP


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    done = subprocess.run([*RINGTOP, "bench", "--start", "1", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_every_command_and_process_is_measured(report: dict[str, Any]) -> None:
    found = {one["name"]: one for one in report["starts"]}
    assert {"trace execsnoop", "trace, all programs", "viewer"} <= set(found)
    for name, one in found.items():
        assert 0 < one["first_s"] < one["whole_s"]
        assert all(process["peak_bytes"] > 1 << 20 for process in one["processes"])
        assert one["processes"][0]["cpu_s"] > 0
        assert one["cpu_s"] == pytest.approx(sum(process["cpu_s"] for process in one["processes"]))
        names = [process["name"] for process in one["processes"]]
        assert names[0] == "command"
        assert ("collector" in names) == (name != "execsnoop of libbpf-tools")


def test_it_is_compared_with_what_is_here(report: dict[str, Any]) -> None:
    found = {one["name"]: one for one in report["starts"]}
    assert ("execsnoop of libbpf-tools" in found) == bool(shutil.which("execsnoop"))
    for name in ("trace execsnoop", "trace, all programs"):
        assert set(found[name]["to_libbpf_tools"]) == {"first", "whole", "cpu"}
        assert set(found[name]["to_bcc"]) == {"first", "whole", "cpu"}
    assert found["viewer"]["to_libbpf_tools"] == {}


def test_what_is_missing_is_said_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_libbpf_tools", lambda: "")
    monkeypatch.setattr(start, "_has_bcc", lambda: False)
    starts, notes = start._starts(["ringtop"])
    assert [one.name for one in starts] == [
        "trace execsnoop",
        "trace execsnoop, ret=0",
        "trace, all programs",
        "viewer",
    ]
    assert "Install the package libbpf-tools" in notes[0]
    assert "python3-bpfcc" in notes[1]
    once = Launch(0.25, 0.5, (Process("command", 0.125, 1 << 24), Process("collector", 0.125, 1 << 25)))
    text = start._as_text({one.name: start.Cost(one, (once,)) for one in starts}, notes)
    assert max(map(len, text.splitlines())) <= 100
    assert "x  " not in text


def test_columns_are_as_wide_as_the_longest_name() -> None:
    names = start._LIBBPF_TOOLS, "trace execsnoop, ret=0, bcc and more", "short"
    once = Launch(0.25, 0.5, (Process("command", 0.125, 1 << 24), Process("helper", 0.125, 1 << 28)))
    costs = {name: start.Cost(start.Start(name, ()), (once,)) for name in names}
    text = start._as_text(costs, []).partition("\n\nfirst:")[0]
    tables = [table.splitlines() for table in text.strip("\n").split("\n\n")]
    assert [len(table) for table in tables] == [5, 7]
    for head, *rows in (tables[0][1:], tables[1]):
        assert {len(row) for row in rows} == {len(rows[0])}, "the last column ends at one place"
        assert all(row[: len(max(names, key=len))].strip() for row in rows)
        assert len(head) in (len(rows[0]), len(rows[0]) - 1), "before the unit"


def test_ratios_are_of_the_same_round() -> None:
    def cost(*walls: float) -> start.Cost:
        return start.Cost(
            start.Start("one", ()), tuple(Launch(s, 2 * s, (Process("command", s / 2, 1),)) for s in walls)
        )

    assert cost(1, 20, 300).ratios(cost(2, 10, 100)) == [2, 2, 2]


def test_a_script_is_not_taken_for_the_tool_of_libbpf_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "execsnoop"
    script.write_text("#!/usr/bin/python3\n")
    script.chmod(0o755)
    monkeypatch.setattr(start, "PATH", "/nonexistent")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start._libbpf_tools() == ""


def test_a_command_that_ends_too_early_is_said_with_its_last_words() -> None:
    with pytest.raises(NotStarted, match="no such thing"):
        launch(["sh", "-c", "echo no such thing"], start._FRAME)

"""What the commands say on standard error and in the doctor's report, with hostile names in it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ringtop.bpf import stream
from ringtop.bpf.collector.doctor import Choice, Finding
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli import findings, printing, trace
from ringtop.tui.cli import main as cli
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.printer import Printer
from ringtop.tui.lines.json_lines import escaped_json
from ringtop.tui.lines.lines import writer
from tests.safety import assert_safe

SAID = "[b]{0}%s\x1b]0;x\x07\x9b2J\u202ea\u200d\ufe0fe\u0301\u0301\u0301\u0301\r\n\x7f\udcff"
SENT = SAID.replace("\udcff", "")
"""A stream has no surrogates."""


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """All that was written, which is harmless."""
    told = "".join(capsys.readouterr())
    for line in told.split("\n"):
        assert_safe(line)
    return told


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["replay", "F"], 1),
        (["replay", "MISSING"], 1),
        (["replay", "FOLDER"], 1),
        (["record", "F"], 1),
        (["--config", "F", "demo"], 1),
        (["--config", "MISSING", "demo"], 1),
        (["--filter", SAID, "demo"], 3),
        (["--theme", "x", SAID], 1),
        ([f"--{SAID}"], 1),
        (["trace", SAID], 1),
        (["trace", "execsnoop", "--after", "1", SAID], 1),
        (["trace", "execsnoop", "--buffer", SAID], 1),
        (["--history", SAID, "demo"], 1),
    ],
)
def test_names_on_the_command_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    lines: int,
) -> None:
    (tmp_path / SAID).write_bytes(SAID.encode(errors="surrogateescape"))
    (tmp_path / f"folder {SAID}").mkdir()
    places = {"F": tmp_path / SAID, "MISSING": tmp_path / f"none {SAID}", "FOLDER": tmp_path / f"folder {SAID}"}
    monkeypatch.setattr(sys, "argv", ["ringtop", *(str(places.get(a, a)) for a in arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    told = said(capsys)
    assert r"\x1b]0;x" in told
    assert told.partition("Error: ")[2].count("\n") == lines


def test_a_failure_with_a_cure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise CannotTrace("no tracing", SENT.replace("\n", ""), "the cure")

    monkeypatch.setattr(cli.ringtop, "main", fail)
    with pytest.raises(SystemExit):
        cli.main()
    assert said(capsys).splitlines()[-1] == "the cure"


def test_a_hostile_collector_is_quoted_not_obeyed(capfd: pytest.CaptureFixture[str]) -> None:
    """The summary is JSON and holds what was sent."""
    options = trace.TraceOptions(CollectorOptions(programs=("execsnoop", "unlinksnoop")))
    told = printing.Trace(options, None, Printer(Output(), writer("table", ["execsnoop"])))  # type: ignore[arg-type]
    period = stream.Period("ringbuf", 4096, SENT, 4096, 1.0, 1, 1, 1, 1, 1, [1])
    cpu = stream.CpuStats(0, 9, 1, 8, 4, {SENT: 4}, 99, 4, 0, 10, 10, 0)
    stats = stream.Stats(1, 0, [stream.ProgramStats("execsnoop", "ringbuf", [cpu], 1, 4096, 1, [1], 0, 0, 0)], 1, 1)
    for message in (
        stream.State("execsnoop", "running", hook=SENT),
        stream.State("unlinksnoop", "failed", reason=SENT),
        stream.Notice("error", SENT),
        stream.Changed("execsnoop", period, "perfbuf", 4096, SENT, 1, 1, 1, 1, []),
        stream.Compared("execsnoop", period, period, 0, "ringbuf", SENT),
        stats,
    ):
        told.take(message)
    summary = told.summary(told.changes)
    out, written = capfd.readouterr()
    assert written.count("\n") == 6 + 2  # a reason and a notice may have lines
    assert written.count(r"\x1b]0;x\x07\u009b2J\u202ea") == 5
    assert_safe(out.replace("\n", ""))
    document = escaped_json(json.dumps(summary, indent=2))
    for line in document.split("\n"):
        assert_safe(line)
    assert json.loads(document)["execsnoop"]["hook"] == SENT


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(("able", "status"), [(len(SCHEMAS), 0), (1, 5), (0, 3)])
def test_the_doctor(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool, able: int, status: int
) -> None:
    choice = Choice("execsnoop", SENT, "ringbuf", [SENT], SENT)
    found = {"ok": True, "findings": [Finding("bcc", True, SENT, SENT)], "programs": [choice] * able}
    monkeypatch.setattr(findings, "examine", lambda: found)
    assert findings.run(as_json) == status
    told = said(capfd)
    if as_json:
        assert json.loads(told)["findings"][0]["what"] == SENT
    else:
        assert told.count(r"\x1b]0;x") == 2 + 3 * able
        assert told.endswith(f"{able} of {len(SCHEMAS)} programs can run here.\n")

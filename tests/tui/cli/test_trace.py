"""``ringtop trace`` counts its rows, and says what it could not write."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import pytest

from ringtop.bpf import stream
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli import ending, session
from ringtop.tui.cli.output import CannotWrite, Output
from ringtop.tui.cli.printer import Printer
from ringtop.tui.cli.printing import Trace
from ringtop.tui.cli.trace import TraceOptions
from ringtop.tui.lines.lines import writer
from tests.tui.cli.test_session import Client
from tests.tui.source.recordings import hello, round_at, stats_at

COLLECTOR = CollectorOptions(programs=("execsnoop",))
SAID = (hello(), stream.State("execsnoop", "running"), round_at(1, count=3), stats_at(2), stream.End("done"))


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signals of the test's own process are not touched."""
    for where in (session, ending):
        monkeypatch.setattr(where, "when_told", lambda act: None)
        monkeypatch.setattr(where, "when_unheard", lambda fd, act: None)


def trace(options: TraceOptions, status: int = 0, summary: TextIO | None = None) -> Trace:
    """A run on a collector with three events, which ends with *status*."""
    client = Client(SAID, status=status)
    return Trace(options, client, Printer(Output("csv"), writer("csv", ["execsnoop"])), summary)  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "ended", "status"), [(2, 0, 0), (3, 0, 0), (4, 0, 6), (4, 1, 1), (None, 0, 0)])
def test_fewer_rows_than_asked_for_have_a_status_of_their_own(
    capfd: pytest.CaptureFixture[str], count: int | None, ended: int, status: int
) -> None:
    assert trace(TraceOptions(COLLECTOR, count=count), ended).run(1) == status
    assert capfd.readouterr().out.count("\n") == 1 + min(3, count or 3)  # and the header


def test_a_summary_that_cannot_be_written_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    run = trace(TraceOptions(COLLECTOR), summary=Path("/dev/full").open("w"))  # noqa: SIM115
    with pytest.raises(CannotWrite, match="the summary cannot be written: No space left on device"):
        run.run(1)
    assert capfd.readouterr().out.count("\n") == 1 + 3

"""Runs on several hosts, made up: none waits for another, and each is told of."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from io import StringIO

import pytest

from ringtop.bpf import stream
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli import ending, hosts
from ringtop.tui.cli.hosts import HostsRun
from ringtop.tui.cli.hosts_top import HostsTop
from ringtop.tui.cli.hosts_trace import HostsTrace
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.printer import Printer
from ringtop.tui.cli.top import Run, TopOptions, _top, _writer
from ringtop.tui.cli.trace import TraceOptions
from ringtop.tui.lines.lines import writer
from ringtop.tui.source.hosts import FAR_NS
from ringtop.tui.source.source import Item, Lost, Post
from tests.tui.source.recordings import hello, round_at, stats_at

COLLECTOR = CollectorOptions(programs=("execsnoop",))
SAID = (hello(), stream.State("execsnoop", "running"), round_at(1, count=3), stats_at(2))
AWAY = Lost("the connection broke off", "Connection refused", again_s=1.0)
REFUSED = Lost("it cannot trace", "Get another.")


class Source:
    """Says *items*, and ends when it is asked to, having said *last*."""

    label, live = "made up", True

    def __init__(self, host: str, items: Sequence[Item], last: Sequence[Item] = (stream.End("stopped"),)) -> None:
        self.host, self._items, self._last = host, items, last
        self._post: Post = lambda item: None
        self.thread = threading.Thread(target=self._say, daemon=True)

    def _say(self) -> None:
        for item in self._items:
            self._post(item)

    def start(self, post: Post) -> None:
        """Say it."""
        self._post = post
        self.thread.start()

    def send(self, control: stream.Control) -> None:
        """End."""
        if isinstance(control, stream.Stop):
            threading.Thread(target=lambda: [self._post(item) for item in self._last], daemon=True).start()

    def stop(self) -> None:
        """Nothing more is said."""
        self.thread.join(60)


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signals of the test's own process are not touched."""
    for where in (hosts, ending):
        monkeypatch.setattr(where, "when_told", lambda act: None)
        monkeypatch.setattr(where, "when_unheard", lambda fd, act: None)


def trace(*sources: Source, summary: StringIO | None = None, **options: object) -> HostsTrace:
    """A run on *sources*, as CSV."""
    given = TraceOptions(COLLECTOR, "csv", **options)  # type: ignore[arg-type]
    return HostsTrace(given, sources, Printer(Output("csv"), writer("csv", ["execsnoop"], hosts=True)), summary)


def test_each_row_has_its_host_and_each_host_its_ledger(capfd: pytest.CaptureFixture[str]) -> None:
    summary = StringIO()
    run = trace(Source("web1", SAID), Source("web2", SAID), summary=summary, duration=0.1)
    assert run.run(1) == 0
    header, *lines = capfd.readouterr().out.splitlines()
    assert header.startswith("program,host,time,")
    assert sorted(line.split(",")[1] for line in lines) == ["web1"] * 3 + ["web2"] * 3
    assert run.balanced()


@pytest.mark.parametrize("lost", [AWAY, REFUSED])
def test_a_host_that_fails_is_told_and_stops_no_other(capfd: pytest.CaptureFixture[str], lost: Lost) -> None:
    run = trace(Source("web1", SAID), Source("web2", [lost], last=()), duration=0.1)
    assert run.run(1) == 1
    out, err = capfd.readouterr()
    assert out.count(",web1,") == 3
    assert f"ringtop: web2: {lost.reason}\n  {lost.detail}\n" in err
    assert not run.balanced()


def test_what_a_host_says_does_not_pass_for_another(capfd: pytest.CaptureFixture[str]) -> None:
    lie = "x\nringtop: web1: it has ended\r\x1b[2J"
    said = [*SAID[:1], stream.Notice("error", lie), stream.State("execsnoop", "failed", reason=lie), Lost(lie, lie)]
    trace(Source("web1", SAID), Source("liar", said, last=()), duration=0.1).run(1)
    err = capfd.readouterr().err
    assert "\nringtop: web1: it has ended" not in err
    assert err.count("\n  ringtop: web1: it has ended") == 3
    assert not {"\x1b", "\r"} & set(err)


def top(*sources: Source) -> HostsTop:
    """A run of ``top`` on *sources*, as JSON, by host."""
    options = TopOptions(COLLECTOR, by={"execsnoop": "host"}, style="json", duration=0.1)
    return HostsTop(options, sources, Run(options, _top(options, None), Output("json"), _writer("json", False)))


@pytest.mark.parametrize("run", [trace, top])
def test_where_no_host_answers_the_run_ends(run: Callable[..., HostsRun], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(Source("web1", [AWAY]), Source("web2", [REFUSED])).run(1) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert "folding" not in err


def test_a_host_that_comes_back_has_a_ledger_for_each_connection(capfd: pytest.CaptureFixture[str]) -> None:
    again = [*SAID, AWAY, AWAY, *SAID]
    summary = StringIO()
    written = summary.getvalue
    summary.close = lambda: None  # type: ignore[method-assign]
    run = trace(Source("web1", again), summary=summary, duration=0.3)
    assert run.run(1) == 0
    told = json.loads(written())["web1"]
    assert [connection["complete"] for connection in told] == [False, True]
    assert capfd.readouterr().err.count("the connection broke off\n  Connection refused") == 1, "it is told once"


def test_a_change_is_told_by_our_clock() -> None:
    """A host may claim what it wants: times are a minute after now at most."""
    before = stream.Period("ringbuf", 1 << 20, "timer", 1 << 20, 1.0, 3, 0, 0, 1, 1, [1])
    changed = stream.Changed("execsnoop", before, "perfbuf", 4096, "timer", 1 << 62, 5, 0, 0, [])
    run = trace(Source("web1", (*SAID[:3], changed, SAID[3])), duration=0.1)
    assert run.run(1) == 0
    (told,) = run.all.hosts[0].connections[-1].changes
    assert isinstance(told, stream.Changed)
    assert told.ts_ns <= time.monotonic_ns() + FAR_NS


def test_a_count_is_of_all_hosts(capfd: pytest.CaptureFixture[str]) -> None:
    assert trace(Source("web1", SAID), Source("web2", SAID), count=4).run(1) == 0
    assert capfd.readouterr().out.count("\n") == 1 + 4


@pytest.mark.parametrize("much", [round_at(1), stream.Notice("info", "x")], ids=["events", "notices"])
def test_a_host_that_says_too_much_waits_and_no_other_does(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, much: Item
) -> None:
    monkeypatch.setattr(hosts, "_MOST_S", 0.3)
    flood, good = Source("flood", [*SAID, *[much] * 10_000], last=()), Source("web1", SAID)
    run = trace(flood, good, count=3, display="host=web1", quiet=True)
    assert run.run(1) == 1
    assert capfd.readouterr().out.count(",web1,") == 3
    assert all(len(host.waiting) <= hosts._WAITING for host in run.all.hosts)


def test_what_all_hosts_did_is_folded_together(capfd: pytest.CaptureFixture[str]) -> None:
    assert top(Source("web1", SAID), Source("web2", SAID)).run(1) == 0
    (report,) = json.loads(capfd.readouterr().out)["programs"]
    assert {(row["key"], row["events"]) for row in report["rows"]} == {("web1", 3), ("web2", 3)}

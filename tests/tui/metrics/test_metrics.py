"""Metrics are the counts of the stream, of a bounded number of series, in the format that Prometheus reads."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from prometheus_client.parser import text_string_to_metric_families

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.event.waits import BUCKETS
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli import replacer
from ringtop.tui.cli.exposing import Exposing
from ringtop.tui.cli.metrics import MetricsOptions
from ringtop.tui.cli.replacer import Replacer
from ringtop.tui.metrics.metrics import Metrics
from ringtop.tui.metrics.tally import MOST
from tests.samples import batches, make
from tests.tui.cli.test_session import Client
from tests.tui.cli.test_top import ledger, round_of
from tests.tui.metrics.prometheus import FILES, expressions, metrics_of, promtool
from tests.tui.source.recordings import START, WALL, hello
from tests.tui.top.events import MS, deletions, execs, waits

Samples = dict[tuple[str, ...], float]


def told(metrics: Metrics, name: str) -> Samples:
    """The values of one metric by those of its labels in the order of their names."""
    found: Samples = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            if sample.name == name:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                assert labels not in found  # Prometheus refuses all of it
                found[labels] = sample.value
    return found


def heard(*told: stream.AnyMessage | Batch) -> Metrics:
    """The metrics of these messages."""
    metrics = Metrics()
    metrics.hear(hello())
    for one in told:
        metrics.hear(round_of(1, one) if isinstance(one, Batch) else one)
    return metrics


def all_waits(counts: list[int]) -> stream.Stats:
    """A ledger with these waits."""
    waits = stream.Waits(0, counts)
    return stream.Stats(
        START, WALL, [stream.ProgramStats("runqslower", "ringbuf", [], 0, 0, 0, [], 0, waits=waits)], 0, 0
    )


@settings(max_examples=50)
@given(batches())
def test_every_event_is_counted(batch: Batch) -> None:
    metrics = heard(batch, batch)
    assert sum(told(metrics, f"ringtop_{batch.program}_events_total").values()) == 2 * len(batch)
    if lasting := SCHEMAS[batch.program].waits:
        name = f"ringtop_{batch.program}_{lasting}_seconds"
        assert sum(told(metrics, f"{name}_count").values()) == 2 * len(batch)
        expected = 2 * sum(batch.rows[lasting].tolist()) / 1e9
        assert sum(told(metrics, f"{name}_sum").values()) == pytest.approx(expected)


def test_execs_by_command_and_result() -> None:
    started = execs(b"/usr/bin/git", [b"git", b"-C", b"/a", b"add", b"x"], count=23)
    failed = execs(b"/x/gone", count=7, ret=-2)
    assert told(heard(make("execsnoop", [*started, *failed])), "ringtop_execsnoop_events_total") == {
        ("git add ..", "ok"): 23,
        ("gone", "ENOENT"): 7,
    }


def test_ends_by_task_and_status() -> None:
    ended = [{"comm": b"make", "status": status, "ran": ran * MS} for status, ran in ((0, 20), (2, 20), (-9, 400))]
    metrics = heard(make("exitsnoop", ended))
    assert told(metrics, "ringtop_exitsnoop_events_total") == {
        ("make", "0"): 1,
        ("make", "2"): 1,
        ("make", "SIGKILL"): 1,
    }
    assert told(metrics, "ringtop_exitsnoop_ran_seconds_sum") == {("make",): 0.44}


def test_deletions_by_task_and_folder() -> None:
    gone = deletions([b"/srv/cache/x/%d" % i for i in range(23)]), deletions([b"/etc/y"], comm=b"sh")
    assert told(heard(*gone), "ringtop_unlinksnoop_events_total") == {
        ("rm", "/srv/cache/", "ok"): 23,
        ("sh", "/etc/", "ok"): 1,
    }


def test_slow_waits_by_task_and_length() -> None:
    slow = waits(b"cc1", [ms * MS for ms in (1, 2, 3, 10, 11, 400_000)]), waits(b"ld", [5 * MS])
    metrics = heard(*slow)
    buckets = told(metrics, "ringtop_runqslower_latency_seconds_bucket")
    assert [buckets["cc1", le] for le in ("0.001", "0.003", "0.01", "0.03", "300.0", "+Inf")] == [1, 3, 4, 5, 5, 6]
    assert told(metrics, "ringtop_runqslower_latency_seconds_sum")["ld",] == 0.005


def test_only_the_first_keys_have_values_and_they_never_go_back() -> None:
    metrics = Metrics()
    before: Samples = {}
    for begin in range(0, 3 * MOST, MOST // 2):
        metrics.hear(round_of(1, *(waits(b"t%d" % i, [MS]) for i in range(begin, begin + MOST))))
        now = told(metrics, "ringtop_runqslower_events_total")
        assert all(now[labels] >= count for labels, count in before.items())
        before = now
    assert len(before) == MOST + 1
    assert before["other",] == 6 * MOST - sum(count for labels, count in before.items() if labels != ("other",))


def test_names_that_are_shown_alike_are_one_series() -> None:
    """A label is cut; and a task may be called as all the others are together."""
    long = [execs(b"/bin/x", [b"x", b"--" + b"y" * 400 + end])[0] for end in (b"1", b"2")]
    metrics = heard(make("execsnoop", long), *(waits(b"t%d" % i, [MS]) for i in range(MOST + 1)), waits(b"other", [MS]))
    assert list(told(metrics, "ringtop_execsnoop_events_total").values()) == [2]
    assert told(metrics, "ringtop_runqslower_events_total")["other",] == 2


def test_all_waits() -> None:
    counts = Counter({0: 1, 7: 2, 8: 4, BUCKETS - 1: 8})
    metrics = heard(all_waits([counts[i] for i in range(BUCKETS)]))
    found = told(metrics, "ringtop_run_queue_latency_seconds_bucket")
    assert [found[le,] for le in ("1.28e-07", "2.56e-07", "5.12e-07", "+Inf")] == [3, 7, 7, 15]
    assert told(metrics, "ringtop_run_queue_latency_seconds_count") == {(): 15}


def test_the_ledger() -> None:
    metrics = heard(ledger(1, 5), ledger(2, 1207), stream.State("unlinksnoop", "failed", reason="no"))
    assert told(metrics, "ringtop_lost_total") == {("0", "unlinksnoop", "full"): 1207}
    assert told(metrics, "ringtop_filtered_total") == {("unlinksnoop",): 93}
    assert told(metrics, "ringtop_running") == {("unlinksnoop",): 0}


@pytest.fixture
def everything() -> Metrics:
    """Metrics of all kinds."""
    function = stream.FunctionCost("runqslower", "on_switch", ["sched_switch"], 1, "", 23, 4600, 0, 0, [])
    size = stream.MapCost("runqslower", 1, "start", "array", 4, 8, 9, 4096)
    costs = stream.Costs(START, "", [], [function], [size], 0, 0)
    state = stream.State("runqslower", "running")
    seen = waits(b"cc1", [MS]), make("execsnoop", execs(b"/bin/a")), deletions([b'/\xff/\n"\\\x1b[2J/x', b"y"])
    return heard(state, all_waits([1]), ledger(1, 7), costs, *seen)


def test_the_dashboard_and_the_rules_ask_for_what_there_is(everything: Metrics) -> None:
    samples = {s.name for f in text_string_to_metric_families(everything.text().decode()) for s in f.samples}
    asked = set[str]().union(*map(metrics_of, expressions()))
    assert len(asked) > 10
    assert asked <= samples
    assert "label_values(ringtop_info, instance)" in (FILES / "ringtop.json").read_text()
    assert json.loads((FILES / "ringtop.json").read_text())["title"] == "ringtop"


@pytest.mark.slow
def test_promtool_finds_nothing_wrong(everything: Metrics) -> None:
    assert promtool("check", "metrics", text=everything.text().decode()) == ""
    assert "3 rules found" in promtool("check", "rules", FILES / "alerts.yml")


def exposing(messages: tuple[stream.AnyMessage, ...], listen: tuple[str, int] | None, file: Path | None) -> Exposing:
    """A run on a collector that says *messages*."""
    options = MetricsOptions(CollectorOptions(programs=("unlinksnoop",)), listen, file)
    return Exposing(options, Client(messages), Replacer(file) if file else None)  # type: ignore[arg-type]


def test_prometheus_is_answered_or_told_why_not(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not exposing((), ("127.0.0.1", port), None).listen()
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose" in capfd.readouterr().err
    run = exposing((), ("127.0.0.1", port), None)
    assert run.listen()
    run.hear(ledger(1, 1207))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as answer:
        assert b'ringtop_lost_total{cpu="0",program="unlinksnoop",reason="full"} 1207.0' in answer.read()


def test_a_file_is_replaced_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replacer, "chosen", lambda: None)
    file = tmp_path / "r.prom"
    run = exposing((), None, file)
    assert list(tmp_path.iterdir()) == []
    run.hear(ledger(1, 5))
    first = file.stat()
    assert b"} 5.0" in file.read_bytes()
    assert first.st_mode & 0o777 == 0o644
    run.stats = ledger(2, 1207)
    run.hear(run.stats)  # it is not yet time again
    assert file.stat().st_ino == first.st_ino
    assert run.finish(0) == 0
    assert file.stat().st_ino != first.st_ino
    assert list(tmp_path.iterdir()) == [file]
    file.unlink()
    tmp_path.rmdir()
    run.finish(0)
    run.finish(0)
    assert capfd.readouterr().err.count("cannot be written: No such file or directory. Its last content stays") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--listen", "9435"), "'9435' is not ADDRESS:PORT, such as 127.0.0.1:9435"),
        (("--listen", "127.0.0.1:99999"), "is not ADDRESS:PORT"),
        (("--textfile", "x.txt"), "does not end in .prom"),
        (("--textfile", "/nowhere/x.prom"), "/nowhere/x.prom cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_is_said(arguments: tuple[str, ...], why: str) -> None:
    assert why in _metrics(*arguments)


def _metrics(*arguments: str) -> str:
    command = [sys.executable, "-m", "ringtop.tui", "metrics", *arguments]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    return refused.stderr

"""Several hosts in one run, over real connections."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP, Running, assert_balanced
from tests.processes import called, descendants, ended, eventually
from tests.ssh.hosts import Hosts
from tests.ssh.server import Server

pytestmark = pytest.mark.beside
ME = f"ppid={os.getpid()} and comm=true"


@pytest.fixture
def hosts(server: Server, tmp_path: Path) -> Hosts:
    return Hosts(server, tmp_path)


Trace = Callable[..., Running]


@pytest.fixture
def trace(hosts: Hosts, tmp_path: Path) -> Iterator[Trace]:
    """Start `ringtop trace execsnoop` on hosts; return once so many of them are traced."""
    started: list[Running] = []

    def start(*names: str, traced: int, style: str = "json") -> Running:
        words = [word for name in names for word in ("--host", name)]
        summary = tmp_path / "summary.json"
        command = [*RINGTOP, "trace", "execsnoop", *words, "--capture", ME, "--format", style]
        process = subprocess.Popen(
            [*command, "--summary", str(summary)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=hosts.environment,
        )
        started.append(Running(process, summary))
        started[-1].listen(traced)
        return started[-1]

    yield start
    for run in started:
        run.process.kill()
        run.process.wait()


def collectors(server: Server) -> list[int]:
    return called(b"-m ringtop.bpf collect", server.process.pid)


def test_each_host_tells_all_its_events(hosts: Hosts, server: Server, trace: Trace) -> None:
    """Both names are of this machine, so each event comes twice, each time from the host that told it."""
    run = trace(hosts.add("web1"), hosts.add("web2"), traced=2)
    there = descendants(server.process.pid)
    pids = run_programs(PRIME)
    outcome = run.finish()
    assert Counter((row["host"], row["pid"]) for row in outcome.rows) == {
        (host, pid): 1 for host in ("web1", "web2") for pid in pids
    }
    for host in ("web1", "web2"):
        (told,) = outcome.summary[host]
        assert told["complete"], told
        assert told["programs"]["execsnoop"]["received"] == PRIME
        assert_balanced(told["programs"])
    assert outcome.status == 0, outcome.err
    assert ended(there), "nothing stays there"
    times = [row["time"] for row in outcome.rows if row["pid"] == pids[0]]
    apart = [abs(int(t[-10:-1]) - int(times[0][-10:-1])) for t in times]
    assert max(apart) < 10_000_000, "one event, told by two hosts that have one clock"


LIES = """
import os, sys
from ringtop.bpf import stream
bad = "web\\x1b[2J\\x1b]0;owned\\x07"
hello = stream.Hello(bad, bad, bad, bad, [0], ["execsnoop"], 1, 2**63, stream.dtypes())
os.write(1, stream.MAGIC + stream.encode(hello))
os.write(1, stream.encode(stream.State("execsnoop", "running", hook=bad)))
os.write(1, stream.encode(stream.Notice("error", bad)))
os.write(1, stream.encode(stream.Cgroups([(n, bad.encode() * 9, bad.encode()) for n in range(200)])))
rows = (b"\\xff" * stream.batch(stream.Rows("execsnoop", b"", b"")).rows.dtype.itemsize) * 7
os.write(1, stream.encode(stream.Round(2**63, 2**63, [stream.Rows("execsnoop", rows, b"")])))
{then}
"""
ENDLESS = "os.write(1, b'\\xff\\xff\\xff\\x7f'); sys.stdin.read()"
SILENT = "sys.stdin.read()"
FLOOD = "while True: os.write(1, stream.encode(stream.Stats(2**63, 2**63, [], 0, 0)) * 100)"


@pytest.mark.parametrize("then", [ENDLESS, SILENT, FLOOD], ids=["an endless frame", "silence", "a flood"])
def test_a_host_that_lies_disturbs_no_other(hosts: Hosts, trace: Trace, then: str) -> None:
    run = trace(hosts.add("web1"), hosts.add("liar", python=LIES.replace("{then}", then)), traced=2)
    pids = run_programs(PRIME)
    outcome = run.finish()
    rows = [row for row in outcome.rows if row["host"] == "web1"]
    assert [row["pid"] for row in rows] == pids
    (told,) = outcome.summary["web1"]
    assert told["complete"]
    assert not outcome.summary["liar"][0]["complete"]
    assert "\x1b" not in outcome.err + "".join(outcome.lines)
    assert outcome.status == 1, "a host was not read to its end"


def test_a_host_that_went_away_comes_back(hosts: Hosts, server: Server, trace: Trace) -> None:
    run = trace(hosts.add("web1"), hosts.add("web2"), traced=2)
    before = run_programs(1)
    assert eventually(lambda: sum(json.loads(line)["pid"] == before[0] for line in list(run._out)) == 2)
    os.kill(collectors(server)[0], signal.SIGKILL)
    assert eventually(lambda: any("is back" in line for line in run._err)), run._err
    assert eventually(lambda: sum(": tracing " in line for line in run._err) == 3)
    pids = run_programs(PRIME)
    outcome = run.finish()
    counts = Counter((row["host"], row["pid"]) for row in outcome.rows if row["pid"] in pids)
    assert counts == {(host, pid): 1 for host in ("web1", "web2") for pid in pids}
    told = sorted(([c["complete"] for c in outcome.summary[host]] for host in ("web1", "web2")), key=len)
    assert told == [[True], [False, True]]


def test_a_host_that_cannot_be_reached_is_told_and_disturbs_no_other(hosts: Hosts, trace: Trace) -> None:
    bad = [
        hosts.add("refused", "Port 1"),
        hosts.add("nowhere", "HostName nowhere.invalid"),
        hosts.add("stranger", "PubkeyAuthentication no"),
        hosts.add("unknown", "HostKeyAlias other", "StrictHostKeyChecking yes"),
        hosts.add("bare", shell="exec ringtop-is-not-here"),
        hosts.add("chatty", shell="echo Welcome; exec sleep 60"),
        hosts.add("unable", shell="echo 'ringtop: cannot trace: too old\nGet another kernel.' >&2; exit 3"),
    ]
    run = trace(hosts.add("web1"), *bad, traced=1)
    assert eventually(lambda: all(any(f"ringtop: {name}: " in line for line in run._err) for name in bad)), run._err
    pids = run_programs(PRIME)
    outcome = run.finish()
    assert [row["pid"] for row in outcome.rows] == pids
    for said in (
        "Connection refused",
        "ssh cannot find a host of that name",
        "none of your keys",
        "host key is not known",
        "ringtop is not installed there",
        "print nothing",
        "Get another kernel.",
    ):
        assert said in outcome.err, said
    assert outcome.status == 1


def test_where_no_host_answers_it_ends(hosts: Hosts) -> None:
    names = [word for n in range(3) for word in ("--host", hosts.add(f"refused{n}", "Port 1"))]
    done = subprocess.run(
        [*RINGTOP, "trace", "execsnoop", *names], env=hosts.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.count("Connection refused") == 3
    assert done.stdout == ""

"""A real Prometheus scrapes ringtop, and answers what the ledger says."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.tracing import PRIME, RINGTOP
from tests.tui.metrics.prometheus import FILES, expressions, prometheus

WORK = """
import os, sys
for line in sys.stdin:
    execs, files = map(int, line.split())
    for i in range(execs):
        os.waitpid(os.posix_spawn("/bin/true", ["/bin/true", str(i)], {}), 0)
    for i in range(files):
        try: os.unlink(f"/nowhere/at/all/{i}")
        except OSError: pass
    print("done", flush=True)
"""
"""Does as many execs, and as many deletions that fail, as each line says."""
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: ringtop, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Prometheus:
    """A Prometheus that scrapes a port, with the alert rules."""

    def __init__(self, folder: Path, port: int) -> None:
        (folder / "prometheus.yml").write_text(CONFIG.format(rules=FILES / "alerts.yml", port=port))
        self._port = free_port()
        where = f"--web.listen-address=127.0.0.1:{self._port}", f"--storage.tsdb.path={folder}/data"
        command = [prometheus(), f"--config.file={folder}/prometheus.yml", *where, "--log.level=error"]
        self.process = subprocess.Popen(command)

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The answer to an expression."""
        query = urllib.parse.urlencode({"query": expression})
        while True:
            assert self.process.poll() is None
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/query?{query}") as answer:
                    told = json.load(answer)
            except urllib.error.HTTPError as e:
                assert e.code == 503, e.read()  # it starts
            except urllib.error.URLError:
                pass  # it does not listen yet
            else:
                assert told["status"] == "success"
                return list(told["data"]["result"])
            time.sleep(0.05)

    def wait_for(self, expression: str, value: int) -> None:
        """Return once the answer is *value*; a value beyond it is never right."""
        while not (found := self.ask(expression)) or float(found[0]["value"][1]) < value:
            time.sleep(0.05)
        assert float(found[0]["value"][1]) == value


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    """A process that does WORK."""
    command = [sys.executable, "-c", WORK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def work(worker: subprocess.Popen[str], execs: int, files: int) -> None:
    """Have it done."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(execs, files, file=worker.stdin, flush=True)
    assert worker.stdout.readline() == "done\n"


def test_prometheus_answers_what_the_ledger_says(folder: Path, worker: subprocess.Popen[str]) -> None:
    port, file = free_port(), folder / "r.prom"
    prometheus = Prometheus(folder, port)
    where = "--listen", f"127.0.0.1:{port}", "--textfile", str(file)
    words = "metrics", "execsnoop", "unlinksnoop", "--follow", str(worker.pid), "--buffer", "4K", *where
    ringtop = subprocess.Popen([*RINGTOP, *words], stderr=subprocess.PIPE, text=True)
    assert ringtop.stderr is not None
    try:
        prometheus.wait_for("sum(ringtop_running)", 2)
        work(worker, PRIME, 2)
        prometheus.wait_for('ringtop_execsnoop_events_total{command="true ..", result="ok"}', PRIME)
        prometheus.wait_for('ringtop_unlinksnoop_events_total{dir="/nowhere/at/", result="ENOENT"}', 2)
        collector = int(Path(f"/proc/{ringtop.pid}/task/{ringtop.pid}/children").read_text().split()[-1])
        os.kill(collector, signal.SIGSTOP)
        work(worker, 0, 1207)
        os.kill(collector, signal.SIGCONT)
        accounted = "sum(ringtop_lost_total) + sum(ringtop_received_total)"
        prometheus.wait_for(accounted, PRIME + 2 + 1207)
        answers = {
            program: [
                int(prometheus.ask(f'sum({metric}{{program="{program}"}})')[0]["value"][1])
                for metric in ("ringtop_emitted_total", "ringtop_received_total", "ringtop_lost_total")
            ]
            for program in ("execsnoop", "unlinksnoop")
        }
        for expression in expressions():
            prometheus.ask(expression)
        uids = re.search(r"^Uid:\s+(\d+)", Path(f"/proc/{ringtop.pid}/status").read_text(), re.MULTILINE)
        assert uids is not None
        assert uids[1] != "0"
        ringtop.send_signal(signal.SIGINT)
        told = ringtop.stderr.read()
        assert ringtop.wait() == 0, told
    finally:
        for process in (ringtop, prometheus.process):
            process.kill()
            process.wait()
    ledger = re.findall(r"(\w+): ([\d,]+) emitted = ([\d,]+) received \+ ([\d,]+) dropped", told)
    assert answers == {program: [int(n.replace(",", "")) for n in counts] for program, *counts in ledger}
    assert answers["unlinksnoop"][2] > 0
    assert f'ringtop_emitted_total{{program="unlinksnoop"}} {answers["unlinksnoop"][0]:.1f}' in file.read_text()
    assert (file.stat().st_uid, [p for p in folder.iterdir() if p.name.startswith(".r.prom")]) == (0, [])

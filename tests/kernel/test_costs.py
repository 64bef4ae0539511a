"""What ringtop costs, as it tells it itself: bpftool says the same, and so does /proc."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringtop.bpf import stream
from ringtop.bpf.common import sizes
from ringtop.tui.source.client import Client
from tests.kernel.loads import run_programs
from tests.kernel.test_privileges import assert_harmless, children
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, RINGTOP, Tracing
from tests.processes import called, eventually
from tests.terminal import Terminal

SYS_ADMIN = 1 << 21
KILL = 1 << 5


def bpftool(*what: str) -> dict[int, Any]:
    """What bpftool lists, by id."""
    listed = json.loads(subprocess.run(["/usr/sbin/bpftool", "-j", *what], capture_output=True, check=True).stdout)
    return {one["id"]: one for one in listed}


def descriptors(pid: int) -> set[str]:
    """The kinds of files that a process has open."""
    folder = Path(f"/proc/{pid}/fd")
    return {os.readlink(entry).partition("[")[0] for entry in folder.iterdir()}


class Measured:
    """A collector of *programs* that measures."""

    def __init__(self, *programs: str, loader: str = "auto") -> None:
        self.client = Client([*programs, f"--loader={loader}", "--capture", f"ppid={os.getpid()}"])
        self.messages = self.client.messages()
        for _ in programs:
            self.until(stream.State)
        self.client.send(stream.Measure(True))

    def until(self, kind: type, told: Callable[[Any], bool] = lambda message: True) -> Any:
        """The next message of *kind*."""
        return next(m for m in self.messages if isinstance(m, kind) and told(m))


@pytest.fixture
def measured(loader: str) -> Iterator[Measured]:
    one = Measured("runqslower", "execsnoop", "unlinksnoop", loader=loader)
    yield one
    one.client.close()


@BY_EACH_LOADER
def test_programs_and_maps_are_those_that_bpftool_lists(measured: Measured) -> None:
    before = measured.until(stream.Costs)
    programs, maps = bpftool("prog"), bpftool("map")
    after = measured.until(stream.Costs)
    assert before.uncounted == ""
    assert len(before.functions) == len(after.functions) >= 6
    for old, new in zip(before.functions, after.functions, strict=True):
        listed = programs[new.id]
        assert old.id == new.id
        assert (listed["tag"], listed["bytes_jited"], listed["bytes_memlock"]) == (
            new.tag,
            new.jited_bytes,
            new.memory_bytes,
        )
        assert sorted(listed["map_ids"]) == sorted(new.maps)
        assert new.name.startswith(listed["name"])
        assert new.hooks
        assert old.runs <= listed.get("run_cnt", 0) <= new.runs
        assert old.run_ns <= listed.get("run_time_ns", 0) <= new.run_ns
    assert sum(f.runs for f in after.functions if f.program == "runqslower") > PRIME
    for one in after.maps:
        listed = maps[one.id]
        assert (listed["type"], listed.get("name", ""), listed["bytes_key"], listed["bytes_value"]) == (
            one.kind,
            one.name,
            one.key_bytes,
            one.value_bytes,
        )
        assert (listed["max_entries"], listed["bytes_memlock"]) == (one.entries, one.memory_bytes)
    used = {number for function in after.functions for number in function.maps}
    assert used <= {one.id for one in after.maps}
    rings = {one.program for one in after.maps if one.kind == "ringbuf" and one.entries == sizes.DEFAULT["ringbuf"]}
    assert rings == {"runqslower", "execsnoop", "unlinksnoop"}


def test_runs_are_counted_only_while_they_are_asked_for(loader: str) -> None:
    one = Measured("execsnoop", loader=loader)
    first = one.until(stream.Costs)
    run_programs(PRIME)
    counted = one.until(stream.Costs)
    ran = {f.name: f.runs for f in counted.functions}["on_exec"] - {f.name: f.runs for f in first.functions}["on_exec"]
    assert ran >= PRIME
    one.client.send(stream.Measure(False))
    one.client.send(stream.SetCapture(""))
    one.until(stream.State, lambda state: not state.capture)
    ids = [f.id for f in counted.functions]
    before = [bpftool("prog")[number].get("run_cnt", 0) for number in ids]
    run_programs(PRIME)
    assert [bpftool("prog")[number].get("run_cnt", 0) for number in ids] == before
    one.client.close()


def test_processes_are_measured_as_proc_has_them(measured: Measured) -> None:
    pid = measured.client.process.pid
    costs = measured.until(stream.Costs)
    assert [process.name for process in costs.processes] == ["collector", "helper"]
    collector, counter = costs.processes
    assert collector.pid == pid
    assert children(pid) == [counter.pid]
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    assert abs(collector.rss_bytes - int(fields[1]) * resource.getpagesize()) < 4 << 20
    assert 0 < collector.pss_bytes <= collector.rss_bytes
    assert collector.cpu_ns > 10_000_000
    later = measured.until(stream.Costs, lambda c: c.ts_ns > costs.ts_ns)
    assert later.processes[0].wakeups > collector.wakeups


def test_the_helper_has_two_capabilities_and_ends_with_the_collector(measured: Measured) -> None:
    measured.until(stream.Costs)
    pid = measured.client.process.pid
    (counter,) = children(pid)
    assert_harmless(counter, 0, SYS_ADMIN | KILL)
    assert Path(f"/proc/{counter}/cmdline").read_bytes().strip(b"\0") == b"ringtop helper"
    assert descriptors(counter) == {"pipe:", "socket:", "anon_inode:bpf-stats"}
    measured.client.process.kill()
    measured.client.process.wait(120)
    eventually(lambda: not Path(f"/proc/{counter}").exists() or "zombie" in Path(f"/proc/{counter}/status").read_text())


def test_a_collector_without_the_capability_says_why_runs_are_not_counted() -> None:
    without = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
    client = Client(["runqslower"], (*without, *RINGTOP, "collect"))
    messages = client.messages()
    next(m for m in messages if isinstance(m, stream.State))
    client.send(stream.Measure(True))
    costs = next(m for m in messages if isinstance(m, stream.Costs))
    assert "CAP_SYS_ADMIN" in costs.uncounted
    assert costs.functions
    client.close()


def test_the_summary_and_doctor_tell_it_too(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", f"ppid={os.getpid()}")
    (collector,) = children(running.process.pid)
    (counter,) = children(collector)
    eventually(lambda: "anon_inode:bpf-stats" in descriptors(counter))
    run_programs(PRIME)
    cost = running.finish().cost
    by_name = {function["name"]: function for function in cost["functions"]}
    assert by_name["on_exec"]["runs"] >= PRIME
    assert by_name["on_exec"]["run_ns"] > by_name["on_exec"]["runs"]
    assert {process["name"] for process in cost["processes"]} == {"collector", "helper"}
    doctor = subprocess.run([*RINGTOP, "doctor", "--json"], capture_output=True, text=True)
    (execsnoop,) = (p for p in json.loads(doctor.stdout)["programs"] if p["program"] == "execsnoop")
    for function in execsnoop["functions"]:
        told = by_name[function["name"]]
        assert (told["tag"], told["jited_bytes"], told["hooks"]) == (
            function["tag"],
            function["jited_bytes"],
            function["hooks"],
        )
        assert function["runs"] == 0
    memory = {m["name"]: m["memory_bytes"] for m in cost["maps"]}
    assert all(memory[m["name"]] == m["memory_bytes"] for m in execsnoop["maps"])


def priorities(pid: int) -> set[int]:
    """The nice values of all threads of a process."""
    return {os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir()}


def share(pid: int) -> str:
    """The nice value of its session among others (autogroup, sched(7)); empty where the kernel does not group by it."""
    file = Path(f"/proc/{pid}/autogroup")
    return " ".join(file.read_text().split()[1:]) if file.exists() else ""


@pytest.mark.parametrize(("given", "nice"), [((), 10), (("--nice", "3"), 3), (("--nice", "0"), 0)])
def test_what_prints_gives_way_and_the_collector_does_not(tracing: Tracing, given: tuple[str, ...], nice: int) -> None:
    running = tracing("execsnoop", "--capture", f"ppid={os.getpid()}", *given)
    (collector,) = children(running.process.pid)
    assert priorities(running.process.pid) == {nice}
    assert priorities(collector) == {0}
    run_programs(PRIME)
    assert len(running.finish().rows) == PRIME


def test_the_viewer_gives_way_and_a_collector_that_it_starts_does_not(tmp_path: Path) -> None:
    terminal = Terminal([*RINGTOP, "--no-keep-state"], 24, 100, XDG_CONFIG_HOME=str(tmp_path))
    assert terminal.shows("collector running"), terminal.text
    collector = called(b" collect ", terminal.process.pid)[-1]  # after the broker, which has its command line
    viewer = called(b"ringtop.tui", terminal.process.pid)[0]
    assert priorities(viewer) == {10}
    assert priorities(collector) == {0}
    # The viewer leads the terminal's session; the collector has one of its own.
    assert [share(pid) for pid in (viewer, collector)] in (["nice 10", "nice 0"], ["", ""])
    terminal.type("q")
    assert terminal.wait() == 0
    terminal.close()

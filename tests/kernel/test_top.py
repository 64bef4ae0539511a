"""`ringtop top` on the real kernel: exact rows of things that happen an exact number of times."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.loads import Storm
from tests.kernel.tracing import PRIME, RINGTOP

Programs = dict[str, dict[str, Any]]


class Folding:
    """A `ringtop top` whose programs are attached."""

    def __init__(self, *arguments: str) -> None:
        command = [*RINGTOP, "top", *arguments, "--format", "json", "--rows", "100000"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.told: list[str] = []
        begun = threading.Event()

        def read() -> None:
            assert self.process.stderr is not None
            for line in self.process.stderr:
                self.told.append(line)
                if "folding" in line:
                    begun.set()
            begun.set()

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()
        assert begun.wait(120), "the programs were not attached within a minute"
        assert self.process.poll() is None, "".join(self.told)

    def finish(self) -> Programs:
        """Stop it as Ctrl+C does; its last report, by program."""
        time.sleep(1.5)  # until the last look-ups are decided
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=120)
        return {one["program"]: one for one in json.loads(out.splitlines()[-1])["programs"]}

    def collector(self) -> int:
        """The pid of its collector."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@pytest.fixture
def folding() -> Iterator[Callable[..., Folding]]:
    """Start `ringtop top PROGRAM… OPTIONS…`."""
    with ExitStack() as all_ended:

        def start(*arguments: str) -> Folding:
            found = Folding(*arguments)
            all_ended.callback(found.process.kill)
            return found

        yield start


def named(report: dict[str, Any], prefix: str) -> dict[str, dict[str, Any]]:
    """The rows whose key begins with *prefix*."""
    return {row["key"]: row for row in report["rows"] if row["key"].startswith(prefix)}


def whole(report: dict[str, Any]) -> int:
    """Events of its rows and of the others."""
    return sum(row["events"] for row in report["rows"]) + int(report["others"]["events"])


def run(path: Path, count: int) -> None:
    """Start *path* as a child, one after the other."""
    for _ in range(count):
        subprocess.run([path], check=True)


def test_seven_programs_started_as_often(folding: Callable[..., Folding], tmp_path: Path) -> None:
    programs = [tmp_path / f"rt-{letter}" for letter in "abcdefg"]
    for program in programs:
        shutil.copy("/bin/true", program)
    top = folding("execsnoop")
    for program in programs:
        run(program, PRIME)
    report = top.finish()["execsnoop"]
    rows = named(report, "rt-")
    assert {key: (row["count"], row["failed"], row["error"]) for key, row in rows.items()} == {
        program.name: (PRIME, 0, 0) for program in programs
    }
    assert sum(row["count"] for row in rows.values()) == 161
    assert (report["lost"], report["exact"]) == (0, True)
    assert whole(report) == report["events"]


def test_a_search_along_path_and_a_name_that_is_nowhere(folding: Callable[..., Folding], tmp_path: Path) -> None:
    shutil.copy("/bin/true", tmp_path / "rt-there")
    folders = [tmp_path / f"empty{i}" for i in range(8)]
    for folder in folders:
        folder.mkdir()

    def look(name: str, path: list[Path]) -> None:
        """As a shell does: one directory after the other, in a child."""
        pid = os.fork()
        if pid == 0:
            try:
                for folder in path:
                    try:
                        os.execv(folder / name, [name])
                    except OSError:
                        continue
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    top = folding("execsnoop")
    for _ in range(100):
        look("rt-there", [*folders, tmp_path])
        look("rt-gone", folders)
    rows = named(top.finish()["execsnoop"], "rt-")
    there, gone = rows["rt-there"], rows["rt-gone"]
    assert (there["count"], there["search"], there["failed"]) == (100, 800, 0)
    assert (gone["count"], gone["search"], gone["failed"], gone["lookups"]) == (0, 0, 800, 100)
    assert gone["errno"] == "ENOENT"


def run_copies(folder: Path) -> None:
    """Run each of four programs, rt-a to rt-d, PRIME times."""
    for letter in "abcd":
        shutil.copy("/bin/true", program := folder / f"rt-{letter}")
        run(program, PRIME)


def test_a_capture_filter_keeps_the_others_out(folding: Callable[..., Folding], tmp_path: Path) -> None:
    top = folding("execsnoop", "--capture", "comm=rt-b")
    run_copies(tmp_path)
    report = top.finish()["execsnoop"]
    assert {row["key"]: row["count"] for row in report["rows"]} == {"rt-b": PRIME}
    assert report["kept_out"] >= 3 * PRIME


def test_a_display_filter_folds_only_what_it_selects(folding: Callable[..., Folding], tmp_path: Path) -> None:
    top = folding("execsnoop", "--filter", "comm=rt-b")
    run_copies(tmp_path)
    report = top.finish()["execsnoop"]
    assert ({row["key"]: row["count"] for row in report["rows"]}, report["events"]) == ({"rt-b": PRIME}, PRIME)


def test_a_flood_through_a_small_ring_is_counted_or_lost(folding: Callable[..., Folding]) -> None:
    own = Path("/proc/self/comm")
    before = own.read_text()
    own.write_text("rt-storm")  # so that nobody else's deletions are among those that are lost
    storm = Storm(100_000)
    own.write_text(before)
    top = folding("unlinksnoop", "--buffer", "64K", "--capture", "comm=rt-storm", "--check")
    collector = top.collector()
    os.kill(collector, signal.SIGSTOP)  # so that some are lost
    storm.release()
    time.sleep(0.3)
    os.kill(collector, signal.SIGCONT)
    while not storm.over():
        time.sleep(0.01)
    report = top.finish()["unlinksnoop"]
    assert top.process.returncode == 4
    (row,) = report["rows"]
    assert report["lost"] > 0
    assert whole(report) == report["events"]
    assert whole(report) + report["lost"] == storm.total == 200_000
    assert not report["exact"]
    assert row["share"] <= 1 == row["share_high"], "all of them were its own"
    assert "lost at" in report["verdict"]

"""What a run of ringtop has in the kernel: processes and BPF programs, while it lives and afterwards."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path


def eventually(happened: Callable[[], bool]) -> bool:
    """Whether it comes about within two minutes, which a machine with much else to do may need."""
    for _ in range(2400):
        if happened():
            return True
        time.sleep(0.05)
    return False


def descendants(pid: int) -> list[int]:
    """All that *pid* started, and they did."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return children + [below for child in children for below in descendants(child)]


def called(words: bytes, top: int) -> list[int]:
    """*top* and its descendants, those that have *words* on their command line."""

    def line(pid: int) -> bytes:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            return b""

    return [pid for pid in [top, *descendants(top)] if words in line(pid)]


def state(pid: int) -> str:
    """S: it waits, T: it is stopped; Z, or nothing: it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def ended(pids: Iterable[int]) -> bool:
    """Whether they all end."""
    pids = list(pids)
    return eventually(lambda: all(state(pid) in ("", "Z") for pid in pids))


def attached(collector: int) -> bool:
    """Whether all its programs get attached: then it gives up root."""

    def uid() -> str:
        return Path(f"/proc/{collector}/status").read_text().split("Uid:")[1].split()[0]

    return eventually(lambda: uid() != "0")


def programs(pid: int) -> set[int]:
    """Ids of the BPF programs that a process holds, by its file descriptors."""
    found = set()
    for file in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found |= {int(number) for number in re.findall(r"^prog_id:\s*(\d+)", file.read_text(), re.MULTILINE)}
    return found


def loaded() -> set[int]:
    """Ids of all BPF programs in the kernel."""
    listed = json.loads(subprocess.run(["/usr/sbin/bpftool", "-j", "prog"], capture_output=True, check=True).stdout)
    return {p["id"] for p in listed}


def gone(ids: set[int]) -> bool:
    """Whether they leave the kernel, which frees a program a grace period after its last holder's end."""
    return eventually(lambda: not ids & loaded())

"""A prime number of each thing happens, and as many rows come out: on both transports, and beside libbpf-tools."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from ringtop.bpf.collector.start import load_tracer
from ringtop.bpf.kernel import loader
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import ladder
from ringtop.bpf.options.collector import CollectorOptions
from tests.kernel.loads import Waits, delete_files, fail_programs, run_programs
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, Tracing, assert_balanced

ME = f"ppid={os.getpid()}"
BOTH = pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])


@BY_EACH_LOADER
@BOTH
def test_every_exec_is_a_row(tracing: Tracing, transport: str, loader: str) -> None:
    running = tracing("execsnoop", "--transport", transport, "--capture", ME)
    pids = run_programs(PRIME)
    fail_programs(PRIME, "/nonexistent/program")
    outcome = running.finish()

    assert outcome.status == 0, outcome.err
    done = [r for r in outcome.rows if r["ret"] == 0]
    failed = [r for r in outcome.rows if r["ret"] != 0]
    assert [r["pid"] for r in done] == pids
    assert [r["argv"] for r in done] == [["/bin/true", "first", f"number {i}", ""] for i in range(PRIME)]
    assert {(r["filename"], r["comm"], r["argc"], r["truncated"], r["uid"]) for r in done} == {
        ("/bin/true", "true", 4, False, os.getuid())
    }
    assert [(r["filename"], r["ret"], r["argv"]) for r in failed] == [
        ("/nonexistent/program", -2, ["/nonexistent/program", str(i)]) for i in range(PRIME)
    ]
    assert_balanced(outcome.summary)
    assert outcome.summary["execsnoop"]["transport"] == transport
    assert outcome.summary["execsnoop"]["loader"] == loader
    assert outcome.summary["execsnoop"]["emitted"] == 2 * PRIME


@BY_EACH_LOADER
@BOTH
def test_every_deletion_is_a_row(tracing: Tracing, tmp_path: Path, transport: str) -> None:
    running = tracing("unlinksnoop", "--transport", transport, "--capture", f"pid={os.getpid()}")
    delete_files(tmp_path, PRIME)
    outcome = running.finish()

    expected = []
    for i in range(PRIME):
        expected += [
            ("unlink", 0, f"{tmp_path}/file {i}"),
            ("rmdir", 0, f"{tmp_path}/folder {i}"),
            ("unlink", -2, f"{tmp_path}/missing {i}"),
        ]
    assert [(r["op"], r["ret"], r["path"]) for r in outcome.rows] == expected
    assert {(r["pid"], r["ppid"], r["dfd"], r["truncated"]) for r in outcome.rows} == {
        (os.getpid(), os.getppid(), -100, False)
    }
    assert_balanced(outcome.summary)


@BY_EACH_LOADER
def test_deletion_relative_to_a_folder(tracing: Tracing, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    running = tracing("unlinksnoop", "--capture", f"pid={os.getpid()}")
    folder = os.open(tmp_path, os.O_RDONLY)
    os.unlink("file", dir_fd=folder)
    os.rmdir("folder", dir_fd=folder)
    outcome = running.finish()
    os.close(folder)
    assert [(r["op"], r["dfd"], r["path"]) for r in outcome.rows] == [
        ("unlink", folder, "file"),
        ("rmdir", folder, "folder"),
    ]


@BY_EACH_LOADER
def test_a_path_as_long_as_the_kernel_takes(tracing: Tracing) -> None:
    longest = ("/" + "x" * 199) * 20 + "/" + "y" * 94  # PATH_MAX - 1
    running = tracing("unlinksnoop", "--capture", f"pid={os.getpid()}")
    for path in (longest, longest + "z"):
        with pytest.raises(OSError):
            os.unlink(path)
    outcome = running.finish()
    assert [len(r["path"]) for r in outcome.rows] == [4095, 4095]
    assert outcome.rows[0]["path"] == longest
    assert outcome.rows[1]["truncated"] is True


@BY_EACH_LOADER
@BOTH
@pytest.mark.parametrize("preempted", [False, True], ids=["woken", "preempted"])
def test_every_long_wait_is_a_row(tracing: Tracing, transport: str, preempted: bool) -> None:
    waits = Waits(preempted)
    try:
        # Nobody else's: on a virtual machine a CPU may be taken away in the middle, which is a wait as well.
        forced = ("--capture", f"tid={waits.victim}", "--filter", f"prev_tid={waits.hog}")
        running = tracing("runqslower", "--transport", transport, *forced)
        waits.force(PRIME)
        outcome = running.finish()
    finally:
        waits.close()
    assert len(outcome.rows) == PRIME, outcome.rows
    for row in outcome.rows:
        assert row["latency_us"] >= 10_000
        assert row["preempted"] is preempted
        assert (row["pid"], row["tid"], row["cpu"]) == (waits.victim, waits.victim, 0)
        assert (row["ppid"], row["uid"], row["prev_pid"]) == (os.getpid(), os.getuid(), waits.hog)
    assert_balanced(outcome.summary)


@BY_EACH_LOADER
def test_exec_by_descriptor_and_by_a_thread(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", ME)
    by_thread = "import os, threading; threading.Thread(target=os.execv, args=('/bin/true', ['by thread'])).start()"
    pid = os.fork()
    if pid == 0:
        os.execve(os.open("/bin/true", os.O_RDONLY), ["by descriptor"], {})
    os.waitpid(pid, 0)
    child = subprocess.Popen(["/usr/bin/python3", "-c", by_thread])
    child.wait()
    outcome = running.finish()
    found = {r["argv"][0]: r for r in outcome.rows if r["ret"] == 0}
    assert found["by descriptor"]["pid"] == pid
    assert found["by thread"]["pid"] == child.pid
    assert found["by thread"]["tid"] != child.pid


@BY_EACH_LOADER
def test_a_call_that_entered_before_the_start_is_told_whole(tracing: Tracing, tmp_path: Path) -> None:
    """An exec waits until the lease of the file is given up, and then fails: the file is no program."""
    path = tmp_path / "no program"
    path.write_text("neither")
    path.chmod(0o755)
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # the kernel asks for the lease to be given up
    lease = os.open(path, os.O_RDONLY)
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    pid = os.fork()
    if pid == 0:
        os.close(lease)  # or the lease would last until the kernel takes it away
        with suppress(OSError):
            os.execv(path, ["early", "first", ""])
        os._exit(0)
    try:
        while "break_lease" not in Path(f"/proc/{pid}/wchan").read_text():
            time.sleep(0.01)
        running = tracing("execsnoop", "--capture", ME)
    finally:
        os.close(lease)
        os.waitpid(pid, 0)
        signal.signal(signal.SIGIO, before)
    (row,) = (r for r in running.finish().rows if r["pid"] == pid)
    assert (row["ret"], row["filename"], row["truncated"]) == (-errno.ENOEXEC, str(path), False)
    assert row["argv"] == ["early", "first", ""]


@BY_EACH_LOADER
def test_arguments_that_cannot_be_read_are_told_as_far_as_they_can(tracing: Tracing) -> None:
    """The kernel refuses each of these (EFAULT), and ringtop reads what there is."""
    nowhere, libc = ctypes.c_void_p(8), ctypes.CDLL(None)
    running = tracing("execsnoop", "unlinksnoop", "--capture", f"pid={os.getpid()}")
    libc.execve(nowhere, (ctypes.c_char_p * 2)(b"told", None), None)
    libc.execve(b"/bin/true", (ctypes.c_void_p * 3)(ctypes.addressof(ctypes.create_string_buffer(b"")), 8, None), None)
    libc.unlink(nowhere)
    libc.rmdir(nowhere)
    outcome = running.finish()
    assert {(r["ret"], r["truncated"]) for r in outcome.rows} == {(-errno.EFAULT, True)}
    told = sorted((r["program"], r.get("filename", r.get("path"))) for r in outcome.rows)
    assert told == [("execsnoop", ""), ("execsnoop", "/bin/true"), ("unlinksnoop", ""), ("unlinksnoop", "")]
    assert [r["argv"] for r in outcome.rows if r.get("filename") == ""] == [["told"]]
    assert_balanced(outcome.summary)


@BY_EACH_LOADER
def test_a_failed_exec_is_truncated_exactly_when_something_is_missing(tracing: Tracing) -> None:
    libc = ctypes.CDLL(None)
    running = tracing("execsnoop", "--capture", f"pid={os.getpid()}")
    given = [[b"x", b"y" * size] for size in (4094, 4095, 4096, 6000)] + [[b"x"] * 60, [b"x"] * 61, [], None]
    for args in given:
        array = None if args is None else (ctypes.c_char_p * (len(args) + 1))(*args, None)
        libc.execve(b"/nonexistent", array, None)
    long = b"/" + b"/".join([b"n" * 255] * 16)
    paths = [long[:4095], long[:4094] + b"/n"]
    for path in paths:
        libc.execve(path, None, None)
    outcome = running.finish()
    rows = outcome.rows[: len(given)]
    kept = [[arg.encode() for arg in row["argv"]] for row in rows]
    assert kept[:2] == given[:2]
    assert [len(args[1]) for args in kept[2:4]] == [4095, 4095]
    assert [row["truncated"] for row in rows] == [False, False, True, True, False, True, False, False]
    told = [(row["filename"].encode(), row["truncated"], row["errno"]) for row in outcome.rows[len(given) :]]
    assert told == [(paths[0], False, "ENOENT"), (paths[1][:4095], True, "ENAMETOOLONG")]
    assert_balanced(outcome.summary)


@BY_EACH_LOADER
def test_arguments_are_cut_only_past_what_is_promised(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", ME)
    most = 8191 - len("/bin/true\0") - 1
    for size in (most, most + 1):
        subprocess.run(["/bin/true", "x" * size], check=True)
    outcome = running.finish()
    assert [(len(r["argv"][1]), r["truncated"]) for r in outcome.rows] == [(most, False), (most + 1, True)]


@BY_EACH_LOADER
def test_nothing_of_ringtop_itself(tracing: Tracing) -> None:
    running = tracing("runqslower", "execsnoop", "unlinksnoop", "--min-us", "0")
    run_programs(PRIME)
    time.sleep(0.5)
    outcome = running.finish()
    assert sum(r["program"] == "execsnoop" and r["ppid"] == os.getpid() for r in outcome.rows) == PRIME
    collector = {r["pid"] for r in outcome.rows} & {running.process.pid}
    assert not collector
    assert_balanced(outcome.summary)


def _lines_of(tool: list[str], act: object, number: int) -> list[str]:
    """What a tool of libbpf-tools printed while *act* ran. Lines about us have the word *number*."""
    words = ["stdbuf", "-oL", *tool]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", bufsize=1
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
    reader.start()
    wchan = Path(f"/proc/{process.pid}/wchan")
    while not lines or "poll" not in wchan.read_text():  # it opens its buffers after its header, then waits for them
        time.sleep(0.01)
    act()  # type: ignore[operator]

    def ours() -> int:
        return sum(str(number) in line.split() for line in lines)

    seen = -1
    while seen != ours():  # it goes on with what others do
        seen = ours()
        time.sleep(1)
    process.terminate()
    process.wait()
    reader.join()
    return lines


def test_agrees_with_execsnoop_of_libbpf_tools(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", ME)

    def act() -> None:
        run_programs(PRIME)
        fail_programs(PRIME, "/nonexistent/program")

    theirs = []
    for line in _lines_of(["/usr/sbin/execsnoop", "-x"], act, os.getpid()):
        found = re.match(r"(\S+)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(\S+)", line)
        if found and int(found[3]) == os.getpid():
            theirs.append((found[1], int(found[2]), int(found[4]), found[5]))
    outcome = running.finish()
    ours = [(r["comm"], r["pid"], r["ret"], r["argv"][0]) for r in outcome.rows]
    fired = ("/bin/true", "/nonexistent/program")  # and not the search for the tool itself
    assert sum(argv in fired for *_, argv in ours) == 2 * PRIME
    assert Counter(o for o in ours if o[3] in fired) == Counter(t for t in theirs if t[3] in fired)


def test_agrees_with_runqslower_of_libbpf_tools(tracing: Tracing) -> None:
    waits = Waits(preempted=False)
    try:
        running = tracing("runqslower", "--capture", f"tid={waits.victim}")
        lines = _lines_of(
            ["/usr/sbin/runqslower", "-t", str(waits.victim), "10000"], lambda: waits.force(PRIME), waits.victim
        )
        outcome = running.finish()
    finally:
        waits.close()
    theirs = [int(line.split()[-1]) for line in lines if str(waits.victim) in line.split()]
    ours = [r["latency_us"] for r in outcome.rows]
    assert len(ours) == len(theirs) == PRIME
    # Two clocks read a few instructions apart: the same wait, to a fraction of its length.
    assert all(abs(a - b) < 1000 for a, b in zip(ours, theirs, strict=True)), list(zip(ours, theirs, strict=True))


CALLS_OF_32_BITS = """
import ctypes, mmap
code = mmap.mmap(-1, mmap.PAGESIZE, prot=7)
# push rbx; mov eax, edi; mov ebx, esi; xor ecx, ecx; int 0x80; pop rbx; ret
code.write(bytes.fromhex("5389f889f331c9cd805bc3"))
call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
print(call(322, 1) > 0, call(322, 99))
"""
"""timerfd_create, whose number is that of execveat for 64 bits: one that succeeds, one that fails."""


@pytest.mark.parametrize("number", range(len(ladder("execsnoop", Kernel()))))
def test_calls_of_32_bits_are_not_taken_for_others(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without BTF the exits of all calls are seen, and told apart by their numbers."""
    monkeypatch.setattr(loader, "ladder", lambda program, kernel: [ladder(program, kernel)[number]])
    tracer = load_tracer("execsnoop", Kernel(), CollectorOptions())
    try:
        tracer.attach()
        process = subprocess.Popen([sys.executable, "-c", CALLS_OF_32_BITS], stdout=subprocess.PIPE, text=True)
        assert process.communicate()[0] == "True -22\n"
        tracer.stop()
        rows = tracer.drain(1 << 62).batch.rows
        assert rows["ret"][rows["pid"] == process.pid].tolist() == [0], "the program's start alone"
    finally:
        tracer.close()

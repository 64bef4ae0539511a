"""Sessions of the viewer, as root and as a user: it draws, `t` changes the transport or says why not, `q` leaves
nothing behind, also while a program compiles."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from glob import glob
from pathlib import Path

from ringtop.bpf.common.transports import NAMES
from ringtop.bpf.event.schema import usual
from ringtop.bpf.kernel.features import Kernel
from tests.kernel.loads import run_programs
from tests.kernel.tracing import RINGTOP
from tests.kernel.watcher import as_watcher
from tests.kernels.trial import Trial, tried, until
from tests.processes import descendants, loaded, state
from tests.terminal import Terminal

_QUITS = 10
_LEAVES = "exit status 0, nothing printed, no process, BPF program or file left"


def _open(folder: str, before: Sequence[str] = (), *arguments: str) -> Terminal:
    """The viewer on a terminal. *before* is what its command begins with; it keeps its files in *folder*."""
    Path(folder).chmod(0o777)  # the viewer is nobody once its collector runs
    homes = ("env", f"XDG_STATE_HOME={folder}", f"XDG_CONFIG_HOME={folder}")  # sudo keeps no such variables
    return Terminal([*before, *homes, *RINGTOP, *arguments], 40, 140)


def _draws(terminal: Terminal) -> str:
    until(lambda: all(word in terminal.screen for word in (*usual(), "running")))
    until(lambda: bool(run_programs(1)) and "/bin/true" in terminal.screen)
    return "all tables, and an event"


def _changes(terminal: Terminal, kernel: Kernel) -> str:
    told = kernel.no_ringbuf or NAMES["perfbuf"]
    words = re.compile(r"\W.*?\b".join(re.findall(r"\w+", told)), re.DOTALL)  # a line may end after any of them
    terminal.type("t")
    until(lambda: bool(words.search(terminal.screen)))
    return f'says "{told}"' if kernel.no_ringbuf else f"the {NAMES['ringbuf']} gives way to {told}"


def _headers() -> set[str]:
    """The files that were written for a compiler: one each time it runs."""
    return set(glob("/tmp/ringtop-*/used/*/include/linux/kconfig.h"))  # pathlib's fails where a folder goes meanwhile


def _remains() -> set[int | str]:
    """What a collector could leave: BPF programs and files."""
    return {*loaded(), *_headers()}


def _leaves(terminal: Terminal, before: set[int | str]) -> float:
    """Seconds from `q` until none of its processes is left."""
    processes = descendants(terminal.process.pid)
    start = time.monotonic()
    terminal.type("q")
    until(lambda: terminal.process.poll() is not None and all(state(pid) in ("", "Z") for pid in processes))
    took = time.monotonic() - start
    status = terminal.wait()
    assert status == 0, f"exit status {status}"
    assert not terminal.left, f"it printed {terminal.left!r}"
    until(lambda: _remains() <= before)
    return took


def _quits(terminal: Terminal, before: set[int | str]) -> str:
    return f"{_LEAVES}, after {_leaves(terminal, before):.1f} s"


def _session(who: str, command: Sequence[str], kernel: Kernel) -> Iterator[Trial]:
    before = _remains()
    with tempfile.TemporaryDirectory() as folder:
        terminal = _open(folder, command)
        try:
            for name, attempt in (
                ("starts", partial(_draws, terminal)),
                ("`t`", partial(_changes, terminal, kernel)),
                ("`q`", partial(_quits, terminal, before)),
            ):
                trial = tried("Viewer", {"started by": who, "viewer": name}, attempt)
                yield trial
                if not trial.ok:
                    print(terminal.screen, file=sys.stderr)
        finally:
            terminal.close()


def _quits_while_compiling() -> str:
    before, took = _remains(), []
    for number in range(_QUITS):
        with tempfile.TemporaryDirectory() as folder:
            terminal = _open(folder, (), "--loader", "bcc")
            try:
                until(lambda terminal=terminal: "loading" in terminal.screen and not _headers() <= before)
                time.sleep(number / 10)  # another moment each time
                took.append(_leaves(terminal, before))
            finally:
                terminal.close()
    return f"{len(took)} of {_QUITS}: {_LEAVES}, after {max(took):.1f} s at most"


def check() -> Iterator[Trial]:
    """A session for each way to start the viewer, and the end of some that have hardly begun."""
    kernel = Kernel()
    with tempfile.TemporaryDirectory() as folder:
        user = as_watcher(Path(folder))
        for who, command in (("root", []), ("`sudo ringtop`", [*user, "sudo"]), ("a user, by sudo", user)):
            yield from _session(who, command, kernel)
    yield tried("Viewer", {"started by": "root", "viewer": "`q` while a program compiles"}, _quits_while_compiling)

"""A session of the viewer: it draws, `t` changes the transport or says why not, `q` leaves nothing behind."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ringtop.bpf.common.transports import NAMES
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel.features import Kernel
from tests.kernel.loads import run_programs
from tests.kernel.tracing import RINGTOP
from tests.kernels.trial import Trial, tried, until
from tests.processes import loaded
from tests.terminal import Terminal


def _draws(terminal: Terminal) -> str:
    until(lambda: all(word in terminal.screen for word in (*SCHEMAS, "running")))
    until(lambda: bool(run_programs(1)) and "/bin/true" in terminal.screen)
    return "all tables, and an event"


def _changes(terminal: Terminal, kernel: Kernel) -> str:
    told = kernel.no_ringbuf or NAMES["perfbuf"]
    words = re.compile(r"\W.*?\b".join(re.findall(r"\w+", told)), re.DOTALL)  # a line may end after any of them
    terminal.type("t")
    until(lambda: bool(words.search(terminal.screen)))
    return f'says "{told}"' if kernel.no_ringbuf else f"the {NAMES['ringbuf']} gives way to {told}"


def _quits(terminal: Terminal, before: set[int]) -> str:
    terminal.type("q")
    until(lambda: terminal.process.poll() is not None)
    status = terminal.wait()
    assert status == 0, f"exit status {status}"
    until(lambda: loaded() <= before)
    return "exit status 0, no BPF program is left"


def check() -> Iterator[Trial]:
    """A trial for each thing, in one session."""
    before = loaded()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # the viewer is nobody once its collector runs
        homes = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), folder)
        terminal = Terminal(RINGTOP, 40, 140, **homes)
        try:
            for name, attempt in (
                ("starts", partial(_draws, terminal)),
                ("`t`", partial(_changes, terminal, Kernel())),
                ("`q`", partial(_quits, terminal, before)),
            ):
                trial = tried("Viewer", {"viewer": name}, attempt)
                yield trial
                if not trial.ok:
                    print(terminal.screen, file=sys.stderr)
        finally:
            terminal.close()

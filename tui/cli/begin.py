"""How a command without a screen begins."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import give_up_root
from ringtop.tui.settings.config import Config
from ringtop.tui.source.client import Client, arguments


def collector(options: CollectorOptions, nice: int | None) -> Client:
    """Start a collector, then give way and give up root. Whatever takes long to import is best imported after this
    call."""
    client = Client(arguments(options))
    give_way(nice)
    give_up_root()
    return client


def give_way(nice: int | None) -> None:
    """Lower the priority of this process by *nice*, or by as much as is usual. Processes that it started keep theirs,
    and threads that it starts later get its own. Call it while this process is root, if it is."""
    given = Config().nice if nice is None else nice
    os.nice(given)
    if os.getsid(0) == os.getpid():
        # Where the kernel groups tasks by session (autogroup, sched(7)), nice counts only within a session. A shell's
        # session has other tasks, which are not to be slowed down; one that this process leads ends with it.
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(given))

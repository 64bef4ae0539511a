"""How a command without a screen begins."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ringtop.bpf.common.signals import ENDING
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import chosen, give_up_root
from ringtop.tui.cli.command import Command
from ringtop.tui.settings.config import Config
from ringtop.tui.source.client import Client, arguments

if TYPE_CHECKING:
    from ringtop.tui.source.remote import RemoteSource


def collector(options: CollectorOptions, nice: int | None, command: Command | None = None) -> Client:
    """Start a collector, which follows only *command* if there is one; then give way and give up root. Whatever takes
    long to import is best imported after this call: until ``when_told``, the signals that end a process wait."""
    client = Client(arguments(options, command.pid if command else 0))
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # only now: the collector would inherit it
    give_way(nice)
    give_up_root()
    return client


def remote(hosts: Sequence[str], options: CollectorOptions, nice: int | None) -> list[RemoteSource]:
    """The sources of collectors on other *hosts*, which are not started yet; then give way. Who called sudo has a
    config and keys for ssh; root itself goes on as root, because those are its own."""
    from ringtop.tui.source.remote import RemoteSource

    give_way(nice)
    if (account := chosen()) is not None and account.person:
        give_up_root()
    return [RemoteSource(host, options) for host in hosts]


def launch(words: Sequence[str], output: int | None = None) -> Command | None:
    """The process that becomes the command *words* once it is started, of the user who called sudo, or else of ours;
    *output* is the file for what it prints. None without *words*. Raises CannotLaunch. Call it before anything else
    starts."""
    if not words:
        return None
    account = chosen()
    return Command(words, account if account is not None and account.person else None, output)


def give_way(nice: int | None) -> None:
    """Lower the priority of this process at once, as ``giving_way`` says."""
    giving_way(nice)()


def giving_way(nice: int | None) -> Callable[[], None]:
    """Return what lowers the priority of this process by *nice*, or by as much as is usual, with all its threads.
    Processes that it started keep theirs. Call this while the process is root, if it is; what it returns needs no
    right."""
    given = Config().nice if nice is None else nice
    group: int | None = None
    if os.getsid(0) == os.getpid():
        # Where the kernel groups tasks by session (autogroup, sched(7)), nice counts only within a session. A shell's
        # session has other tasks, which are not to be slowed down; one that this process leads ends with it.
        with suppress(OSError):
            group = os.open("/proc/self/autogroup", os.O_WRONLY | os.O_CLOEXEC)

    def lower() -> None:
        lowered = os.getpriority(os.PRIO_PROCESS, 0) + given
        for task in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # it has ended
                os.setpriority(os.PRIO_PROCESS, int(task.name), lowered)
        if group is not None:
            with suppress(OSError):
                os.write(group, str(given).encode())
            os.close(group)

    return lower

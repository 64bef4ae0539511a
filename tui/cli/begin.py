"""How a command without a screen begins."""

from __future__ import annotations

import os

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import give_up_root
from ringtop.tui.settings.config import Config
from ringtop.tui.source.client import Client, arguments


def collector(options: CollectorOptions, nice: int | None) -> Client:
    """Start a collector, then give up root and give way. Whatever takes long to import is best imported after this
    call."""
    client = Client(arguments(options))
    give_up_root()
    give_way(nice)
    return client


def give_way(nice: int | None) -> None:
    """Lower the priority of this process by *nice*, or by as much as is usual. Processes that it started keep
    theirs."""
    os.nice(Config().nice if nice is None else nice)

"""How a command without a screen begins."""

from __future__ import annotations

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import give_up_root
from ringtop.tui.source.client import Client, arguments


def collector(options: CollectorOptions) -> Client:
    """Start a collector, and then give up root. Whatever takes long to import is best imported after this call."""
    client = Client(arguments(options))
    give_up_root()
    return client

"""``ringtop metrics``: a stream as metrics, for Prometheus or for a file that node_exporter reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.begin import collector
from ringtop.tui.cli.extras import need
from ringtop.tui.cli.replacer import Replacer
from ringtop.tui.text.text import safe


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """The command line of ``metrics``."""

    collector: CollectorOptions
    listen: tuple[str, int] | None = None
    textfile: Path | None = None
    duration: float | None = None
    nice: int | None = None
    quiet: bool = False


def run(options: MetricsOptions) -> int:
    """Measure until told to end, and return the exit status. Raises UsageError, and CannotTrace where the library is
    missing or the collector cannot trace."""
    need("prometheus_client", "metrics", "metrics")
    replacer = None
    if options.textfile is not None:
        try:
            replacer = Replacer(options.textfile)
        except OSError as e:
            raise click.UsageError(f"{safe(str(options.textfile))} cannot be written: {e.strerror}") from e
    client = collector(options.collector, options.nice)

    from ringtop.tui.cli.exposing import Exposing  # while the collector starts

    measuring = Exposing(options, client, replacer)
    if not measuring.listen():
        client.close()
        return 1
    return measuring.run(2)

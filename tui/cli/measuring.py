"""The command line of ``ringtop metrics``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.options import STATUS, duration_option, explicit, flag, flags, programs_argument, quiet_option
from ringtop.tui.settings.config import Config

_FILES = Path(__file__).parents[1] / "metrics"
_PLACE = re.compile(r"(?:(?P<host>[^:\[\]]+)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\]):(?P<port>[0-9]{1,5})")

Address = tuple[str, int]


class Place(click.ParamType[Address]):
    """An address with a port, such as 127.0.0.1:9435 or [::1]:9435."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """The address and the port."""
        if isinstance(value, tuple):
            return value
        found = _PLACE.fullmatch(value)
        if found is None or not 0 < int(found["port"]) < 1 << 16:
            self.fail(f"{value!r} is not ADDRESS:PORT, such as 127.0.0.1:9435 or [::1]:9435", param, ctx)
        return found["host"] or found["ipv6"], int(found["port"])


class Textfile(click.ParamType[Path]):
    """A file that node_exporter reads."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path."""
        if not str(value).endswith(".prom"):
            self.fail(f"{str(value)!r} does not end in .prom, and node_exporter reads no other files", param, ctx)
        return Path(value)


@click.command(epilog=f"A dashboard for Grafana and alert rules for Prometheus are in {_FILES}.\n\n{STATUS}")
@programs_argument(required=False)
@flags(CollectorOptions, "programs")
@click.option(
    "--listen",
    type=Place(),
    metavar="ADDRESS:PORT",
    help="Where Prometheus may ask. Whoever reaches it can read which commands run. [default: 127.0.0.1:9435, or "
    "nowhere with --textfile]",
)
@click.option(
    "--textfile",
    type=Textfile(),
    metavar="PATH",
    help="File for node_exporter's textfile collector, replaced whole every 15 seconds and at the end.",
)
@duration_option
@flag(Config, "nice")
@quiet_option
def metrics(
    listen: Address | None,
    textfile: Path | None,
    duration: float | None,
    nice: int | None,
    quiet: bool,
    **given: Any,
) -> int:
    """Serve metrics to Prometheus, or write them for node_exporter.

    Every event received is counted, by the key of its ranked row (directories by their first two names) and its result.
    The first 100 keys of a program have values of their own, all others are counted as "other". All waits for a CPU are
    a histogram. What was lost is counted by program, CPU and reason. Meanwhile the kernel counts and times the runs
    of all BPF programs of the machine, which costs every run a little.

    \b
      ringtop metrics
      ringtop metrics execsnoop unlinksnoop --listen 0.0.0.0:9435
      ringtop metrics --textfile /var/lib/prometheus/node-exporter/ringtop.prom
    """
    from ringtop.tui.cli.metrics import MetricsOptions, run

    if listen is None and textfile is None:
        listen = "127.0.0.1", 9435
    collector = CollectorOptions(**explicit(given))
    return run(MetricsOptions(collector, listen, textfile, duration, nice, quiet))

"""``ringtop doctor``: reports what this machine offers, for people and for scripts."""

from __future__ import annotations

import click
import msgspec

from ringtop.bpf.collector.doctor import examine
from ringtop.bpf.common.errors import CANNOT_TRACE
from ringtop.bpf.common.transports import NAMES
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.lines.json_lines import escaped_json
from ringtop.tui.text.text import safe

_A_PART = 5
"""Exit status when some programs can run here and some cannot."""


def run(json: bool) -> int:
    """Print the findings. The returned exit status shows whether all, some or none of the programs can run."""
    found = examine()
    able = sum(bool(c.hook) for c in found["programs"])
    status = {len(SCHEMAS): 0, 0: CANNOT_TRACE}.get(able, _A_PART)
    if json:
        click.echo(escaped_json(msgspec.json.format(msgspec.json.encode(found)).decode()))
        return status
    for f in found["findings"]:
        mark = click.style("ok ", fg="green") if f.ok else click.style("no ", fg="red" if f.needed else "yellow")
        click.echo(f"{mark} {f.name:<12} {safe(f.what)}")
        if f.cure:
            click.echo(f"{'':16} {safe(f.cure)}")
    for c in found["programs"]:
        mark = click.style("ok ", fg="green") if c.hook else click.style("no ", fg="red")
        how = f"{safe(c.hook)}; {NAMES[c.transport]}; loader {c.loader}" if c.hook else "cannot run"
        click.echo(f"{mark} {c.program:<12} {how}")
        if c.without:
            click.echo(f"{'':16} without {safe(c.without)}")
        for reason in [*c.passed_over, *([f"core: {c.no_core}"] if c.no_core else [])]:
            click.echo(f"{'':16} not {safe(reason)}")
    click.echo(f"{able} of {len(SCHEMAS)} programs can run here.")
    return status

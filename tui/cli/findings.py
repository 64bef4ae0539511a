"""``ringtop doctor``: what this machine offers, for people and for scripts."""

from __future__ import annotations

import click
import msgspec

from ringtop.bpf.collector.doctor import examine
from ringtop.bpf.common.transports import NAMES
from ringtop.tui.lines.json_lines import escaped_json
from ringtop.tui.text.text import safe


def run(json: bool) -> int:
    """Print the findings; 0 when the main job can run, 3 when it cannot."""
    found = examine()
    if json:
        click.echo(escaped_json(msgspec.json.format(msgspec.json.encode(found)).decode()))
        return 0 if found["ok"] else 3
    for f in found["findings"]:
        mark = click.style("ok ", fg="green") if f.ok else click.style("no ", fg="red" if f.needed else "yellow")
        click.echo(f"{mark} {f.name:<12} {safe(f.what)}")
        if f.cure:
            click.echo(f"{'':16} {safe(f.cure)}")
    for c in found["programs"]:
        mark = click.style("ok ", fg="green") if c.hook else click.style("no ", fg="red")
        how = f"{safe(c.hook)}; {NAMES[c.transport]}; loader {c.loader}" if c.hook else "cannot run"
        click.echo(f"{mark} {c.program:<12} {how}")
        for reason in [*c.passed_over, *([f"core: {c.no_core}"] if c.no_core else [])]:
            click.echo(f"{'':16} not {safe(reason)}")
    click.echo("ringtop can trace here." if found["ok"] else "ringtop cannot trace here.")
    return 0 if found["ok"] else 3

"""``ringtop doctor``: reports what this machine offers, for people and for scripts."""

from __future__ import annotations

import click
import msgspec

from ringtop.bpf.collector.doctor import examine
from ringtop.bpf.common.errors import CANNOT_TRACE
from ringtop.bpf.common.transports import NAMES
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.cli.output import Output
from ringtop.tui.lines.json_lines import escaped_json, untagged
from ringtop.tui.text.text import safe

_A_PART = 5
"""Exit status when some programs can run here and some cannot."""


def run(json: bool) -> int:
    """Print the findings. The returned exit status shows whether all, some or none of the programs can run."""
    found = examine()
    able = sum(bool(c.hook) for c in found["programs"])
    status = {len(SCHEMAS): 0, 0: CANNOT_TRACE}.get(able, _A_PART)
    out = Output("json" if json else "table")
    if json:
        out.put([escaped_json(msgspec.json.format(msgspec.json.encode(untagged(found))).decode())])
        return status

    def mark(ok: bool, colour: str) -> str:
        text = click.style("ok ", fg="green") if ok else click.style("no ", fg=colour)
        return text if out.screen else click.unstyle(text)

    for f in found["findings"]:
        out.put([f"{mark(f.ok, 'red' if f.needed else 'yellow')} {f.name:<12} {safe(f.what)}"])
        if f.cure:
            out.put([f"{'':16} {safe(f.cure)}"])
    for c in found["programs"]:
        how = f"{safe(c.hook)}; {NAMES[c.transport]}; loader {c.loader}" if c.hook else "cannot run"
        out.put([f"{mark(bool(c.hook), 'red')} {c.program:<12} {how}"])
        if c.without:
            out.put([f"{'':16} without {safe(c.without)}"])
        for reason in [*c.passed_over, *([f"core: {c.no_core}"] if c.no_core else [])]:
            out.put([f"{'':16} not used: {safe(reason)}"])
    out.put([f"{able} of {len(SCHEMAS)} programs can run here."])
    return status

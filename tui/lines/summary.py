"""The ledger at the end of a run, as JSON for scripts and as lines for people, and whether it balances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ringtop.bpf import stream
from ringtop.bpf.event.waits import EDGES, every_bucket, percentile
from ringtop.tui.lines.json_lines import untagged
from ringtop.tui.text import format
from ringtop.tui.text.text import safe

_SUMS = ("hits", "filtered", "emitted", "received")
_FINDINGS = ("residual", "gaps", "lost_records", "inversions")


def _cpu(transport: str, c: stream.CpuStats) -> dict[str, Any]:
    return {
        "cpu": c.cpu,
        "transport": transport,
        "hits": c.hits,
        "filtered": c.filtered,
        "emitted": c.emitted,
        "received": c.received,
        "dropped": c.dropped,
        "residual": c.emitted - c.received - sum(c.dropped.values()),
        "gaps": c.gaps,
        "lost_records": c.lost_records,
        "inversions": c.inversions,
        "bytes": c.bytes,
        "peak": c.peak,
    }


def _waits(waits: stream.Waits, state: stream.State | None) -> dict[str, Any]:
    """All waits: ``{count, reported, threshold_us, p50_ns, p99_ns, buckets: [[from_ns, count], …]}``."""
    counts = every_bucket(waits.counts)
    return {
        "count": int(counts.sum()),
        "reported": waits.reported,
        "threshold_us": state.min_us if state else None,
        "p50_ns": percentile(counts, 50),
        "p99_ns": percentile(counts, 99),
        "buckets": [[int(EDGES[i]), int(counts[i])] for i in counts.nonzero()[0]],
    }


def summarize(
    stats: stream.Stats, states: dict[str, stream.State], changes: Sequence[stream.Changed | stream.Compared] = ()
) -> dict[str, Any]:
    """``{program: {transport, hook, loader, scope, emitted, received, dropped: {reason: n}, per_cpu: […], …}}``

    ``residual`` is emitted - received - dropped; ``gaps`` are the holes in the sequence numbers. ``per_cpu`` has an
    entry for each CPU and transport that was in use; the gaps over both transports are reported with the last one.
    """
    summary: dict[str, Any] = {}
    for program in dict.fromkeys(p.program for p in stats.programs):
        parts = [p for p in stats.programs if p.program == program]
        per_cpu = [_cpu(p.transport, c) for p in parts for c in p.cpus]
        reasons = sorted({reason for cpu in per_cpu for reason in cpu["dropped"]})
        state = states.get(program)
        summary[program] = {
            "transport": parts[-1].transport,
            "hook": state.hook if state else "",
            "loader": state.loader if state else "",
            "scope": state.scope if state else "",
            **{name: sum(cpu[name] for cpu in per_cpu) for name in _SUMS},
            "dropped": {reason: sum(cpu["dropped"].get(reason, 0) for cpu in per_cpu) for reason in reasons},
            **{name: sum(cpu[name] for cpu in per_cpu) for name in _FINDINGS},
            # A task can enter a call on one CPU and leave it on another: only the sum has a meaning.
            "untracked": sum(c.untracked for p in parts for c in p.cpus),
            "missed": sum(p.missed for p in parts),
            "late": sum(p.late for p in parts),
            "wakeups": sum(p.wakeups for p in parts),
            **({"waits": _waits(parts[-1].waits, state)} if parts[-1].waits else {}),
            "per_cpu": per_cpu,
            "changes": [msgspec.to_builtins(change) for change in changes if change.program == program],
        }
    return summary


def cost(costs: stream.Costs) -> dict[str, Any]:
    """What ringtop cost: ``{processes: […], functions: […], maps: […], waits, kept_waiting, …}``, as ``Costs`` has
    it."""
    told: dict[str, Any] = untagged(costs)
    return told


def balanced(summary: dict[str, Any]) -> bool:
    """Whether no CPU has a residual, and nothing was dropped, missed or left untracked."""
    return all(
        not any(p["dropped"].values())
        and not p["missed"]
        and not p["untracked"]
        and not any(cpu["residual"] for cpu in p["per_cpu"])
        and not any(change.get("residual") for change in p["changes"])
        for p in summary.values()
    )


def lines(summary: dict[str, Any]) -> list[str]:
    """One line for each program, for people."""
    out = []
    for program, p in summary.items():
        dropped = sum(p["dropped"].values())
        why = ", ".join(f"{n:,} {safe(reason.replace('_', ' '))}" for reason, n in p["dropped"].items() if n)
        text = f"{program}: {p['emitted']:,} emitted = {p['received']:,} received + {dropped:,} dropped"
        text += f" ({why})" if why else ""
        for name, meaning in (
            ("residual", "UNACCOUNTED FOR"),
            ("filtered", "kept out by the capture filter"),
            ("missed", "hook runs skipped by the kernel"),
            ("untracked", "calls or waits that could not be followed"),
        ):
            if p[name]:
                text += f"; {p[name]:,} {meaning}"
        out.append(text)
        if waits := p.get("waits"):
            least = f" {format.threshold(waits['threshold_us'])} or longer" if waits["threshold_us"] is not None else ""
            share = format.percent(waits["reported"], waits["count"])
            halves = f"p50 {format.duration(waits['p50_ns'])}, p99 {format.duration(waits['p99_ns'])}"
            out.append(
                f"{program}: {waits['reported']:,} of {waits['count']:,} waits ({share}) were"
                f"{least or ' reported'}; {halves} of all"
            )
    return out

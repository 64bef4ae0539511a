"""The ledger at the end of a run: as JSON for scripts, as a line for people, and whether it balances."""

from __future__ import annotations

from typing import Any

from ringtop.bpf import stream


def _total(per_cpu: list[dict[str, Any]], name: str) -> int:
    return sum(int(cpu[name]) for cpu in per_cpu)


def _cpu(c: stream.CpuStats) -> dict[str, Any]:
    return {
        "cpu": c.cpu,
        "hits": c.hits,
        "filtered": c.filtered,
        "emitted": c.emitted,
        "received": c.received,
        "dropped": c.dropped,
        "residual": c.emitted - c.received - sum(c.dropped.values()),
        "gaps": c.gaps,
        "lost_records": c.lost_records,
        "untracked": c.untracked,
        "inversions": c.inversions,
        "bytes": c.bytes,
        "peak": c.peak,
    }


def summarize(stats: stream.Stats, states: dict[str, stream.State]) -> dict[str, Any]:
    """``{program: {transport, hook, emitted, received, dropped: {reason: n}, residual, per_cpu: [...]}}``.

    ``residual`` is emitted - received - dropped; ``gaps`` are the holes in the sequence numbers.
    """
    summary: dict[str, Any] = {}
    for p in stats.programs:
        per_cpu = [_cpu(c) for c in p.cpus]
        reasons = sorted({reason for c in p.cpus for reason in c.dropped})
        state = states.get(p.program)
        summary[p.program] = {
            "transport": p.transport,
            "hook": state.hook if state else "",
            **{name: _total(per_cpu, name) for name in ("hits", "filtered", "emitted", "received")},
            "dropped": {reason: sum(c.dropped.get(reason, 0) for c in p.cpus) for reason in reasons},
            **{name: _total(per_cpu, name) for name in ("residual", "gaps", "lost_records", "untracked", "inversions")},
            "missed": p.missed,
            "wakeups": p.wakeups,
            "per_cpu": per_cpu,
        }
    return summary


def balanced(summary: dict[str, Any]) -> bool:
    """No CPU has a residual and nothing was dropped, missed or left untracked."""
    return all(
        not any(p["dropped"].values())
        and not p["missed"]
        and not p["untracked"]
        and not any(cpu["residual"] for cpu in p["per_cpu"])
        for p in summary.values()
    )


def lines(summary: dict[str, Any]) -> list[str]:
    """One line a program, for people."""
    out = []
    for program, p in summary.items():
        dropped = sum(p["dropped"].values())
        why = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in p["dropped"].items() if n)
        text = f"{program}: {p['emitted']:,} emitted = {p['received']:,} received + {dropped:,} dropped"
        text += f" ({why})" if why else ""
        for name, meaning in (
            ("residual", "UNACCOUNTED FOR"),
            ("filtered", "kept out by the capture filter"),
            ("missed", "hook runs skipped by the kernel"),
            ("untracked", "hook runs that could not be followed"),
        ):
            if p[name]:
                text += f"; {p[name]:,} {meaning}"
        out.append(text)
    return out

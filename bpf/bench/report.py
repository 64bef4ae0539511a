"""The report of the bench: tables with the ratios first, or one JSON object."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass, field
from typing import Any

from ringtop.bpf.bench.overload import BUFFER, Overload
from ringtop.bpf.bench.rows import ROUNDS, Plan, Row
from ringtop.bpf.bench.sides import Counted
from ringtop.bpf.bench.tax import Tax
from ringtop.bpf.common import sizes

WIDTH = 96
_HEAD = """
                                ratios                    absolute
reader, transport, wakeup        reader  traced    lost    offered/s  received/s   reader   traced
"""
_LEDGER = """
ledger                             emitted = received +  dropped    residual     wakeups
"""
_OVERLOAD = f"""
a ring of {sizes.human(BUFFER)}             one CPU        all CPUs      event, absolute
that nobody reads   traced  event   traced  event    one CPU  all CPUs    emitted    lost  residual
"""
_TAX = """
processes that cause no events, with a program attached  ratio     without        with       adds
"""
_LEGEND = """\
reader: CPU time of the reading thread (user, system and waiting) for each event it received. traced: time of one call
of the storm, as a ratio to the same call without any program. ringtop: events are drained and entered in the ledger.
ringtop, stream: they are also put in time order and encoded for the viewer, as the collector does. bcc: a callback
that only counts. bcc, 5 fields: a callback that reads five fields of the event, as bcc's tools do. reserve, and
output or reserve with +query: the ring buffer with --emit of that name; all other rows use output. event: the time
that an event adds to its call, as a ratio to output."""


@dataclass
class Report:
    """All measurements of one bench run."""

    plan: Plan
    host: dict[str, Any]
    """The machine that the bench ran on."""
    rows: list[Row] = field(default_factory=list)
    overloads: list[Overload] = field(default_factory=list)
    taxes: list[Tax] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether every event of every row is accounted for."""
        counted = [row.counted for row in self.rows] + [row.counted for row in self.overloads]
        return all(n.residual == 0 for n in counted)

    def head(self) -> str:
        """The description of the measurement, and the head of the first table."""
        h = self.host
        about = (
            f"A storm calls unlinkat() {self.plan.events:,} times with a path that cannot exist: {ROUNDS} storms by "
            f"{h['storm']} on CPU {h['storm_cpu']}. unlinksnoop reports the calls, and a reader on CPU "
            f"{h['reader_cpu']} takes them. A ring buffer, and each CPU's perf buffer, has "
            f"{sizes.human(self.plan.buffer)}. Linux {h['kernel']}, {h['cpus']} CPUs."
        )
        return "\n".join([textwrap.fill(about, WIDTH), *map(_note, self.notes), _HEAD.rstrip("\n")])

    def line(self, row: Row) -> str:
        """A row of the first table."""
        lost = row.counted.dropped / max(row.counted.emitted, 1)
        return (
            f"{row.side.name:31}{row.reader_ratio:7.1f}x{row.slow_down:7.1f}x{lost:8.1%}{row.offered_per_s:13,.0f}"
            f"{row.received_per_s:12,.0f}{row.reader_us:7.3f}µs{row.call_ns:7,.0f}ns"
        )

    def ledger(self) -> str:
        """The second table: every event accounted for."""
        lines = [
            f"{row.side.name:32}{n.emitted:10,}{n.received:11,}{n.dropped:11,}{n.residual:12,}{n.wakeups:12,}"
            for row in self.rows
            for n in [row.counted]
        ]
        return "\n".join([_LEDGER.rstrip("\n"), *lines])

    def overload(self) -> str:
        """The third table: the ways into a full ring; empty where there is no ring."""
        lines = [
            f"{row.emit:18}{row.one.slow_down:7.1f}x{row.one.adds_ratio:6.2f}x{row.all.slow_down:8.1f}x"
            f"{row.all.adds_ratio:6.2f}x{row.one.adds_ns:9,.0f}ns{row.all.adds_ns:8,.0f}ns{n.emitted:11,}"
            f"{n.dropped / max(n.emitted, 1):8.1%}{n.residual:10,}"
            for row in self.overloads
            for n in [row.counted]
        ]
        return "\n".join([_OVERLOAD.rstrip("\n"), *lines]) if lines else ""

    def tax(self) -> str:
        """The last table: the cost to processes that cause no events."""
        lines = [
            f"{tax.load + ', ' + tax.program:54}{tax.ratio:7.2f}x{tax.off_ns:10,.0f}ns{tax.on_ns:10,.0f}ns"
            f"{tax.on_ns - tax.off_ns:9,.0f}ns"
            for tax in self.taxes
        ]
        return "\n".join([_TAX.rstrip("\n"), *lines])

    def verdict(self) -> str:
        """The conclusions, and the legend of the tables."""
        first, theirs = self.rows[0], [row for row in self.rows if row.side.kind.startswith("bcc")]
        times = ", ".join(f"{row.reader_ratio:.1f} ({row.side.name})" for row in theirs)
        lines = [textwrap.fill(_LEGEND.replace("\n", " "), WIDTH)]
        if theirs:
            conclusion = f"bcc's callbacks take so many times the CPU of {first.side.name} for an event: {times}."
            lines.append(textwrap.fill(conclusion, WIDTH))
        lines.append(
            "Every event is accounted for: emitted = received + dropped in every row."
            if self.balanced
            else "THE LEDGER DOES NOT BALANCE: see the column residual."
        )
        return "\n" + "\n".join(lines)

    def as_json(self) -> str:
        """The whole report as one JSON object."""
        rows = [
            {
                "reader": row.side.kind,
                "transport": row.side.transport,
                "wakeup": row.side.wakeup,
                "emit": row.side.emit,
                **{name: value for name, value in asdict(row).items() if name not in ("side", "counted")},
                **_counted(row.counted),
            }
            for row in self.rows
        ]
        overloads = [
            {name: value for name, value in asdict(row).items() if name != "counted"} | _counted(row.counted)
            for row in self.overloads
        ]
        taxes = [{**asdict(tax), "ratio": tax.ratio} for tax in self.taxes]
        whole = {"version": 1, **self.host, **asdict(self.plan), "balanced": self.balanced}
        tables = {"rows": rows, "overloads": overloads, "taxes": taxes}
        return json.dumps({**whole, **tables, "notes": self.notes}, indent=2)


def _counted(counted: Counted) -> dict[str, int | None]:
    return {**asdict(counted), "residual": counted.residual}


def _note(text: str) -> str:
    return textwrap.fill(f"Note: {text}", WIDTH)

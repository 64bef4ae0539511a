"""The second line: lost events by reason, and whether the ledger balances. It is always visible."""

from __future__ import annotations

from ringtop.tui.draw.parts import Part
from ringtop.tui.model.model import Model
from ringtop.tui.text import format
from ringtop.tui.widgets.line import Line

ENOUGH = 60
"""From this width on, there is room for more than the figures that must always be visible."""


class Drops(Line):
    """Events lost (total, a second, by reason); in flight; unaccounted; kept out by the capture filter; not kept."""

    PREFIX = "drops"

    def __init__(self, model: Model) -> None:
        super().__init__(id="drops")
        self.model = model

    @property
    def stale(self) -> bool:
        """Whether nothing has come from the collector for some time."""
        return self.model.machine.silence_s > 0

    def parts(self) -> list[Part]:
        """The counters at the left."""
        counters, totals = self.model.machine.counters, self.model.machine.counters.all()
        moving = totals.lost_rate > 0
        style = "moving" if moving else "some" if totals.lost else "none"
        parts = [
            Part(f"lost {format.count(totals.lost)}", style, 0),
            Part(f" +{format.rate(totals.lost_rate)}/s", style, 0, joined=True),
        ]
        for name, n in sorted(totals.dropped.items(), key=lambda kv: -kv[1]):
            if not n:
                continue
            rate = totals.drop_rates.get(name, 0.0)
            more = f" +{format.rate(rate)}/s" if rate and len([v for v in totals.dropped.values() if v]) > 1 else ""
            parts.append(Part(f"{format.reason(name)} {format.count(n)}{more}", style, 3))
        parts.append(Part(f"in flight {format.count(counters.in_flight)}", "dim", 6))
        residual = counters.residual
        parts.append(Part(f"unaccounted {format.count(residual)}", "some" if residual else "dim", 0 if residual else 4))
        return parts

    def _of_all(self) -> list[Part]:
        """What all hosts together lost, what their ledgers do not explain, and their events a second; nothing where
        there is one host."""
        if not self.model.hosts:
            return []
        counters = [machine.counters for machine in self.model.machines.values()]
        lost, residual = sum(each.lost for each in counters), sum(each.residual for each in counters)
        said = f"all {len(counters)} hosts: lost {format.count(lost)}"
        if residual:
            said += f", unaccounted {format.count(residual)}"
        rate = format.rate(sum(totals.rate for each in counters for totals in each.programs.values()))
        return [Part(said, "some" if lost or residual else "dim", 1), Part(f", {rate} events/s", "", 2, joined=True)]

    def ending(self) -> list[Part]:
        """The events kept out by the capture filter, those not kept here, and the events a second."""
        model = self.model
        if model.machine.counters.residual and self.size.width < ENOUGH:
            return []
        totals = model.machine.counters.all()
        unkept = sum(t.unkept.total() for t in model.store.tables.values())
        parts = []
        if any(s.capture for s in model.machine.states.values()):
            parts.append(Part(f"kept out {format.count(totals.filtered)}", "capture", 3))
        if unkept:
            parts.append(Part(f"not kept {format.count(unkept)}", "some", 4))
        parts.append(Part(f"{format.rate(totals.rate)} events/s", "", 1))
        return [*parts, *self._of_all()]

"""The line above a table, which describes its contents."""

from __future__ import annotations

from typing import ClassVar

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.draw.parts import Part
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip, safe
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.report import START
from ringtop.tui.widgets.line import Line

SPARK = 12
"""The width of a sparkline, in cells."""
HOOK = 40
"""The width in cells of a hook's name that does not fit as a whole."""


class Title(Line):
    """Program, hook, transport, events a second, rows shown of those resident, and rows evicted."""

    PREFIX = "title"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"title--{program}" for program in SCHEMAS),
        "title--dim",
        "title--rule",
        "title--spark",
        "title--frozen",
        "title--filter",
        "title--capture",
        "title--failed",
        "title--busy",
        "title--some",
        "title--moving",
    }
    FILLER_STYLE = "rule"

    def __init__(self, model: Model, view: View, ranking: Ranking, glyphs: Glyphs, key: str) -> None:
        super().__init__()
        self.ranking = ranking
        self.ranked = True
        """Whether the title describes the ranked rows; otherwise it describes the events."""
        self.narrowed = ""
        """The name (safe text) of the only row whose events are shown; empty when all events are."""
        self.model = model
        self.view = view
        self.glyphs = glyphs
        self.key = key
        self.filter_text = ""
        self.FILLER = glyphs.rule

    def parts(self) -> list[Part]:
        """The parts at the left."""
        program = self.view.table.program
        state = self.model.states.get(program)
        totals = self.model.counters.of(program)
        parts = [Part(self.key, "dim", 1), Part(f" {program}", program, 0, joined=True)]
        if state is None:
            none = "not running" if self.model.contact.phase == "lost" else "waiting"
            return [*parts, Part(safe(self.model.progress.get(program, "")) or none, "busy", 2)]
        if state.state != "running":
            style = "failed" if state.state == "failed" else "dim"
            return [*parts, Part(state.state, style, 1)]
        hook = safe(f"{state.hook}, {state.loader}" if state.loader else state.hook)
        if state.no_core:
            hook = f"{hook} (not core: {safe(state.no_core)})"
        parts += [
            Part(hook, "dim", 8, less=Part(clip(hook, HOOK, self.glyphs.ellipsis), "dim", 8)),
            Part(format.buffer(state.transport, state.buffer_bytes, self.model.cpus), "dim", 7),
        ]
        if state.without:
            parts.append(Part(f"without {safe(state.without)}", "dim", 9))
        if state.wakeup != "timer":
            parts.append(Part(f"wake-up {safe(state.wakeup)}", "dim", 8))
        if state.comparing:
            parts.append(Part("comparing", "busy", 1))
        rates = list(self.model.counters.rates.get(program, ()))
        parts.append(Part(f"{format.rate(totals.rate)}/s", "", 2))
        parts.append(Part(self.glyphs.line(rates, SPARK), "spark", 6))
        if totals.lost:
            parts.append(Part(f"lost {format.count(totals.lost)}", "moving" if totals.lost_rate > 0 else "some", 3))
        if state.capture:
            text = clip(safe(state.capture), 30, self.glyphs.ellipsis)
            kept_out = format.count(totals.filtered)
            parts.append(Part(f"{self.glyphs.filter} {text} ({kept_out} kept out)", "capture", 4))
        return parts

    def ending(self) -> list[Part]:
        """The parts at the right."""
        view = self.view
        parts = []
        if self.filter_text:
            text = f"/{clip(safe(self.filter_text), 30, self.glyphs.ellipsis)}"
            parts.append(Part(text, "filter", 4, less=Part("/", "filter", 0)))
        if self.ranked:
            return [*parts, *ranked(self.ranking, self.glyphs)]
        if self.narrowed:
            parts.append(Part(self.narrowed, "filter", 1))
        if view.frozen:
            parts.append(Part(f"{self.glyphs.pause} frozen", "frozen", 1))
            parts.append(Part(f"+{format.count(view.new)} new", "frozen", 1))
        more = self.glyphs.ellipsis if view.scanning and view.predicate is not None else ""
        rows = Part(f"{format.count(view.matched)}{more} of {format.count(len(view.table))}", "", 2)
        if gone := view.table.evicted:
            rows = Part(f"{rows.text}, {format.short(gone)} gone", "", 5, less=rows)
        parts.append(rows)
        return parts


def ranked(ranking: Ranking, glyphs: Glyphs) -> list[Part]:
    """The parts at the right for a ranked table: its key, its window, and the rows on the screen."""
    report = ranking.report
    parts = [Part(f"by {report.key.about}", "dim", 6)]
    if report.lost or not report.exact:
        parts.append(Part("counts >=", "some", 1))
    if ranking.frozen:
        parts.append(Part(f"{glyphs.pause} frozen", "frozen", 1))
    elif ranking.order.held:
        parts.append(Part("order held", "frozen", 1))
    elif ranking.order.resting:
        parts.append(Part("order rests", "dim", 5))
    parts.append(Part("since start" if report.window == START else f"last {report.window}", "", 3))
    first, count = ranking.first, len(report.order)
    last = min(first + len(report.rows), count)
    parts.append(Part(f"{first + 1 if count else 0}-{last} of {format.count(report.keys)}", "", 2))
    return parts

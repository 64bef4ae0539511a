"""The line above a table, which describes its contents."""

from __future__ import annotations

from dataclasses import replace

from ringtop.bpf.stream import State
from ringtop.tui.draw.parts import Part
from ringtop.tui.model import tuning
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
FILTERS = (60, 3), (30, 0), (8, -1)
"""The display filter's greatest widths in cells, each with its rank."""
HOOK = 40
"""The width in cells of a hook's name that does not fit as a whole."""

HOST = 16
"""The width in cells of the name of the host whose settings are shown, where there are several."""
SCOPE = 16
"""The least width in cells of whose events are captured."""


class RankedTitle(Line):
    """A title whose right side tells of the ranked rows and of the display filter."""

    PREFIX = "title"

    def __init__(self, ranking: Ranking, glyphs: Glyphs, key: str) -> None:
        super().__init__()
        self.ranking = ranking
        self.glyphs = glyphs
        self.key = key
        self.filter_text = ""
        """The display filter in force."""
        self.FILLER = glyphs.rule

    @property
    def filler_style(self) -> str:
        """The rule shows which table has the focus."""
        return "rule-focus" if self.has_class("-focus") else "rule"

    def ending(self) -> list[Part]:
        """The parts at the right: the filter, the key, the window, and the rows on the screen."""
        ranking, report = self.ranking, self.ranking.report
        parts = [*self.filtered(), Part(f"by {report.key.about}", "dim", 6)]
        if report.lost or not report.exact:
            parts.append(Part("counts >=", "some", 1))
        if ranking.frozen:
            parts.append(Part(f"{self.glyphs.pause} frozen", "frozen", 1))
        elif ranking.order.held:
            parts.append(Part("order held", "frozen", 1))
        elif ranking.order.resting:
            parts.append(Part("order rests", "dim", 5))
        parts.append(Part("since start" if report.window == START else f"last {report.window}", "", 3))
        parts.append(Part(f"{ranking.sight} of {format.count(report.keys)}", "", 2))
        return parts

    def filtered(self) -> list[Part]:
        """The display filter, which never leaves the title; only its text is cut."""
        if not self.filter_text:
            return []
        text = safe(self.filter_text)
        whole, part, least = (Part(f"/{clip(text, width, self.glyphs.ellipsis)}", "filter", r) for width, r in FILTERS)
        return [replace(whole, less=replace(part, less=least))]


class Title(RankedTitle):
    """Program, hook, transport, events a second, rows shown of those resident, and rows evicted."""

    def __init__(self, model: Model, view: View, ranking: Ranking, glyphs: Glyphs, key: str) -> None:
        super().__init__(ranking, glyphs, key)
        self.ranked = True
        """Whether the title describes the ranked rows; otherwise it describes the events."""
        self.narrowed = ""
        """The name (safe text) of the only row whose events are shown; empty when all events are."""
        self.model = model
        self.view = view

    @property
    def stale(self) -> bool:
        """Whether nothing has come from the collector for some time."""
        return self.model.machine.silence_s > 0

    def parts(self) -> list[Part]:
        """The parts at the left."""
        program = self.view.table.program
        state = self.model.machine.states.get(program)
        totals = self.model.machine.counters.of(program)
        parts = [Part(self.key, "dim", -2), Part(f" {program}", program, joined=True)]
        if self.model.machine.name:
            parts.append(Part(clip(safe(self.model.machine.name), HOST, self.glyphs.ellipsis), "dim", 2))
        if state is None:
            none = "not running" if self.model.machine.contact.phase == "lost" else "waiting"
            return [*parts, Part(safe(self.model.machine.progress.get(program, "")) or none, "busy", 2)]
        if state.state != "running":
            style = "failed" if state.state == "failed" else "dim"
            return [*parts, Part(state.state, style, 1)]
        hook = safe(f"{state.hook}, {state.loader}" if state.loader else state.hook)
        if state.no_core:
            hook = f"{hook} (not core: {safe(state.no_core)})"
        if state.min_us is not None:
            least = Part(f">= {format.threshold(state.min_us)}", "dim", -1)
            parts.append(Part(f"waits {least.text}", "dim", 4, less=least))
        if totals.waits is not None:
            count = format.short(sum(totals.waits.counts))
            parts.append(Part(f"{format.count(totals.waits.reported)} of {count} waits", "dim", 7))
        parts += [
            Part(hook, "dim", 8, less=Part(clip(hook, HOOK, self.glyphs.ellipsis), "dim", 8)),
            Part(format.buffer(state.transport, state.buffer_bytes, self.model.machine.cpus), "dim", 7),
        ]
        if state.without:
            parts.append(Part(f"without {safe(state.without)}", "dim", 9))
        if state.wakeup != "timer":
            parts.append(Part(f"wakeup {safe(state.wakeup)}", "dim", 6))
        if state.comparing:
            parts.append(Part("comparing", "busy", 1))
        if state.scope:
            whose = f"only {safe(state.scope)}"
            parts.append(Part(whose, "capture", 4, less=Part(clip(whose, SCOPE, self.glyphs.ellipsis), "capture", 0)))
        rates = list(self.model.machine.counters.rates.get(program, ()))
        parts.append(Part(f"{format.rate(totals.rate)}/s", "", 2))
        parts.append(Part(self.glyphs.line(rates, SPARK), "spark", 6))
        if totals.lost:
            parts.append(Part(f"lost {format.count(totals.lost)}", "moving" if totals.lost_rate > 0 else "some", 3))
            parts.append(Part(self._cure(state), "moving", 1))
        if state.capture:
            mark, text = self.glyphs.filter, safe(state.capture)
            least = Part(f"{mark} {clip(text, 12, self.glyphs.ellipsis)}", "capture", -1 if state.min_us is None else 0)
            kept_out = format.count(totals.filtered)
            said = f"{mark} {clip(text, 30, self.glyphs.ellipsis)} ({kept_out} kept out)"
            parts.append(Part(said, "capture", 4, less=least))
        return parts

    def _cure(self, state: State) -> str:
        """The key that helps where events are being lost now; empty where none does or none can be pressed."""
        program = state.program
        reasons = self.model.machine.losses.now.get(program, ())
        if self.model.machine.running(program) is None or program in self.model.machine.wanted:
            return ""
        return tuning.cure(state, reasons, self.view.table.floor is not None)

    def ending(self) -> list[Part]:
        """The parts at the right."""
        if self.ranked:
            return super().ending()
        view = self.view
        parts = self.filtered()
        if self.narrowed:
            parts.append(Part(self.narrowed, "filter", 1))
        if view.frozen:
            parts.append(Part(f"{self.glyphs.pause} frozen", "frozen", 1))
            parts.append(Part(f"+{format.count(view.new)} new", "frozen", 2))
        more = self.glyphs.ellipsis if view.scanning and view.predicate is not None else ""
        rows = Part(f"{format.count(view.matched)}{more} of {format.count(len(view.table))}", "", 2)
        if gone := view.table.evicted:
            rows = Part(f"{rows.text}, {format.short(gone)} evicted", "", 5, less=rows)
        parts.append(rows)
        return parts

"""The first line: the traced machine, and the state of the connection to its collector."""

from __future__ import annotations

from typing import ClassVar

from ringtop.tui.draw.parts import Part
from ringtop.tui.model.model import Model
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip, safe
from ringtop.tui.widgets.host import Host
from ringtop.tui.widgets.line import Line


class Header(Line):
    """Host, kernel, CPUs, load and uptime at the left; collector and link at the right."""

    PREFIX = "header"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "header--name",
        "header--dim",
        "header--running",
        "header--busy",
        "header--failed",
        "header--stopped",
    }

    def __init__(self, model: Model, glyphs: Glyphs, label: str, host: Host | None, live: bool) -> None:
        super().__init__(id="header")
        self.model = model
        self.glyphs = glyphs
        self.label = label
        self.host = host
        self.live = live
        self.status = ""
        """The status of the source: the position of a replay, or the size of a recording."""
        self.limit: tuple[float, float] | None = None
        """The link's speed in bytes a second, and the screen's lag in seconds; None when the link is fast enough."""

    def parts(self) -> list[Part]:
        """The parts at the left."""
        hello = self.model.machine.hello
        parts = [Part("ringtop", "name", 1)]
        if hello is not None:
            cpus = self.model.machine.cpus
            parts += [
                Part(clip(safe(hello.host), 24, self.glyphs.ellipsis), "", 0),
                Part(clip(safe(hello.kernel), 28, self.glyphs.ellipsis), "dim", 4),
                Part(format.several(cpus, "CPU"), "dim", 5),
            ]
        if self.host is not None:
            load = " ".join(f"{x:.2f}" for x in self.host.load())
            parts += [
                Part("load", "dim", 6),
                Part(f" {load}", "", 6, joined=True),
                Part("up", "dim", 7),
                Part(f" {format.uptime(self.host.uptime())}", "", 7, joined=True),
            ]
        return parts

    def ending(self) -> list[Part]:
        """The parts at the right."""
        model, dot = self.model, self.glyphs.dot
        contact, counters = model.machine.contact, model.machine.counters
        cost = f"cpu {100 * counters.cpu_share:.1f}% mem {format.size(counters.rss)}" if counters.rss else ""
        parts = [Part(self.status, "name", 1)] if self.status else []
        if self.limit is not None:
            rate, lag = self.limit
            parts.append(Part(f"link {format.size(int(rate))}/s, {lag:.1f} s behind", "busy", 1))
        if contact.phase in ("running", "ended") and not self.live:
            pass  # the status already gives the replay's position
        elif silence := model.machine.silence_s:
            age = format.uptime(int(silence))
            said = f"{dot} nothing from the collector for {age}: r starts it again"
            parts.append(Part(said, "failed", 2, less=Part(f"{dot} silent for {age}", "failed", 0)))
        elif contact.phase == "running":
            failed = sum(s.state == "failed" for s in model.machine.states.values())
            running = sum(s.state == "running" for s in model.machine.states.values())
            style, part = (
                ("busy", f"{running} of {len(model.machine.states)} ") if failed else ("running", "collector ")
            )
            parts += [
                Part(dot, style, 0),
                Part(f" {part}running", style, 2, joined=True),
                Part(cost, "dim", 6),
            ]
        elif contact.phase == "starting":
            what = safe(contact.text) or "starting"
            parts += [
                Part(dot, "busy", 0),
                Part(f" {clip(what, 40, self.glyphs.ellipsis)}", "busy", 1, joined=True),
            ]
        elif contact.phase == "ended":
            parts += [Part(dot, "stopped", 0), Part(" ended", "stopped", 1, joined=True)]
        else:
            word = "collector lost" if contact.traced else "cannot trace"
            parts += [Part(dot, "failed", 0), Part(f" {word}", "failed", 1, joined=True)]
        return [*parts, Part(clip(safe(self.label), 32, self.glyphs.ellipsis), "dim", 5)]

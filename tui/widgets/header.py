"""The first line: the traced machine, and the state of the connection to its collector."""

from __future__ import annotations

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

    def __init__(self, model: Model, glyphs: Glyphs, label: str, host: Host | None) -> None:
        super().__init__(id="header")
        self.model = model
        self.glyphs = glyphs
        self.label = label
        self.host = host
        self.status = ""
        """The status of the source: the position of a replay, or the size of a recording."""
        self.limit: tuple[float, float] | None = None
        """The link's speed in bytes a second, and the screen's lag in seconds; None when the link is fast enough."""

    def parts(self) -> list[Part]:
        """The parts at the left."""
        machine = self.model.machine
        hello = machine.hello
        parts = [Part("ringtop", "name", 1), *self._hosts()]
        if hello is not None:
            cpus = machine.cpus
            parts += [
                Part(clip(safe(machine.name or hello.host), 24, self.glyphs.ellipsis), "", 0),
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

    def _hosts(self) -> list[Part]:
        """How many hosts there are, and how many of them are away."""
        if not self.model.hosts:
            return []
        away = sum(machine.away for machine in self.model.machines.values())
        said = Part(f"{len(self.model.hosts)} hosts", "dim", 1)
        return [said, Part(f", {away} away", "failed", 1, joined=True)] if away else [said]

    def ending(self) -> list[Part]:
        """The parts at the right."""
        model, machine, dot = self.model, self.model.machine, self.glyphs.dot
        contact, counters = machine.contact, machine.counters
        cost = f"cpu {100 * counters.cpu_share:.1f}% mem {format.size(counters.rss)}" if counters.rss else ""
        parts = [Part(self.status, "name", 1)] if self.status else []
        if self.limit is not None:
            rate, lag = self.limit
            parts.append(Part(f"link {format.size(int(rate))}/s, {lag:.1f} s behind", "busy", 1))
        if contact.phase in ("running", "ended") and not model.live:
            pass  # the status already gives the replay's position
        elif silence := machine.silence_s:
            age = format.uptime(int(silence))
            said = f"{dot} nothing from the collector for {age}: r starts it again"
            parts.append(Part(said, "failed", 2, less=Part(f"{dot} silent for {age}", "failed", 0)))
        elif contact.phase == "running":
            failed = sum(s.state == "failed" for s in machine.states.values())
            running = sum(s.state == "running" for s in machine.states.values())
            style, part = ("busy", f"{running} of {len(machine.states)} ") if failed else ("running", "collector ")
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
            word = "cannot trace" if machine.refused else "away" if machine.name else "collector lost"
            parts += [Part(dot, "failed", 0), Part(f" {word}", "failed", 1, joined=True)]
        if model.hosts:
            whose = "all hosts" if model.steers_all else safe(machine.name)
            return [*parts, Part(f"keys act on {clip(whose, 24, self.glyphs.ellipsis)}", "dim", 3)]
        return [*parts, Part(clip(safe(self.label), 32, self.glyphs.ellipsis), "dim", 5)]

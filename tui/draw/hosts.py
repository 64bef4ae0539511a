"""One line about each of several hosts. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ringtop.tui.model.machine import Machine
from ringtop.tui.source.hosts import APART_NS, Place
from ringtop.tui.text import format
from ringtop.tui.text.text import clip, safe, safe_lines

STATE = 32
"""The least width of the last column, in cells."""


@dataclass(frozen=True, slots=True)
class Host:
    """One of several hosts."""

    machine: Machine
    place: Place


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list; those of the highest rank are left out first."""

    title: str
    width: int
    rank: int
    text: Callable[[Host], str]
    right: bool = True


def _programs(host: Host) -> str:
    states = host.machine.states.values()
    running = sum(state.state == "running" for state in states)
    return str(running) if running == len(states) else f"{running} of {len(states)}"


def _settings(host: Host, name: str) -> str:
    """What all running programs have in common, or all that they have."""
    running = (state for state in host.machine.states.values() if state.state == "running")
    return ", ".join(dict.fromkeys(filter(None, (safe(getattr(state, name)) for state in running))))


def _lost(host: Host) -> str:
    return format.count(host.machine.counters.lost)


def _clock(host: Host) -> str:
    if (apart := host.place.apart_ns) is None:
        return ""
    sign = "-" if apart < 0 else "+"
    return f"{sign}{format.duration(abs(apart))} ±{format.duration(host.place.error_ns)}"


COLUMNS = (
    Column("HOST", 20, 0, lambda host: safe(host.machine.name), right=False),
    Column("EVENTS/S", 8, 1, lambda host: format.rate(host.machine.counters.all().rate)),
    Column("LOST", 9, 1, _lost),
    Column("NOT KEPT", 9, 4, lambda host: format.count(host.machine.unkept)),
    Column("UNACCOUNTED", 11, 5, lambda host: format.count(host.machine.counters.residual)),
    Column("CPU", 6, 3, lambda host: f"{100 * host.machine.counters.cpu_share:.1f}%"),
    Column("PROGRAMS", 8, 5, _programs),
    Column("TRANSPORT", 9, 5, lambda host: _settings(host, "transport"), right=False),
    Column("LOADER", 6, 6, lambda host: _settings(host, "loader"), right=False),
    Column("CLOCK AHEAD", 20, 4, _clock),
)


def fitting(width: int) -> list[Column]:
    """The columns that fit into *width* cells before the state."""
    shown = list(COLUMNS)
    while len(shown) > 1 and sum(column.width + 2 for column in shown) + STATE > width:
        shown.remove(max(shown, key=lambda column: column.rank))
    return shown


def titles(columns: Sequence[Column]) -> str:
    """The titles above the lines."""
    return "  ".join([*(_fit(column.title, column) for column in columns), "STATE"])


def line(host: Host, columns: Sequence[Column], mark: str) -> str:
    """The line about *host*; *mark* replaces text that is cut off."""
    return "  ".join([*(_fit(clip(c.text(host), c.width, mark), c) for c in columns), state(host.machine)])


def about(host: Host) -> str:
    """All that is known of *host*, in lines."""
    machine = host.machine
    said = [f"{safe(machine.name)}: {state(machine)}"]
    if machine.contact.detail:
        said.append(safe_lines(machine.contact.detail))
    if (hello := machine.hello) is not None:
        who = f"{safe(hello.host)}  Linux {safe(hello.kernel)}  {format.several(machine.cpus, 'CPU')}"
        said.append(f"{who}  ringtop {safe(hello.version)}")
    said += [f"{name} failed: {safe(s.reason)}" for name, s in machine.states.items() if s.state == "failed"]
    return "\n".join(said)


def _fit(text: str, column: Column) -> str:
    return text.rjust(column.width) if column.right else text.ljust(column.width)


def bad(host: Host) -> bool:
    """Whether something is wrong with *host*: it is away, lost events, or its clock is off."""
    machine = host.machine
    failed = any(state.state == "failed" for state in machine.states.values())
    wrong = machine.away or failed or machine.counters.lost or machine.counters.residual or machine.unkept
    return bool(wrong) or abs(host.place.apart_ns or 0) > APART_NS


def state(machine: Machine) -> str:
    """The state of the connection to *machine*, in words."""
    contact = machine.contact
    match contact.phase:
        case "starting":
            return safe(contact.text) or ("starting" if machine.hello is not None else "connecting")
        case "ended":
            return f"ended: {safe(contact.text)}"
        case "lost":
            return _lost_since(machine)
    if silence := machine.silence_s:
        return f"silent for {format.uptime(int(silence))}"
    return "running"


def _lost_since(machine: Machine) -> str:
    said = "refused" if machine.refused else f"away for {format.uptime(int(machine.away_s or 0))}"
    if (again := machine.again_s) is not None:
        said += f", trying again in {format.uptime(round(again))}" if again > 0 else ", trying again"
    return f"{said}: {safe(machine.contact.text)}"

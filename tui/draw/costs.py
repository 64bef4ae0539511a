"""What ringtop costs, as tables of text. Pure functions that return lines of pieces: a text, and its tone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ringtop.bpf.stream import Costs, FunctionCost, MapCost, ProcessCost, State
from ringtop.tui.text import format
from ringtop.tui.text.text import safe

_PROCESSES = ("process", "pid", "CPU", "resident", "PSS", "wakeups/s")
_FUNCTIONS = ("function", "id", "tag", "runs", "runs/s", "ns/run", "CPU", "code", "hooks")
_MAPS = ("map", "id", "type", "entries", "key", "value", "memory")
_TEXT = frozenset({"process", "function", "tag", "hooks", "map", "type"})
"""The columns that are aligned to the left."""
_GAP = "  "
Tone = Literal["", "dim", "title", "bad"]
Lines = list[list[tuple[str, Tone]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is known at one moment."""

    costs: Costs
    viewer: tuple[ProcessCost, ...]
    """The viewer, and what it started besides the collector."""
    written: int
    """Bytes written to the terminal so far."""
    ts_ns: int
    """The viewer's monotonic clock."""
    perf_buffers: dict[str, int]
    """Bytes of memory of the perf buffers of each program that uses them: they are no maps."""


def lines(now: Reading, before: Reading, states: dict[str, State]) -> Lines:
    """All tables. Rates are since *before*, and unknown when that is *now*."""
    shown = _table(_PROCESSES, _processes(now, before))
    shown += [[], [("to the terminal ", "dim"), (_written(now, before), "")], _kept_waiting(now.costs)]
    shown.append([("in the kernel ", "dim"), (_in_kernel(now), "")])
    if now.costs.uncounted:
        shown.append([(safe(f"Runs are not counted: {now.costs.uncounted}."), "bad")])
    for program in _programs(now.costs):
        shown += _program(program, now, before, states)
    return shown


def _processes(now: Reading, before: Reading) -> list[tuple[str, ...]]:
    here, there = _seconds(now.ts_ns, before.ts_ns), _seconds(now.costs.ts_ns, before.costs.ts_ns)
    known = {one.pid: one for one in (*before.viewer, *before.costs.processes)}
    timed = [(one, here) for one in now.viewer] + [(one, there) for one in now.costs.processes]
    return [_process(one, known.get(one.pid, one), seconds) for one, seconds in timed]


def _process(now: ProcessCost, before: ProcessCost, seconds: float) -> tuple[str, ...]:
    return (
        safe(now.name),
        str(now.pid),
        _share(now.cpu_ns - before.cpu_ns, seconds),
        format.size(now.rss_bytes),
        _size(now.pss_bytes),
        _rate(now.wakeups - before.wakeups, seconds),
    )


def _written(now: Reading, before: Reading) -> str:
    seconds = _seconds(now.ts_ns, before.ts_ns)
    return f"{format.size(int((now.written - before.written) / seconds))}/s" if seconds else format.UNKNOWN_TEXT


def _kept_waiting(costs: Costs) -> list[tuple[str, Tone]]:
    what = "ringtop kept others waiting: "
    if costs.kept_waiting < 0:
        return [(what, "dim"), ("unknown in a container with process ids of its own", "")]
    of = f" of {format.count(costs.waits)} waits that runqslower reported"
    return [(what, "dim"), (format.count(costs.kept_waiting), "bad" if costs.kept_waiting else ""), (of, "dim")]


def _in_kernel(now: Reading) -> str:
    maps, functions = now.costs.maps, now.costs.functions
    parts = [
        f"{_sum(m.memory_bytes for m in maps)} in {len(maps)} maps",
        f"{_sum(f.memory_bytes for f in functions)} in {len(functions)} BPF programs",
    ]
    if perf := sum(now.perf_buffers.values()):
        parts.append(f"{format.size(perf)} in perf buffers")
    return ", ".join(parts)


def _programs(costs: Costs) -> list[str]:
    return list(dict.fromkeys([*(f.program for f in costs.functions), *(m.program for m in costs.maps)]))


def _program(program: str, now: Reading, before: Reading, states: dict[str, State]) -> Lines:
    functions = [f for f in now.costs.functions if f.program == program]
    maps = [m for m in now.costs.maps if m.program == program]
    seconds = _seconds(now.costs.ts_ns, before.costs.ts_ns)
    known = {f.id: f for f in before.costs.functions}
    state = states.get(program)
    about = f", loader {state.loader}: {state.hook}" if state is not None and state.loader else ""
    share = _share(sum(f.run_ns - known[f.id].run_ns for f in functions if f.id in known), seconds)
    title: list[tuple[str, Tone]] = [(program or "of no single program", "title")]
    title += [(safe(about), ""), (f", {share} of a CPU", "")] if functions else []
    return [
        [],
        title,
        *(_table(_FUNCTIONS, [_function(f, known.get(f.id, f), seconds) for f in functions]) if functions else []),
        *_table(_MAPS, [_map(m) for m in maps]),
        *_perf(now.perf_buffers.get(program, 0)),
    ]


def _function(now: FunctionCost, before: FunctionCost, seconds: float) -> tuple[str, ...]:
    runs, ns = now.runs - before.runs, now.run_ns - before.run_ns
    return (
        safe(now.name),
        str(now.id),
        safe(now.tag),
        format.count(now.runs),
        _rate(runs, seconds),
        f"{ns / runs:.0f}" if runs else format.UNKNOWN_TEXT,
        _share(ns, seconds),
        format.size(now.jited_bytes) if now.jited_bytes else "interpreted",
        safe(", ".join(now.hooks)),
    )


def _map(now: MapCost) -> tuple[str, ...]:
    sizes = format.count(now.entries), str(now.key_bytes), format.count(now.value_bytes), _size(now.memory_bytes)
    return (safe(now.name) or "-", str(now.id), safe(now.kind), *sizes)


def _perf(size: int) -> Lines:
    return [[("perf buffers, which are no maps: ", "dim"), (format.size(size), "")]] if size else []


def _size(n: int) -> str:
    return format.size(n) if n >= 0 else format.UNKNOWN_TEXT


def _sum(parts: Iterable[int]) -> str:
    """The sum of sizes; unknown when one of them is."""
    sizes = list(parts)
    return format.size(sum(sizes)) if min(sizes, default=0) >= 0 else format.UNKNOWN_TEXT


def _seconds(now_ns: int, before_ns: int) -> float:
    return max(0, now_ns - before_ns) / 1e9


def _rate(n: int, seconds: float) -> str:
    return format.rate(max(0, n) / seconds) if seconds else format.UNKNOWN_TEXT


def _share(ns: int, seconds: float) -> str:
    return f"{max(0, ns) / seconds / 1e7:.2f}%" if seconds else format.UNKNOWN_TEXT


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Lines:
    """The *rows* below their *titles*, each column as wide as its widest text."""
    widths = [max(len(row[i]) for row in (titles, *rows)) for i in range(len(titles))]

    def line(row: Sequence[str]) -> str:
        sides = zip(titles, row, widths, strict=True)
        return _GAP.join(f"{text:{'<' if title in _TEXT else '>'}{width}}" for title, text, width in sides).rstrip()

    found: Lines = [[(line(titles), "dim")]]
    return found + [[(line(row), "")] for row in rows]

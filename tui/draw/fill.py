"""The fill of the buffers of many CPUs, drawn to fit: as bars, a grid of small bars, or a heat map.

Pure functions from counters to rows of pieces; a piece is a text and its tone.
"""

from __future__ import annotations

from typing import Literal

from ringtop.tui.model.counters import Cpu, Totals
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip

FillTone = Literal["", "dim", "bar", "high", "full", "peak", "empty", "lost", "moving"]
Piece = tuple[str, FillTone]
Lines = list[list[Piece]]

HIGH, FULL = 0.5, 0.85
"""The fill levels (0 to 1) from which on a bar stands out."""
CELL = 5
"""The width of a CPU in the grid, in cells."""


def mode(cpus: int, width: int, height: int) -> Literal["bars", "grid", "heat"]:
    """The most detailed form that fits *cpus* CPUs into *width* by *height* cells."""
    if cpus <= height:
        return "bars"
    return "grid" if -(-cpus // max(1, width // CELL)) <= height else "heat"


def pane(totals: Totals, size: int, width: int, height: int, glyphs: Glyphs) -> Lines:
    """The whole pane: a summary, then the CPUs. ``size`` is the buffer size in the program's state, in bytes."""
    if height <= 0 or width < 10:
        return []
    shared = totals.transport == "ringbuf"
    whole = totals.capacity or size
    each = whole if shared else whole // max(1, len(totals.cpus))
    rows: Lines = [_summary(totals, whole, width, glyphs)]
    room = height - 1
    how = mode(len(totals.cpus), width, room - 1)
    if how == "bars" and room >= 2:
        rows.append(_titles(shared, width))
        rows += [_bar_row(c, each, width, glyphs) for c in totals.cpus[: room - 1]]
    elif how == "bars":
        rows += [_bar_row(c, each, width, glyphs) for c in totals.cpus[:room]]
    elif how == "grid":
        rows.append([(clip("CPUs by fill", width, glyphs.ellipsis), "dim")])
        rows += _grid(totals.cpus, each, width, glyphs)
    else:
        rows += _heat(totals.cpus, each, width, room, glyphs)
    return rows[:height]


def tone(part: float) -> FillTone:
    """The tone for a fill of *part* (0 to 1)."""
    return "full" if part >= FULL else "high" if part >= HIGH else "bar"


def bar(now: float, peak: float, width: int, glyphs: Glyphs) -> list[Piece]:
    """A bar for the fill *now*, with a mark at the highest fill seen, *peak* (both 0 to 1)."""
    now, peak = min(1.0, max(0.0, now)), min(1.0, max(0.0, peak))
    text = glyphs.fill(now, width)
    filled = len(text.rstrip(glyphs.bar_empty)) if now > 0 else 0
    at = min(width - 1, int(peak * width))
    if peak <= 0 or at < filled:
        return [(text[:filled], tone(now)), (text[filled:], "empty")]
    rest = text[filled:]
    at -= filled
    return [(text[:filled], tone(now)), (rest[:at], "empty"), (glyphs.peak, "peak"), (rest[at + 1 :], "empty")]


def _summary(totals: Totals, whole: int, width: int, glyphs: Glyphs) -> list[Piece]:
    peak = sum(c.peak for c in totals.cpus)
    name = "ring" if totals.transport == "ringbuf" else "perf" if totals.transport else "buffer"
    tail = f" {format.percent(totals.fill, whole):>4} of {format.size(whole)}"
    room = width - len(name) - 1 - len(tail)
    if room < 4:
        return [(clip(f"{name}{tail}", width, glyphs.ellipsis), "")]
    whole = max(1, whole)
    return [(f"{name} ", "dim"), *bar(totals.fill / whole, min(peak, whole) / whole, room, glyphs), (tail, "")]


def _widths(width: int) -> tuple[int, int]:
    """The width of the bar in cells, and 1 when there is room for figures after it, else 0."""
    room = width - 4 - 12
    return (room, 1) if room >= 5 else (max(1, width - 4), 0)


def _titles(shared: bool, width: int) -> list[Piece]:
    room, figures = _widths(width)
    what = "share" if shared else "fill"
    return [(f"CPU {what:<{room}}"[: 4 + room] + (f" {'ev/s':>5} {'lost':>5}" if figures else ""), "dim")]


def _bar_row(cpu: Cpu, each: int, width: int, glyphs: Glyphs) -> list[Piece]:
    room, figures = _widths(width)
    each = max(1, each)
    pieces: list[Piece] = [(f"{cpu.cpu:>3} ", "dim"), *bar(cpu.fill / each, cpu.peak / each, room, glyphs)]
    if figures:
        pieces += [(f" {format.rate(cpu.rate):>5}", ""), (f" {format.short(cpu.dropped):>5}", _loss(cpu))]
    return pieces


def _loss(cpu: Cpu) -> FillTone:
    return "moving" if cpu.drop_rate > 0 else "lost" if cpu.dropped else "dim"


def _grid(cpus: tuple[Cpu, ...], each: int, width: int, glyphs: Glyphs) -> Lines:
    across = max(1, width // CELL)
    levels = len(glyphs.spark) - 1
    rows: Lines = []
    for start in range(0, len(cpus), across):
        row: list[Piece] = []
        for cpu in cpus[start : start + across]:
            part = min(1.0, cpu.fill / max(1, each))
            level = max(1, round(part * levels)) if part > 0 else 0
            row += [(f"{cpu.cpu:>3}", _loss(cpu)), (glyphs.spark[level], tone(part)), (" ", "")]
        rows.append(row)
    return rows


def _heat(cpus: tuple[Cpu, ...], each: int, width: int, height: int, glyphs: Glyphs) -> Lines:
    digits = max(3, len(str(cpus[-1].cpu)))
    across = (width - digits - 1) // 8 * 8 or max(1, width - digits - 1)
    # When there are more CPUs than cells, several CPUs share a cell, which shows the fullest of them.
    shared = -(-len(cpus) // (across * max(1, height - 1)))
    cells = [cpus[at : at + shared] for at in range(0, len(cpus), shared)]
    rows: Lines = []
    for start in range(0, len(cells), across):
        row: list[Piece] = [(f"{cells[start][0].cpu:>{digits}} ", "dim")]
        row += [_heat_cell(cell, each, glyphs) for cell in cells[start : start + across]]
        rows.append(row)
    worst = max(cpus, key=lambda c: c.fill)
    losing = sum(1 for c in cpus if c.dropped)
    caption = f"fullest CPU {worst.cpu}: {format.percent(worst.fill, each)}"
    if losing:
        caption += f", lost on {losing}"
    if shared > 1:
        caption += f"; {shared} a cell"
    return [*rows[: max(1, height - 1)], [(clip(caption, width, glyphs.ellipsis), "lost" if losing else "dim")]]


def _heat_cell(cpus: tuple[Cpu, ...], each: int, glyphs: Glyphs) -> Piece:
    levels = len(glyphs.heat) - 1
    part = min(1.0, max(c.fill for c in cpus) / max(1, each))
    level = max(1, round(part * levels)) if part > 0 else 0
    losing = [c for c in cpus if c.dropped]
    if losing:
        return glyphs.heat[level], "moving" if any(c.drop_rate > 0 for c in losing) else "lost"
    return glyphs.heat[level], tone(part) if level else "empty"

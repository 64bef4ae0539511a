"""The buffers of many CPUs in little room."""

from __future__ import annotations

import pytest

from ringtop.tui.draw import fill
from ringtop.tui.model.counters import Cpu, Totals
from ringtop.tui.text.glyphs import ASCII


@pytest.mark.parametrize("cpus", [512, 4096])
@pytest.mark.parametrize(("width", "height"), [(40, 4), (60, 5), (100, 20)])
def test_each_row_of_a_heat_map_begins_at_the_same_place(cpus: int, width: int, height: int) -> None:
    all_of_them = tuple(Cpu(cpu, fill=1) for cpu in range(cpus))
    rows = fill.pane(Totals(transport="perfbuf", capacity=cpus, cpus=all_of_them), cpus, width, height, ASCII)
    labels = [row[0][0] for row in rows[1:-1]]
    assert len({len(label) for label in labels}) == 1
    assert [int(label) for label in labels] == sorted(int(label) for label in labels)
    assert all(sum(len(text) for text, _ in row) <= width for row in rows)

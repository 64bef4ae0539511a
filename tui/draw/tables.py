"""One event outside its table: as text to copy, or as a value to filter by."""

from __future__ import annotations

from collections.abc import Sequence

from ringtop.bpf.event.schema import TEXTS, Field
from ringtop.tui.draw import cells
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model.store import Event


def row_text(event: Event, shown: Sequence[Field], clock: Clock) -> str:
    """The text of the columns *shown*, uncut and separated by tabs."""
    return "\t".join(cells.column(event.batch, f, clock, 18)[0].text for f in shown)


def value(event: Event, field: Field) -> int | bytes:
    """The raw value of *field*."""
    if field.kind in TEXTS or field.kind == "args":
        return event.batch.text(field.name)[0]
    number: int = event.batch.rows[field.part][0].item()
    return number

"""Completion of a filter while the user types it."""

from __future__ import annotations

from ringtop.bpf.filter.parser import expected
from ringtop.bpf.filter.value import FIELDS, operators, words


def complete(text: str, cursor: int) -> tuple[int, list[str]]:
    """Return the start of the word that ends at *cursor*, and the names, operators or values that could complete it."""
    place = expected(text, cursor)
    match place.kind:
        case "field":
            candidates = [*FIELDS, "not"]
        case "operator" if place.field:
            candidates = list(operators(place.field))
        case "value" if place.field:
            candidates = words(place.field) if text[place.start - 1] == "=" else []
        case "joint":
            candidates = ["and", "or", *([")"] if place.open else [])]
        case _:
            candidates = []
    word = text[place.start : cursor].lower()
    return place.start, [c for c in candidates if c.startswith(word) and c != word]

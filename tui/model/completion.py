"""Completions for a filter that is being typed: fields, operators, keywords, and values seen lately."""

from __future__ import annotations

import os
import re

from ringtop.bpf import filter as language
from ringtop.bpf.event.schema import SCHEMAS, Field
from ringtop.tui.model.store import Store
from ringtop.tui.text import text

MOST = 8
"""The limit of values offered."""


def complete(typed: str, cursor: int, store: Store) -> tuple[int, list[str]]:
    """The position where the replacement starts, and the candidates for it, best first."""
    place = language.expected(typed, cursor)
    if place.kind == "value" and place.field is not None:
        begun = typed[place.start : cursor]
        values = [v for v in recent(place.field.name, store) if v.startswith(begun) and v != begun]
        if values:
            return place.start, values[:MOST]
    return language.complete(typed, cursor)


def recent(name: str, store: Store) -> list[str]:
    """Values of the field *name* seen lately, newest first, as the filter language writes them."""
    field = next((s[name] for s in SCHEMAS.values() if name in s), None)
    if field is None or field.kind == "time":
        return []
    return list(dict.fromkeys(literal(field, value) for value in store.recent(name)))


def literal(field: Field, value: int | bytes) -> str:
    """*value* as the filter language writes it."""
    if isinstance(value, bytes):
        return quoted(value.rstrip(b"\0").replace(b"\0", b" ") if field.kind == "args" else value)
    match field.kind:
        case "enum":
            return field.word(value)
        case "bool":
            return "true" if value else "false"
        case "duration":
            return "unknown" if value == field.unknown else f"{value}ns"
        case "result" | "status":
            name = field.word(value)
            return name if value < 0 and name.isupper() else str(value)
        case _:
            return "unknown" if value == field.unknown else str(value)


def process(pid: int, start: int, host: str = "") -> str:
    """The filter for the events of the process that has the id *pid* and started at *start* (0: it is not known), on
    the *host* with this name where there are several."""
    return " and ".join([*([of_host(host)] if host else []), f"pid={pid}", *([f"start_ns={start}"] if start else [])])


def of_host(name: str) -> str:
    """The filter for the events of the host with this name."""
    return f"host={quoted(os.fsencode(name))}"


def quoted(raw: bytes) -> str:
    """The filter literal that reads back as exactly the bytes *raw*; without quotes where it can."""
    shown = text.visible(raw)
    return shown if re.fullmatch(r"[\w./:@%+,-]+", shown, re.ASCII) else '"' + shown.replace('"', '\\"') + '"'


def equals(field: Field, value: int | bytes, current: str, only: bool = True) -> str:
    """*current*, narrowed to events whose *field* is *value*, or without *only* to all others."""
    term = f"{'' if only else 'not '}{field.name}={literal(field, value)}"
    if not current.strip():
        return term
    try:
        either = isinstance(language.parse(current), language.Or)
    except language.FilterError:
        return term
    return f"({current}) and {term}" if either else f"{current} and {term}"

"""Events as JSON, one object a line.

Bytes of a text that are not valid UTF-8 become U+FFFD, and ``<name>_base64`` beside it holds the original bytes.
Characters that could harm a terminal are written as ``\\u`` escapes.
"""

from __future__ import annotations

import base64
import unicodedata
from functools import cache
from typing import Any

import msgspec

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import TEXTS
from ringtop.tui.lines.values import columns, names
from ringtop.tui.text.text import PROGRAMS

_encoder = msgspec.json.Encoder()


class JsonLines:
    """Writes events as JSON; a ``LineWriter``."""

    def __init__(self, hosts: bool = False) -> None:
        """*hosts*: each line tells its host."""
        self._hosts = hosts

    def header(self) -> str:
        """Empty: JSON lines have no header."""
        return ""

    def lines(self, batch: Batch, wall_offset_ns: int) -> list[str]:
        """One JSON object for each row of *batch*."""
        keys, schema = names(batch.program, self._hosts), batch.schema
        values = columns(batch, wall_offset_ns, self._hosts)
        broken: dict[int, dict[str, Any]] = {}
        for i, name in enumerate(keys):
            kind = schema[name].kind if name in schema else ""
            if kind in TEXTS:
                values[i] = _decoded(name, values[i], broken)
            elif kind == "args":
                values[i] = _decoded_args(name, values[i], broken)
        records: list[Any] = list(map(_record(batch.program, self._hosts), *values))
        for row, original in broken.items():
            records[row] = msgspec.structs.asdict(records[row]) | original
        text = _encoder.encode_lines(records).decode()
        lines = text.split("\n")[:-1]
        if text.isascii() and "\x7f" not in text:
            return lines
        return [escaped_json(line) for line in lines]


@cache
def _record(program: str, hosts: bool) -> type[msgspec.Struct]:
    """The class of the program's records: they are made and written in half the time of dicts."""
    return msgspec.defstruct(program, names(program, hosts), gc=False)


def _decoded(name: str, values: list[bytes], broken: dict[int, dict[str, Any]]) -> list[str]:
    try:
        return [raw.decode() for raw in values]
    except UnicodeDecodeError:
        pass
    shown = []
    for row, raw in enumerate(values):
        text = raw.decode("utf-8", "replace")
        if "\ufffd" in text and text.encode() != raw:
            broken.setdefault(row, {})[f"{name}_base64"] = base64.b64encode(raw).decode()
        shown.append(text)
    return shown


def _decoded_args(name: str, values: list[list[bytes]], broken: dict[int, dict[str, Any]]) -> list[list[str]]:
    try:
        return [[raw.decode() for raw in args] for args in values]
    except UnicodeDecodeError:
        pass
    shown = []
    for row, args in enumerate(values):
        texts = [raw.decode("utf-8", "replace") for raw in args]
        if [text.encode() for text in texts] != args:
            broken.setdefault(row, {})[f"{name}_base64"] = [base64.b64encode(raw).decode() for raw in args]
        shown.append(texts)
    return shown


class _InJson(dict[int, str]):
    """The form in which each character of a JSON text is written, by code point."""

    def __missing__(self, code: int) -> str:
        if len(self) >= 4096:
            self.clear()
        char = chr(code)
        if char != "\n" and (not PROGRAMS.is_safe(char) or unicodedata.category(char) == "Mn"):
            units = char.encode("utf-16-be")
            char = "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
        self[code] = char
        return char


_in_json = _InJson()


def escaped_json(document: str) -> str:
    """The JSON *document* with all unsafe characters as ``\\u`` escapes; its meaning stays the same."""
    return document.translate(_in_json)


def untagged(value: Any) -> Any:
    """*value* as dicts and lists, without the tags by which messages are told apart in a stream."""
    return _untagged(msgspec.to_builtins(value))


def _untagged(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _untagged(part) for name, part in value.items() if name != "type"}
    return [_untagged(part) for part in value] if isinstance(value, list) else value

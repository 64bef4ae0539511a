"""The fields that a filter can compare, their operators, and the ways in which their values can be written."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable

from ringtop.bpf.common import signals
from ringtop.bpf.event.schema import AT_FDCWD, SCHEMAS, TEXTS, Column, Field, Kind
from ringtop.bpf.filter.derived import DERIVED, derived
from ringtop.bpf.filter.expr import Operator, Position, Value
from ringtop.bpf.filter.regex import PatternError, compile_pattern

PROGRAM = Field("program", "enum", " or ".join(SCHEMAS), Column("PROGRAM", 11, 11), words=tuple(SCHEMAS))
FIELDS: dict[str, Field] = {
    PROGRAM.name: PROGRAM,
    **{f.name: f for s in SCHEMAS.values() for f in s.fields if f.kind != "time"},
    **{d.field.name: d.field for d in DERIVED.values()},
}
"""All programs' fields that a filter can name. Wall-clock time is not among them, because rows hold only the kernel's
clock."""
ALIASES = {"exe": "filename", "errno": "ret", "signal": "status"} | {
    f.record_name: f.name for f in FIELDS.values() if f.record_name != f.name
}
"""Other names of fields: those in JSON where they differ, with those of an error's and a signal's name, and that of the
key of ranked rows."""
COMM_BYTES = 15
"""Length of the longest comm, in bytes; the kernel cuts the rest."""

_ORDER: tuple[Operator, ...] = ("=", "!=", ">", ">=", "<", "<=")
_SAME: tuple[Operator, ...] = ("=", "!=")
_TEXT: tuple[Operator, ...] = ("=", "!=", "~", "!~")
_OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    "int": _ORDER,
    "duration": _ORDER,
    "bool": _SAME,
    "enum": _SAME,
    "result": _ORDER,
    "status": _ORDER,
    "dirfd": _ORDER,
    "comm": _TEXT,
    "name": _TEXT,
    "path": _TEXT,
    "args": _TEXT,
}
_BOOLS = {"true": 1, "false": 0, "1": 1, "0": 0, "yes": 1, "no": 0}
_UNKNOWN = ("unknown", "-", "null")
"""The word for a value that a hook could not know, and how tables and JSON show it."""
_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_DURATION = re.compile(r"(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*([a-zµμ]*)")
_INTEGER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|[0-9]+)")
_ESCAPE = re.compile(r"\\(?:([\\\"'nrt])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(?s:.)?)")
_ESCAPES = {"\\": b"\\", '"': b'"', "'": b"'", "n": b"\n", "r": b"\r", "t": b"\t"}


def fields(program: str | None = None) -> list[str]:
    """Return the field names that a filter can use for *program*, or, without one, for any program."""
    if program is None:
        return list(FIELDS)
    schema = SCHEMAS[program]
    own = [f.name for f in schema.fields if f.name in FIELDS]
    return [PROGRAM.name, *own, *(name for name in DERIVED if derived(name, schema))]


def operators(field: Field) -> tuple[Operator, ...]:
    """Return the operators that *field* supports."""
    return _OPERATORS[field.kind]


def words(field: Field) -> list[str]:
    """Return the values of *field* where they are few words; else the words it accepts besides numbers or text."""
    if field.kind == "enum":
        return list(field.words)
    if field.kind == "bool":
        return ["true", "false"]
    return ["unknown"] if field.unknown is not None else []


def find(name: str, at: Position) -> Field:
    """Return the field called *name*, in upper or lower case or by an alias. Raises FilterError."""
    lower = name.lower()
    field = FIELDS.get(ALIASES.get(lower, lower))
    if field is None:
        if lower == "time":
            raise at.error("wall-clock time cannot be filtered; ts_ns (the kernel's clock) can")
        raise at.error(f"unknown field {name!r}{suggestion(lower, [*FIELDS, *ALIASES])}")
    return field


def suggestion(word: str, among: Iterable[str]) -> str:
    """Return ', did you mean …?' with the closest of *among*, or an empty text when none is close."""
    import difflib  # takes long to import

    close = difflib.get_close_matches(word, list(among), 1)
    return f", did you mean {close[0]!r}?" if close else ""


def convert(field: Field, op: Operator, word: str, quoted: bool, at: Position) -> Value:
    """Convert *word* (without its quotes) to the value that *field* is compared with by *op*. Raises FilterError."""
    if op in ("~", "!~"):
        try:
            return compile_pattern(word)
        except PatternError as e:
            raise Position(at.text, at.column + quoted + e.position).error(e.message) from e
    if field.kind in TEXTS or field.kind == "args":
        return _text(field, word, quoted, at)
    word = word.strip()
    if word.lower() in _UNKNOWN and field.unknown is not None:
        if op not in _SAME:
            raise at.error("unknown has no order: use '=' or '!='")
        return None
    if field is PROGRAM:
        return _one_of(word, {name: name for name in field.words}, field, at)
    if field.kind == "enum":
        return _one_of(word, {name: i for i, name in enumerate(field.words)}, field, at)
    if field.kind == "bool":
        return _one_of(word, _BOOLS | {name: i for i, name in enumerate(field.words)}, field, at)
    return _duration(field, word, at) if field.kind == "duration" else _integer(field, word, at)


def _one_of(word: str, values: dict[str, Value] | dict[str, str] | dict[str, int], field: Field, at: Position) -> Value:
    if word.lower() in values:
        return values[word.lower()]
    raise at.error(f"{field.name} is one of {', '.join(values)}, not {word!r}{suggestion(word.lower(), values)}")


def _duration(field: Field, word: str, at: Position) -> int:
    found = _DURATION.fullmatch(word)
    if not found:
        raise at.error(f"{field.name} needs a duration such as 500us or 1.5ms, not {word!r}")
    number, unit = found.groups()
    if unit not in _UNITS:
        raise at.error(f"unknown unit {unit!r}: ns, us, ms or s (without one it is us)")
    from fractions import Fraction  # takes long to import

    return _within(round(Fraction(number) * _UNITS[unit]), at)


def _integer(field: Field, word: str, at: Position) -> int:
    if _INTEGER.fullmatch(word):
        sign = -1 if word.startswith("-") else 1
        digits = word.lstrip("-")
        return _within(sign * int(digits, 16 if digits[:2].lower() == "0x" else 10), at)
    if field.kind == "dirfd" and word.upper() in ("AT_FDCWD", "CWD"):
        return AT_FDCWD
    if field.kind == "result":
        names = {name: number for number, name in errno.errorcode.items()}
        name = word.lstrip("-").upper()
        if name == "OK":
            return 0
        number = getattr(errno, name, None) if name.startswith("E") else None
        if isinstance(number, int):
            return -number
        raise at.error(f"{field.name} needs a number or the name of an error, not {word!r}{suggestion(name, names)}")
    if field.kind == "status":
        names = signals.numbers()
        name = word.upper()
        if (number := names.get(name) or names.get(f"SIG{name}")) is not None:
            return -number
        raise at.error(f"{field.name} needs a number or the name of a signal, not {word!r}{suggestion(name, names)}")
    raise at.error(f"{field.name} needs a number, not {word!r}")


def _within(number: int, at: Position) -> int:
    if abs(number) >= 1 << 63:
        raise at.error("the number is too large")
    return number


def _text(field: Field, word: str, quoted: bool, at: Position) -> bytes:
    text = _unquote(word, at) if quoted else _encode(word, at)
    if b"\0" in text:
        raise at.error(f"{field.name} cannot contain a NUL")
    if field.kind == "comm" and len(text) > COMM_BYTES:
        cut = text[:COMM_BYTES].decode("utf-8", "replace")
        raise at.error(f"{field.name} is at most {COMM_BYTES} bytes long, the kernel cuts the rest: try {cut!r}")
    return text


def _encode(text: str, at: Position) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as e:
        raise at.error("not valid text") from e


def _unquote(word: str, at: Position) -> bytes:
    out = bytearray()
    end = 0
    for escape in _ESCAPE.finditer(word):
        here = Position(at.text, at.column + 1 + escape.start())
        out += _encode(word[end : escape.start()], here)
        end = escape.end()
        plain, byte, short, long = escape.groups()
        if plain:
            out += _ESCAPES[plain]
        elif byte:
            out.append(int(byte, 16))
        elif short or long:
            code = int(short or long, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise here.error("there is no such character")
            out += chr(code).encode()
        else:
            raise here.error(r"unknown escape; a backslash is written \\ in quotes")
    return bytes(out + _encode(word[end:], at))

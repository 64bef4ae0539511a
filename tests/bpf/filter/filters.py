"""Made-up filters for the tests: trees with the text that says them, and what they mean, written naively."""

from __future__ import annotations

import operator
import re

from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.command.command import LONGEST, command
from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN
from ringtop.bpf.filter.expr import And, Compare, Expr, Not, Or
from ringtop.bpf.filter.regex import Pattern, compile_pattern
from ringtop.bpf.filter.value import FIELDS, operators
from ringtop.tui.model.completion import quoted

Pair = tuple[Expr, str]
"""A tree and a text that parses to it."""

_PATTERNS = ["a", "^/tmp/", r"\.txt$", "n.inx", "[xyz]", "(a|b)c?", r"\\", ".", "", "^$", "sh"]
_ORDER = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@st.composite
def terms(draw: st.DrawFn, names: list[str] | None = None) -> Pair:
    field = FIELDS[draw(st.sampled_from(names or list(FIELDS)))]
    op = draw(st.sampled_from(operators(field)))
    space = draw(st.sampled_from(["", " "]))
    start = field.name + space + op + space
    if op in ("~", "!~"):
        pattern = draw(st.sampled_from(_PATTERNS))
        return Compare(field.name, op, compile_pattern(pattern)), f'{start}"{pattern}"'
    if field.name == "program":
        name = draw(st.sampled_from(list(SCHEMAS)))
        return Compare(field.name, op, name), start + name
    if field.kind == "enum":
        number = draw(st.integers(0, len(field.words) - 1))
        return Compare(field.name, op, number), start + field.words[number]
    if field.kind == "bool":
        value = draw(st.integers(0, 1))
        return Compare(field.name, op, value), start + draw(st.sampled_from([str(value), ("false", "true")[value]]))
    if field.kind == "duration":
        number = draw(st.one_of(st.integers(-2, 20), st.integers(499_999, 500_001), st.integers(0, 1 << 50)))
        exact = f"{number // 1000}.{number % 1000:03}us" if number >= 0 else f"{number}ns"
        return Compare(field.name, op, number), start + draw(st.sampled_from([f"{number}ns", exact]))
    if field.kind in ("int", "result", "status", "dirfd"):
        if field.unknown is not None and op in ("=", "!=") and draw(st.integers(0, 4)) == 0:
            return Compare(field.name, op, None), start + "unknown"
        number = draw(
            st.one_of(
                st.integers(-6, 6),
                st.sampled_from([UNKNOWN - 1, UNKNOWN, UNKNOWN + 1, -(1 << 31), (1 << 31) - 1, 1 << 62, -(1 << 62)]),
                st.integers(0, 1 << 32),
            )
        )
        return Compare(field.name, op, number), start + draw(st.sampled_from([str(number), hex(number)]))
    text = draw(st.sampled_from([b"nginx", b"sh", b"/tmp/a", b"a b", b"", b"sh -c", b"\xff\\", b"\x1b'\""]))
    return Compare(field.name, op, text), start + quoted(text)


@st.composite
def _joined(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    kind = draw(st.sampled_from(["and", "or", "not"]))
    if kind == "not":
        part, text = draw(inner)
        return Not(part), f"{draw(st.sampled_from(['not', 'NOT']))} {_grouped(part, text)}"
    pairs = draw(st.lists(inner, min_size=2, max_size=3))
    parts = tuple(p for p, _ in pairs)
    if kind == "and":
        return And(parts), " and ".join(_grouped(p, t) for p, t in pairs)
    return Or(parts), " OR ".join(f"( {t})" if isinstance(p, Or) else t for p, t in pairs)


def _grouped(part: Expr, text: str) -> str:
    return f"({text})" if isinstance(part, And | Or) else text


def pairs(names: list[str] | None = None, leaves: int = 6) -> st.SearchStrategy[Pair]:
    """Filters on *names* (any unless given)."""
    return st.recursive(terms(names), _joined, max_leaves=leaves)


def holds(expr: Expr, batch: Batch, i: int) -> bool:
    """Whether *expr* is true for row *i*: the language's meaning, one row and one step at a time."""
    match expr:
        case And(parts):
            return all(holds(p, batch, i) for p in parts)
        case Or(parts):
            return any(holds(p, batch, i) for p in parts)
        case Not(part):
            return not holds(part, batch, i)
        case Compare("program", op, value):
            return bool(_ORDER[op](batch.program, value))
        case Compare(name, op, value):
            if (of := {"dir": "full", "command": "argv", "subcommand": "argv"}.get(name, name)) not in batch.schema:
                return False
            field = batch.schema[of]
            if isinstance(value, bytes | Pattern):
                text = batch.text(of)[i]
                if name == "argv":
                    text = b" ".join(text.split(b"\0")[: int(batch.rows["argc"][i])])
                elif name == "dir":
                    text = text[: -len(text.rpartition(b"/")[2])] if not text.endswith(b"/") and text else text
                elif of == "argv":
                    args = text.split(b"\0")[:-1]
                    _, named, full = command(batch.text("filename")[i], args).labels()
                    text = (named if name == "subcommand" else full)[:LONGEST].replace(b"\0", b" ")
                if isinstance(value, Pattern):
                    python = value.text.replace("$", r"\Z").encode()
                    return (re.search(python, text, re.DOTALL) is not None) == (op == "~")
                return (text == value) == (op == "=")
            number = int(batch.rows[field.part][i])
            unknown = number == FIELDS[name].unknown
            if value is None:
                return unknown == (op == "=")
            if unknown:
                return op == "!="
            if field.kind == "bool":
                number = min(number, 1)
            return bool(_ORDER[op](number, value))

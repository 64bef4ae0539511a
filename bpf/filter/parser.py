"""The parser of the filter language; bpf/filter/__init__.py describes the language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from ringtop.bpf.common.errors import FilterError
from ringtop.bpf.event.schema import Field
from ringtop.bpf.filter.expr import ALL, And, Compare, Expr, Not, Operator, Or, Position
from ringtop.bpf.filter.value import convert, find, operators

MAX_LENGTH = 4096
"""Length of the longest filter, in characters."""
MAX_DEPTH = 32
"""The deepest nesting of parentheses and nots."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\w+")
_KEYWORD = re.compile(r"(and|or|not)(?!\w)", re.IGNORECASE)
_OPERATOR = re.compile(r"!=|!~|>=|<=|==|=|>|<|~")
_VALUE = re.compile(r"""[^\s()"']+""")
_WITH_UNIT = re.compile(rf"{_VALUE.pattern}(?:\s+(?:ns|[uµμm]?s)(?!\w))?")
"""A duration, as tables show it: with a space before its unit."""
_QUOTED = re.compile(r"""(["'])((?:(?!\1)[^\\]|\\.)*)\1""", re.DOTALL)
_FOREIGN = {"&": "'and'", "|": "'or'"}


def parse(text: str) -> Expr:
    """Parse the filter *text*; an empty text is ``ALL``. Raises FilterError."""
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class Expected:
    """The kind of word that may replace the characters from *start* to a place in a filter."""

    start: int
    kind: Literal["field", "operator", "value", "joint", "nothing"] = "nothing"
    field: Field | None = None
    """The field that the operator or value belongs to."""
    open: bool = False
    """Whether a parenthesis is still open."""


class _Parser:
    """A recursive descent parser. After an error, *at* is where parsing stopped and *expected* what may stand there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.expected = Expected(0)
        self._open: list[int] = []
        self._depth = 0

    def whole(self) -> Expr:
        if len(self.text) > MAX_LENGTH:
            raise FilterError(f"a filter has at most {MAX_LENGTH} characters", self.text, MAX_LENGTH)
        if not self.text.strip():
            self.at = len(self.text)
            self._expect("field")
            return ALL
        found = self._any()
        if self.at < len(self.text):
            here = self._here()
            if self.text[self.at] == ")":
                raise here.error("this ')' has no '('")
            joints = _FOREIGN.get(self.text[self.at], "'and' or 'or'")
            raise here.error(f"expected {joints} here")
        return found

    def _any(self) -> Expr:
        parts, at = [self._all()], self._here()
        while (here := self._keyword("or")) is not None:
            at = at if len(parts) > 1 else here
            parts.append(self._all())
        return Or(tuple(parts), at) if len(parts) > 1 else parts[0]

    def _all(self) -> Expr:
        parts, at = [self._one()], self._here()
        while (here := self._keyword("and")) is not None:
            at = at if len(parts) > 1 else here
            parts.append(self._one())
        return And(tuple(parts), at) if len(parts) > 1 else parts[0]

    def _one(self) -> Expr:
        self._expect("field")
        here = self._here()
        if self._depth > MAX_DEPTH:
            raise here.error(f"parentheses and nots are nested more than {MAX_DEPTH} deep")
        self._depth += 1
        try:
            if self._keyword("not") is not None:
                return Not(self._one(), here)
            if self.text.startswith("(", self.at):
                return self._group()
            return self._term()
        finally:
            self._depth -= 1

    def _group(self) -> Expr:
        here = self._here()
        self._open.append(self.at)
        self.at += 1
        inner = self._any()
        if self.at == len(self.text):
            raise here.error("this '(' is not closed")
        if self.text[self.at] != ")":
            joints = _FOREIGN.get(self.text[self.at], "'and', 'or'")
            raise self._here().error(f"expected {joints} or ')' here")
        self.at += 1
        self._open.pop()
        self._expect("joint")
        return inner

    def _term(self) -> Compare:
        start = self._here()
        word = _WORD.match(self.text, self.at)
        if word is None:
            if self.at == len(self.text):
                raise start.error("a comparison is missing here")
            name = "'not'" if self.text[self.at] == "!" else "the name of a field"
            raise start.error(f"expected {name} here")
        field = find(word.group(), start)
        self.at = word.end()
        self._expect("operator", field)
        found = _OPERATOR.match(self.text, self.at)
        if found is None:
            if field.kind == "bool" and (self._ends() or _KEYWORD.match(self.text, self.at)):
                self._expect("joint")
                return Compare(field.name, "=", 1, start)
            raise self._here().error(f"an operator is missing after {field.name}: {' '.join(operators(field))}")
        op = cast("Operator", found.group().replace("==", "="))
        if op not in operators(field):
            raise self._here().error(f"{field.name} does not take {op!r}, only {' '.join(operators(field))}")
        self.at = found.end()
        self._expect("value", field)
        return self._value(start, field, op)

    def _value(self, start: Position, field: Field, op: Operator) -> Compare:
        here = self._here()
        quoted = self.text[self.at : self.at + 1] in ('"', "'")
        plain = _WITH_UNIT if field.kind == "duration" else _VALUE
        found = (_QUOTED if quoted else plain).match(self.text, self.at)
        if found is None:
            if quoted:
                raise here.error("this quote is not closed")
            hint = "; a value with parentheses needs quotes" if self.text.startswith("(", self.at) else ""
            raise here.error(f"a value is missing after {op!r}{hint}")
        word = found.group(2 if quoted else 0)
        value = convert(field, op, word, quoted, here)
        self.at = found.end()
        self._expect("joint")
        return Compare(field.name, op, value, start)

    def _ends(self) -> bool:
        return self.at == len(self.text) or self.text[self.at] == ")"

    def _keyword(self, word: str) -> Position | None:
        found = _KEYWORD.match(self.text, self.at)
        if found is None or found.group().lower() != word:
            return None
        here = self._here()
        self.at = found.end()
        return here

    def _expect(self, kind: Literal["field", "operator", "value", "joint"], field: Field | None = None) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        self.expected = Expected(self.at, kind, field, bool(self._open))

    def _here(self) -> Position:
        return Position(self.text, self.at)


def expected(text: str, cursor: int) -> Expected:
    """Return the kinds of word that the word ending at *cursor* can be."""
    before = text[:cursor]
    start = len(before.rstrip("!")) if before.endswith("!") else len(re.sub(r"""[^\s()"'=!<>~]*$""", "", before))
    parser = _Parser(before[:start])
    try:
        parser.whole()
    except FilterError:
        if parser.at < start:
            return Expected(cursor)
    if parser.expected.kind == "joint" and before[start - 1 : start] not in (" ", "\t", ")"):
        return Expected(cursor)
    return parser.expected

"""Capture filters: the subset of the filter language that the kernel checks, compiled to the record its programs read.

The kernel can check one range of values and one excluded range for each of a few numbers, and one comm, all joined by
``and``. ``or`` is possible within one field where these ranges can express it (``ret<-2 or ret>0``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ringtop.bpf.common.errors import FilterError
from ringtop.bpf.event.schema import SCHEMAS, Schema
from ringtop.bpf.filter.expr import And, Compare, Expr, Not, Operator, Or, Position
from ringtop.bpf.filter.intervals import Interval, Intervals
from ringtop.bpf.filter.match import narrow
from ringtop.bpf.filter.parser import parse
from ringtop.bpf.filter.value import COMM_BYTES
from ringtop.bpf.filter.value import FIELDS as COMPARED

__all__ = [
    "CAPTURE",
    "FIELDS",
    "KEEP_ALL",
    "KEEP_NONE",
    "KNOWN",
    "RANGES",
    "Capture",
    "Range",
    "check_capture",
    "compile_capture",
]

CAPTURE = np.dtype(
    [
        ("active", "<u8"),
        ("range", [("lo", "<i8"), ("hi", "<i8"), ("not_lo", "<i8"), ("not_hi", "<i8")], (7,)),
        ("comm", "S16"),
        ("comm_not", "<u8"),
    ]
)
"""The layout of ``struct capture`` in include/ringtop.h."""

_S64 = (-(1 << 63), (1 << 63) - 1)
_U32 = (0, (1 << 32) - 1)
RANGES: tuple[dict[str, Interval], ...] = (
    {"latency": (0, _S64[1]), "ran": (0, _S64[1])},
    {"pid": _U32},
    {"tid": _U32},
    {"ppid": _U32},
    {"uid": _U32},
    {"ret": (-(1 << 31), (1 << 31) - 1), "status": (-(1 << 15), (1 << 15) - 1)},
    {"cpu": _U32},
)
"""The numbers that the kernel checks, in the order of their ranges, each with its least and largest possible value. The
numbers of one range are never of the same program."""
FIELDS = {name: domain for numbers in RANGES for name, domain in numbers.items()}
"""All of them by name."""
KNOWN = frozenset([*FIELDS, "comm"])
"""All fields that the kernel checks."""
_COMM_BIT = 1 << len(RANGES)


class Range(NamedTuple):
    """The values from lo to hi, except those from not_lo to not_hi; with not_lo > not_hi nothing is excepted."""

    lo: int = _S64[0]
    hi: int = _S64[1]
    not_lo: int = 0
    not_hi: int = -1


_ANY = Range()


@dataclass(frozen=True, slots=True)
class Capture:
    """A compiled capture filter: the events that the kernel keeps."""

    active: int = 0
    """Bit i is set when range i is checked; the bit after the ranges, when comm is checked."""
    ranges: tuple[Range, ...] = (_ANY,) * len(RANGES)
    """One for each of ``RANGES``."""
    comm: bytes = b""
    comm_not: bool = False

    def may_pass(self, field: str, low: int, high: int) -> bool:
        """Whether a value of *field* from *low* to *high* can pass."""
        lo, hi, not_lo, not_hi = self.ranges[next(i for i, names in enumerate(RANGES) if field in names)]
        first, last = max(lo, low), min(hi, high)
        return first <= last and not (not_lo <= first and last <= not_hi)

    def pack(self) -> bytes:
        """Return the filter as one ``CAPTURE`` record."""
        ranges = [tuple(r) for r in self.ranges]
        return np.array((self.active, ranges, self.comm, self.comm_not), CAPTURE).tobytes()


KEEP_ALL = Capture()
KEEP_NONE = Capture(active=1, ranges=(Range(_S64[1], _S64[0]), *KEEP_ALL.ranges[1:]))
"""Keeps no event: no latency reaches the limit, and runqslower returns before it fills in the event."""


class _Comms(NamedTuple):
    """The set of comms in *names*, or of all others."""

    names: frozenset[bytes]
    others: bool

    def and_(self, other: _Comms) -> _Comms:
        if self.others and other.others:
            return _Comms(self.names | other.names, True)
        if self.others or other.others:
            some, out = (other, self) if self.others else (self, other)
            return _Comms(some.names - out.names, False)
        return _Comms(self.names & other.names, False)

    def inverse(self) -> _Comms:
        return _Comms(self.names, not self.others)


class _Checks(NamedTuple):
    """A conjunction: the set that each mentioned field must lie in, and the position of that term in the filter."""

    numbers: dict[str, tuple[Intervals, Position]]
    comm: tuple[_Comms, Position] | None = None


def compile_capture(expr: Expr, schema: Schema, known: frozenset[str] = KNOWN) -> Capture:
    """Compile *expr* for the events of *schema*; a filter that no event can pass becomes ``KEEP_NONE``.

    *known* are the fields that the hook knows in the kernel. Raises FilterError at the part the kernel cannot check.
    """
    return _pack(_checks(narrow(expr, schema), True, known))


def check_capture(text: str) -> None:
    """Check that the kernel can check the filter *text* for every program. Raises FilterError."""
    expr = parse(text)
    for schema in SCHEMAS.values():
        compile_capture(expr, schema)


def _beyond(at: Position, what: str) -> FilterError:
    return at.error(f"the kernel cannot check {what}: use the display filter (--filter, key /)")


def _checks(expr: Expr, wanted: bool, known: frozenset[str]) -> _Checks:
    """Return the checks under which *expr* has the value *wanted*."""
    match expr:
        case Compare():
            return _term(expr, wanted, known)
        case Not(part):
            return _checks(part, not wanted, known)
        case And(parts, at) | Or(parts, at):
            found = [_checks(p, wanted, known) for p in parts]
            if not found:
                return _Checks({}) if isinstance(expr, And) == wanted else _Checks({}, (_Comms(frozenset(), False), at))
            joined = found[0]
            for more in found[1:]:
                joined = _both(joined, more) if isinstance(expr, And) == wanted else _either(joined, more, at)
            return joined


def _term(term: Compare, wanted: bool, known: frozenset[str]) -> _Checks:
    name, value, at = term.field, term.value, term.at
    if name not in KNOWN:
        raise _beyond(at, name)
    if name not in known:
        raise at.error(f"this hook does not know {name} in the kernel: use the display filter (--filter, key /)")
    if isinstance(value, bytes):
        if len(value) > COMM_BYTES:
            raise at.error(f"a comm is at most {COMM_BYTES} bytes long")
        comms = _Comms(frozenset([value]), term.op == "!=")
        return _Checks({}, (comms if wanted else comms.inverse(), at))
    if not isinstance(value, int | None):
        raise _beyond(at, f"a pattern ({term.op})")
    numbers = _numbers(name, term.op, value)
    return _Checks({name: (numbers if wanted else ~numbers, at)})


def _numbers(name: str, op: Operator, value: int | None) -> Intervals:
    """Return the numbers for which ``name op value`` is true. The number that means unknown is among them only
    for ``!=`` a number and for ``= unknown``."""
    domain, unknown = FIELDS[name], COMPARED[name].unknown
    not_known = Intervals.of(domain, [] if unknown is None else [(unknown, unknown)])
    if value is None:
        return not_known if op == "=" else ~not_known
    low = value if op in ("=", ">=", "!=") else value + 1 if op == ">" else domain[0]
    high = value if op in ("=", "<=", "!=") else value - 1 if op == "<" else domain[1]
    inside = Intervals.of(domain, [(low, high)]) & ~not_known
    return ~inside if op == "!=" else inside


def _both(a: _Checks, b: _Checks) -> _Checks:
    numbers = dict(a.numbers)
    for name, (more, at) in b.numbers.items():
        numbers[name] = (numbers[name][0] & more, at) if name in numbers else (more, at)
    if a.comm and b.comm:
        return _Checks(numbers, (a.comm[0].and_(b.comm[0]), b.comm[1]))
    return _Checks(numbers, a.comm or b.comm)


def _either(a: _Checks, b: _Checks, at: Position) -> _Checks:
    if a.comm and b.comm and not a.numbers and not b.numbers:
        neither = a.comm[0].inverse().and_(b.comm[0].inverse())
        return _Checks({}, (neither.inverse(), b.comm[1]))
    if len(a.numbers) == 1 and a.numbers.keys() == b.numbers.keys() and not a.comm and not b.comm:
        (name,) = a.numbers
        more, where = b.numbers[name]
        return _Checks({name: (a.numbers[name][0] | more, where)})
    raise _beyond(at, "'or' between different fields")


def _pack(checks: _Checks) -> Capture:
    comms, at = checks.comm or (_Comms(frozenset(), True), Position())
    if not (comms.names or comms.others) or not all(numbers.parts for numbers, _ in checks.numbers.values()):
        return KEEP_NONE
    if len(comms.names) > 1:
        raise _beyond(at, "more than one comm")
    ranges = [
        next((_range(name, *checks.numbers[name]) for name in names if name in checks.numbers), _ANY)
        for names in RANGES
    ]
    active = sum(1 << i for i, r in enumerate(ranges) if r != _ANY)
    if not comms.names:
        return Capture(active, tuple(ranges))
    return Capture(active | _COMM_BIT, tuple(ranges), next(iter(comms.names)), comms.others)


def _range(name: str, numbers: Intervals, at: Position) -> Range:
    if len(numbers.parts) > 2:
        raise _beyond(at, f"more than two ranges of {name}")
    low, high = numbers.parts[0][0], numbers.parts[-1][1]
    lo = _S64[0] if low == numbers.domain[0] else low
    hi = _S64[1] if high == numbers.domain[1] else high
    if len(numbers.parts) == 1:
        return Range(lo, hi)
    return Range(lo, hi, numbers.parts[0][1] + 1, numbers.parts[1][0] - 1)

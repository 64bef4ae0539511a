"""Evaluation of a filter: a mask of the events in a batch for which it is true."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.args import join_args
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import Schema
from ringtop.bpf.filter.derived import DERIVED, derived
from ringtop.bpf.filter.expr import ALL, NONE, And, Compare, Expr, Not, Or, terms
from ringtop.bpf.filter.regex import Pattern
from ringtop.bpf.filter.value import FIELDS

Mask = NDArray[np.bool_]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def match(expr: Expr, batch: Batch) -> Mask:
    """Return a mask, shape (len(batch),), that is True where *expr* holds."""
    return _mask(narrow(expr, batch.schema), batch)


def narrow(expr: Expr, schema: Schema) -> Expr:
    """Simplify *expr* for the events of one program.

    Terms on ``program`` and on fields that the program lacks have a known value, so they are evaluated and removed.
    ``ALL`` and ``NONE`` are only ever the whole result, never a part of it.
    """
    match expr:
        case Compare("program", op, value):
            return ALL if (value == schema.program) == (op == "=") else NONE
        case Compare(name):
            return expr if name in schema or derived(name, schema) else NONE
        case Not(part, at):
            inner = narrow(part, schema)
            return NONE if inner == ALL else ALL if inner == NONE else Not(inner, at)
        case And(parts, at):
            kept = tuple(p for p in (narrow(p, schema) for p in parts) if p != ALL)
            return NONE if NONE in kept else kept[0] if len(kept) == 1 else And(kept, at)
        case Or(parts, at):
            kept = tuple(p for p in (narrow(p, schema) for p in parts) if p != NONE)
            return ALL if ALL in kept else kept[0] if len(kept) == 1 else Or(kept, at)


def _mask(expr: Expr, batch: Batch) -> Mask:
    match expr:
        case Compare():
            return _term(expr, batch)
        case Not(part):
            return ~_mask(part, batch)
        case And(parts):
            return _joined(parts, batch, True)
        case Or(parts):
            return _joined(parts, batch, False)


def _joined(parts: tuple[Expr, ...], batch: Batch, both: bool) -> Mask:
    """Join the parts' masks by and (*both*) or by or. A costly part is evaluated only for the rows still undecided."""
    mask = np.full(len(batch), both)
    for part in sorted(parts, key=lambda p: _costly(p, batch.schema)):
        if not _costly(part, batch.schema):
            found = _mask(part, batch)
            mask = mask & found if both else mask | found
            continue
        undecided = np.flatnonzero(mask == both)
        if not len(undecided):
            break
        mask[undecided] = _mask(part, batch.take(undecided))
    return mask


def _costly(expr: Expr, schema: Schema) -> bool:
    return any(term.field in DERIVED or FIELDS[term.field].tail or term.op in ("~", "!~") for term in terms(expr))


def _term(term: Compare, batch: Batch) -> Mask:
    name, value = term.field, term.value
    if (made := DERIVED.get(name)) is not None:
        return _text(term, made.values(batch))
    field = batch.schema[name]
    if field.kind == "args":
        args = zip(batch.text(name), batch.rows[field.count].tolist(), strict=True)
        return _text(term, [join_args(*each) for each in args])
    if field.kind == "name":
        few, of = batch.names.values(name, batch.rows)
        return _text(term, few)[of]
    if isinstance(value, Pattern) or field.tail:
        return _text(term, batch.text(name))
    column = batch.rows[field.part]
    found: Mask
    if field.kind == "bool":
        found = (column != 0) == bool(value)
        return found if term.op == "=" else ~found
    if field.unknown is None:
        found = _COMPARE[term.op](column, value)
        return found
    known = column != field.unknown
    if value is None:
        found = known if term.op == "!=" else ~known
    elif term.op == "!=":
        found = (column != value) | ~known
    else:
        found = _COMPARE[term.op](column, value) & known
    return found


def _text(term: Compare, values: list[bytes]) -> Mask:
    value = term.value
    if not isinstance(value, Pattern):
        found = np.array([v == value for v in values], np.bool_)
    elif FIELDS[term.field].tail and term.field not in DERIVED:
        found = value.search(values)
    else:  # few different names occur, each in many events, so each is searched once
        names = list(dict.fromkeys(values))
        hits = dict(zip(names, value.search(names).tolist(), strict=True))
        found = np.fromiter(map(hits.__getitem__, values), np.bool_, len(values))
    return ~found if term.op in ("!=", "!~") else found

"""The descriptions of the programs agree with themselves and with each other."""

from __future__ import annotations

import string
from itertools import combinations

import pytest

from ringtop.bpf.event.schema import SCHEMAS, Schema

EACH = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)


def in_templates(schema: Schema) -> set[str]:
    """Names of the fields that its templates name."""
    templates = [schema.details, *schema.brief, *(column.text for column in schema.line)]
    return {name for t in templates for _, name, _, _ in string.Formatter().parse(t) if name}


@EACH
def test_every_field_that_is_named_is_there(schema: Schema) -> None:
    named = {schema.mark, *schema.columns, *schema.json, *in_templates(schema)}
    for field in schema.fields:
        named |= {name for name in (field.cut, field.count, field.file, field.base) if name}
        assert set(field.joins) <= set(schema.tail)
    assert named <= {f.name for f in schema.fields}


@EACH
def test_every_field_is_stored(schema: Schema) -> None:
    stored = schema.dtype.names or ()
    assert {f.part for f in schema.fields if not f.tail and f.kind != "name"} <= set(stored)
    assert set(schema.tail) == {part for f in schema.fields if f.tail for part in schema.parts(f.name)}
    assert schema.dtype.itemsize % 8 == 0
    assert len({f.name for f in schema.fields}) == len(schema.fields)


@EACH
def test_a_brief_has_one_field_a_template(schema: Schema) -> None:
    for template in schema.brief:
        assert sum(name is not None for _, name, _, _ in string.Formatter().parse(template)) == 1


@EACH
def test_what_is_told_has_every_field_but_its_parts(schema: Schema) -> None:
    assert {f.name for f in schema.fields} == {"host", *schema.json}, "the host is told where there are several"
    assert len(set(schema.json)) == len(schema.json)


def test_fields_of_one_name_are_compared_alike() -> None:
    """A filter is one for all programs."""
    for a, b in combinations(SCHEMAS.values(), 2):
        for field in a.fields:
            if field.name in b:
                other = b[field.name]
                assert (field.kind, field.unknown, field.words) == (other.kind, other.unknown, other.words)

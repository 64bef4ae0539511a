"""The options of ``ringtop top`` for folding and ranking events, besides those of the collector."""

from __future__ import annotations

from typing import Any

import click

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.columns import sorts
from ringtop.tui.top.keys import keys, named
from ringtop.tui.top.measures import ALL, measures

TABLES = (*SCHEMAS, ALL)
HELP = "\b\n" + "\n".join(f"{table + ':':<13}{', '.join(key.name for key in keys(table))}" for table in TABLES)
"""Help text that lists the keys of every table."""


class By(click.ParamType[tuple[str, str]]):
    """The option type ``PROGRAM=KEY``: the key that a program, or ``all``, is folded by."""

    name = "by"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The program and the name of the key."""
        if isinstance(value, tuple):
            return value
        table, equals, key = str(value).partition("=")
        if not equals or table not in TABLES:
            self.fail(f"{value!r} is not PROGRAM=KEY; PROGRAM is one of {', '.join(TABLES)}", param, ctx)
        try:
            named(table, key)
        except ValueError as e:
            self.fail(str(e), param, ctx)
        return table, key


class Sort(click.ParamType[str]):
    """The option type of a column that can rank the rows of at least one table."""

    name = "sort"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name of the column."""
        known = list(dict.fromkeys(name for table in TABLES for name in sorts(measures(table, SCHEMAS))))
        if value not in known:
            self.fail(f"rows cannot be sorted by {value!r}; the columns are {', '.join(known)}", param, ctx)
        return str(value)

"""A line of a few parts; the least important are left out when there is little room. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringtop.tui.text import text


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of safe text with its style and its rank."""

    text: str
    style: str = ""
    """The suffix of the widget's component class; empty for the widget's own style."""
    rank: int = 5
    """Parts of the highest rank are left out first."""
    joined: bool = False
    """Whether the part follows the one before it without space, and is left out with it."""
    less: Part | None = None
    """A shorter form for when there is no room for the whole part; None if there is none."""


Sides = tuple[list[Part], list[Part]]


def fit(parts: Iterable[Part], width: int, space: int = 2) -> list[Part]:
    """The *parts* that fit into *width* cells, with *space* cells between them."""
    return fit_sides(parts, (), width, space)[0]


def fit_sides(left: Iterable[Part], right: Iterable[Part], width: int, space: int = 2) -> Sides:
    """The parts of both sides that fit together into *width* cells, with *space* cells between them."""
    groups = _groups(left)
    first = len(groups)
    groups += _groups(right)
    while len(groups) > 1 and _width(groups, space) > width:
        at = max(reversed(range(len(groups))), key=lambda i: groups[i][0].rank)
        less = groups[at][0].less
        groups[at : at + 1] = [[less]] if less is not None else []
        first -= less is None and at < first
    return [part for group in groups[:first] for part in group], [part for group in groups[first:] for part in group]


def _groups(parts: Iterable[Part]) -> list[list[Part]]:
    """*parts* with text, each together with those joined to it."""
    groups: list[list[Part]] = []
    for part in parts:
        if not part.text:
            continue
        if part.joined and groups:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _width(groups: Sequence[Sequence[Part]], space: int) -> int:
    return sum(text.width(p.text) for g in groups for p in g) + space * (len(groups) - 1)

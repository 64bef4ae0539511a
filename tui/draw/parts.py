"""A line of a few parts, of which the least important go when it gets narrow. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringtop.tui.text import text


@dataclass(frozen=True, slots=True)
class Part:
    """Some safe text, the style it is shown in, and how soon it goes."""

    text: str
    style: str = ""
    """Suffix of the widget's component class; empty for its own style."""
    rank: int = 5
    """Parts of the highest rank go first."""
    joined: bool = False
    """Stands right behind the part before it, and goes with it."""
    less: Part | None = None
    """What stays of it where there is no room for all."""


def fit(parts: Iterable[Part], width: int, space: int = 2) -> list[Part]:
    """Those *parts* that fit into *width* cells with *space* between them."""
    groups: list[list[Part]] = []
    for part in parts:
        if not part.text:
            continue
        if part.joined and groups:
            groups[-1].append(part)
        else:
            groups.append([part])
    while len(groups) > 1 and _width(groups, space) > width:
        at = max(reversed(range(len(groups))), key=lambda i: groups[i][0].rank)
        less = groups[at][0].less
        groups[at : at + 1] = [[less]] if less is not None else []
    return [part for group in groups for part in group]


def _width(groups: Sequence[Sequence[Part]], space: int) -> int:
    return sum(text.width(p.text) for g in groups for p in g) + space * (len(groups) - 1)

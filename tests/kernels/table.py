"""Trials as tables of Markdown, one for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.kernels.trial import Trial


def markdown(trials: Sequence[Trial]) -> str:
    """The tables, in the order in which their first trials were made."""
    kinds = dict.fromkeys(trial.table for trial in trials)
    return "\n".join(line for kind in kinds for line in _table(kind, [t for t in trials if t.table == kind]))


def _table(title: str, trials: Sequence[Trial]) -> Iterator[str]:
    columns = list(dict.fromkeys(column for trial in trials for column in trial.what))
    rows = [["kernel", *columns, "result"]]
    rows += [[t.kernel, *(t.what.get(column, "") for column in columns), t.result] for t in trials]
    rows = [[_cell(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[-1] = len("result")  # what is refused is long
    rows.insert(1, ["-" * width for width in widths])
    yield f"## {title}\n"
    for row in rows:
        yield f"| {' | '.join(text.ljust(width) for text, width in zip(row, widths, strict=True))} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")

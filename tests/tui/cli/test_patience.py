"""A collector that falls silent is told of, and a pause of ringtop's own is not taken for that."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from ringtop.tui.cli.patience import Patience


class Looks:
    """An event whose waits last as many seconds as *lasting* says, and then it is set."""

    def __init__(self, lasting: Sequence[float]) -> None:
        self.now = 0.0
        self._left = list(lasting)

    def wait(self, timeout: float) -> bool:
        """Let the next one pass."""
        self.now += self._left.pop(0) if self._left else 0
        return not self._left


@pytest.mark.parametrize(
    ("lasting", "told"),
    [([0.2] * 20, 1), ([0.2] * 7 + [60.0] + [0.2] * 7, 0), ([60.0] + [0.2] * 20, 1)],
)
def test_silence_is_told_once_and_a_stop_of_ringtop_is_none(
    lasting: Sequence[float], told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, said = Looks(lasting), list[str]()
    monkeypatch.setattr(time, "monotonic", lambda: looks.now)
    patience = Patience(said.append, lambda: None, lambda why, writable: None)
    monkeypatch.setattr(patience, "_over", looks)
    patience._watch()
    assert len(said) == told

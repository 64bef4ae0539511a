"""The pace of the viewer on a machine that is too slow for what comes."""

from __future__ import annotations

import pytest

from ringtop.tui.app import pump
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.source.inbox import Arrived, Entry, Inbox
from tests.samples import make

MESSAGES = 23


async def test_rows_are_shown_though_messages_come_as_fast_as_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "SLICE_S", 0)
    inbox, model = Inbox(), Model()
    view = View(model.store.tables["runqslower"])
    rows, shown = Arrived((make("runqslower", [{}]),), 0), []

    def hear(entry: Entry, host: int) -> None:
        if model.arrivals < MESSAGES:
            inbox.post(rows)  # the next one is there before this one is dealt with

    inbox.post(rows)
    await pump.Pump(inbox, model, [view], hear, lambda: shown.append(len(view)), 0).work()
    assert shown[:MESSAGES] == list(range(1, MESSAGES + 1))

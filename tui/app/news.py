"""What the collector tells the user: notices, and the reports of comparisons."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from textual.app import App

from ringtop.bpf import stream
from ringtop.tui.text.text import safe, safe_lines

MOST_NOTICES, NOTICE_S = 20, 8.0
"""The limit of notices shown at a time, and how long each is shown, in seconds. There is no room for more."""


class News:
    """Shows notices at once, and reports as soon as the user is not busy with something else."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._reports: list[stream.Compared] = []
        """The reports that are not shown yet."""
        self._said: deque[float] = deque(maxlen=MOST_NOTICES)

    def say(self, notice: stream.Notice, host: str) -> None:
        """Show *notice*, of the *host* with this name where there are several, unless there are too many already."""
        now = time.monotonic()
        if len(self._said) == MOST_NOTICES and now - self._said[0] < NOTICE_S:
            return
        self._said.append(now)
        severity = {"info": "information", "warning": "warning", "error": "error"}[notice.level]
        text = safe_lines(": ".join(filter(None, (host, notice.program, notice.text))))
        self._app.notify(text, severity=severity, markup=False, timeout=NOTICE_S)  # type: ignore[arg-type]

    def report(self, compared: stream.Compared, idle: bool) -> None:
        """Show the report of *compared*, or tell that it waits until the user is *idle*."""
        self._reports.append(compared)
        self.show_reports(idle)
        if self._reports:
            text = f"{compared.program}: the comparison is done; close this to see the report"
            self._app.notify(safe(text), markup=False)

    def show_reports(self, idle: bool) -> None:
        """Show the waiting reports if the user is *idle* or looks at a report already."""
        if not self._reports:
            return
        from ringtop.tui.widgets.report import Report

        if idle:
            self._app.push_screen(Report(self._reports.pop(0)))
        if isinstance(self._app.screen, Report):
            while self._reports:
                self._app.screen.add(self._reports.pop(0))

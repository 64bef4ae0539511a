"""The report of a comparison, in which the same events went over both transports."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ringtop.bpf.stream import Compared
from ringtop.tui.draw import periods
from ringtop.tui.model import notes
from ringtop.tui.text.text import safe
from ringtop.tui.widgets import keys

FIGURES = ("buffer", "out of order", "lost", "delay p50", "delay p99", "wakeups/s", "reader CPU", "memory")
WIDTH = 14
"""The width of a value, in cells."""


def text(result: Compared) -> Content:
    """The report for one program."""
    title = f"{safe(result.program)}, {result.used.received:,} events in {result.used.seconds:.0f} s"
    lines = [Content.styled(title, "bold")]
    rows = [("", "in use", "the other"), *periods.rows(FIGURES, [result.used, result.other])]
    for name, *values in rows:
        label = (f"{name:<{periods.LABEL}}", "$dim")
        lines.append(Content.assemble(label, "".join(f"{value:>{WIDTH}}" for value in values)))
    lines.append(Content(notes.choice(result)))
    if larger := notes.larger(result):
        lines.append(Content(larger))
    if result.residual:
        lines.append(Content.styled(notes.residual(result), "bold $error"))
    return Content("\n").join(lines)


class Report(ModalScreen[None]):
    """Reports of several programs, one below the other; those that arrive while it is open are added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "Close", id="report_close"),
        keys.HELP,
    ]

    def __init__(self, result: Compared) -> None:
        super().__init__()
        self._results = [result]

    def compose(self) -> ComposeResult:
        """A box that scrolls."""
        with VerticalScroll(classes="box") as box:
            box.border_title = "Both transports, the same events"
            box.border_subtitle = "Esc closes"
            yield Static(self._text(), markup=False)

    def add(self, result: Compared) -> None:
        """Add a report, or replace the same program's earlier one."""
        self._results = [*(s for s in self._results if s.program != result.program), result]
        for shown in self.query(Static):
            shown.update(self._text())

    def _text(self) -> Content:
        return Content("\n\n").join([text(result) for result in self._results])

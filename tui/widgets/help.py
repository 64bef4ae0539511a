"""The help lists every key that works with the present focus."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ringtop.tui.widgets.keys import Key

PLACES = {
    "EventTable": "In the events",
    "RankedTable": "In the ranked rows",
    "FilterInput": "In a filter",
    "EventLines": "In the events of a process",
    "": "Everywhere",
}


def text(keys: list[Key], about: str) -> Content:
    """The keys in two columns, grouped by the widget in which they work."""
    lines: list[Content] = []
    if about:
        lines += [Content(about), Content("")]
    wide = max((len(k.keys) for k in keys), default=0)
    for where in dict.fromkeys(k.where for k in keys):
        lines.append(Content.styled(PLACES.get(where, where), "bold $primary"))
        for key in keys:
            if key.where == where:
                named = key.help.startswith(key.about)
                said = key.help if named else f"{key.about}: {key.help[:1].lower()}{key.help[1:]}"
                lines.append(Content.assemble((f"  {key.keys:<{wide}}  ", "$footer-key-foreground"), said))
        lines.append(Content(""))
    return Content("\n").join(lines[:-1])


class Help(ModalScreen[None]):
    """The help screen; each of its own keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", id="help_close"),
    ]

    def __init__(self, keys: list[Key], about: str) -> None:
        super().__init__()
        self._keys = keys
        self._about = about

    def compose(self) -> ComposeResult:
        """A box that scrolls."""
        with VerticalScroll(classes="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes"
            yield Static(text(self._keys, self._about), markup=False)

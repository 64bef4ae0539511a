"""The line in which a filter is typed, and the line below it with its effect or its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from ringtop.bpf import filter as language
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter.capture import KEEP_NONE, compile_capture
from ringtop.tui.model import completion
from ringtop.tui.model.store import Store
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip, safe, width
from ringtop.tui.widgets.entry import Entry

FilterKind = Literal["display", "capture"]
PROMPTS = {"display": " / show only ", "capture": " c capture only "}


class FilterInput(Entry):
    """The input line of the filter."""

    HELP = 'A filter: comm=nginx and (latency>5ms or ret!=0), full~"^/tmp/", not pid=1.'
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Accept", id="filter_accept"),
        Binding("escape", "cancel", "Cancel", id="filter_cancel", tooltip="Restore the filter from before"),
        Binding(
            "tab", "complete(1)", "Complete", id="filter_complete", tooltip="Complete a field, or a value seen lately"
        ),
        Binding("shift+tab", "complete(-1)", "Complete back", show=False, id="filter_complete_back"),
        Binding("up", "history(-1)", "Earlier", id="filter_earlier", tooltip="Use an earlier filter"),
        Binding("down", "history(1)", "Later", id="filter_later", show=False),
    ]

    def __init__(
        self, accept: Callable[[], None], complete: Callable[[int], None], recall: Callable[[int], None]
    ) -> None:
        """*complete* inserts the next (1) or previous (-1) candidate, *recall* a later or earlier filter. All three
        run before the next key is handled."""
        super().__init__(id="filter-input", compact=True, select_on_focus=False)
        self._accept = accept
        self._complete = complete
        self._recall = recall

    async def action_submit(self) -> None:
        """Accept the filter."""
        self._accept()

    def action_cancel(self) -> None:
        """Cancel the filter."""
        self.over = True
        self.post_message(FilterBar.Cancelled())

    def action_complete(self, by: int) -> None:
        """Insert the next or the previous candidate."""
        self._complete(by)

    def action_history(self, by: int) -> None:
        """Recall an earlier or later filter."""
        self._recall(by)


class FilterBar(Vertical):
    """Parses the filter while it is typed: posts each valid text as a ``Draft``, and shows an error with a caret."""

    class Draft(Message):
        """Reports a valid filter that is still being typed."""

        def __init__(self, kind: FilterKind, text: str) -> None:
            super().__init__()
            self.kind, self.text = kind, text

    class Accepted(Draft):
        """Reports that the filter was accepted."""

    class Cancelled(Message):
        """Reports that the filter was cancelled."""

    def __init__(self, store: Store, glyphs: Glyphs) -> None:
        super().__init__(id="filterbar")
        self.store = store
        self.glyphs = glyphs
        self.kind: FilterKind = "display"
        self.valid = True
        self._prompt = Static(markup=False, id="filter-prompt")
        self._input = FilterInput(self._accept, self._complete, self._recall)
        self._message = Static(markup=False, id="filter-message")
        self._input.cursor_blink = False
        self._history: list[str] = []
        self._place = 0
        self._cycle: tuple[int, list[str], int] | None = None
        """The position of the candidates, the candidates, and the index of the inserted one; None before the first."""
        self._rest = self._completed = ""
        """The text after the candidates' position, and the whole text with the inserted candidate."""
        self.display = False

    def compose(self) -> ComposeResult:
        """The prompt and the input line, and the line below them."""
        with Horizontal():
            yield self._prompt
            yield self._input
        yield self._message

    @property
    def text(self) -> str:
        """The text typed so far."""
        return self._input.value

    def open(self, kind: FilterKind, text: str, history: list[str]) -> None:
        """Show the bar and edit *text*."""
        self.kind = kind
        self._history = [*(h for h in history if h != text), text]
        self._place = len(self._history) - 1
        self._prompt.update(PROMPTS[kind])
        self.set_class(kind == "capture", "-capture")
        self.display = True
        self._input.over = False
        self._cycle = None
        self._set(text)
        self.screen.set_focus(self._input)  # at once: the next keys are meant for the filter
        self._check()

    @property
    def _choosing(self) -> bool:
        """Whether the text is unchanged since a candidate was inserted."""
        return self._cycle is not None and self.text == self._completed

    def close(self) -> None:
        """Hide the bar."""
        self.display = False

    def say(self, text: str) -> None:
        """Show *text*, such as the number of matching rows, unless there is an error or a candidate to choose."""
        if self.valid and not self._choosing and self.display:
            hint = self._hint()
            self._message.update(Content.assemble((f" {text}", "$filter-match"), Content(f"   {hint}" if hint else "")))

    def _set(self, text: str) -> None:
        self._input.value = safe(text)
        self._input.cursor_position = len(self._input.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the filter after every change."""
        event.stop()
        if self.display:
            self._check()

    def _accept(self) -> None:
        """Accept the filter if it is valid."""
        if self._check():
            self._input.over = True
            self.post_message(self.Accepted(self.kind, self.text.strip()))

    def _check(self) -> bool:
        try:
            expr = language.parse(self.text)
            dull = self._dull(expr) if self.kind == "capture" else []
        except language.FilterError as e:
            self.valid = False
            self._error(e.message, e.column)
            return False
        self.valid = True
        if self.kind == "capture" and not self._choosing:
            nothing = f"; none of {', '.join(dull)}" if dull else ""
            self._message.update(Content(f" Enter: the kernel sends only these events{nothing}"))
        self.post_message(self.Draft(self.kind, self.text.strip()))
        return True

    def _dull(self, expr: language.Expr) -> list[str]:
        """The programs of which a capture filter *expr* would keep nothing. Raises FilterError if it cannot be one."""
        return [p for p in self.store.tables if compile_capture(expr, SCHEMAS[p]) == KEEP_NONE]

    def _error(self, message: str, column: int) -> None:
        indent = len(PROMPTS[self.kind]) + width(self.text[:column]) - self._input.scroll_offset.x
        shown = f"{self.glyphs.caret} {safe(message)}"
        room = self.size.width or 80
        if indent + width(shown) > room and indent > width(shown):
            shown, indent = f"{safe(message)} {self.glyphs.caret}", indent - width(shown) + 1
        self._message.update(
            Content.assemble(" " * max(0, indent), (clip(shown, room, self.glyphs.ellipsis), "$filter-invalid"))
        )

    def _hint(self) -> str:
        _, candidates = completion.complete(self.text, self._input.cursor_position, self.store)
        return f"Tab: {'  '.join(candidates[:8])}" if candidates else ""

    def _complete(self, by: int) -> None:
        if self._cycle is None or not self._choosing:
            start, candidates = completion.complete(self.text, self._input.cursor_position, self.store)
            if not candidates:
                return
            at = 0 if by > 0 else len(candidates) - 1
            self._rest = self.text[self._input.cursor_position :]
        else:
            start, candidates, at = self._cycle
            at = (at + by) % len(candidates)
        self._cycle = (start, candidates, at)
        head = self.text[:start] + candidates[at]
        self._input.value = self._completed = head + self._rest
        self._input.cursor_position = len(head)
        others = [Content.styled(c, "reverse") if i == at else Content(c) for i, c in enumerate(candidates[:8])]
        self._message.update(Content(" ") + Content("  ").join(others))

    def _recall(self, by: int) -> None:
        self._place = max(0, min(len(self._history) - 1, self._place + by))
        if self._history:
            self._set(self._history[self._place])

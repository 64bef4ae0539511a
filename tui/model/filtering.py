"""The display filter in force for all tables, and the filters used before."""

from __future__ import annotations

from collections.abc import Iterable

from ringtop.bpf import filter as language
from ringtop.tui.model.view import Predicate, View
from ringtop.tui.settings.state import remember


class Filters:
    """One display filter for all views; the last valid text stays in force."""

    def __init__(self, views: Iterable[View], used: list[str], captures: list[str]) -> None:
        self.views = list(views)
        self.text = ""
        self._expr: language.Expr = language.ALL
        self._narrowed: dict[str, Predicate] = {}
        self.used = used
        """Display filters that were accepted, the latest last."""
        self.captures = captures

    def set(self, text: str) -> bool:
        """Apply *text* as the display filter; returns whether it differs from the current one.

        Raises FilterError, and then changes nothing.
        """
        text = text.strip()
        expr = language.parse(text)
        if text == self.text:
            return False
        self.text, self._expr = text, expr
        for view in self.views:
            view.filter(self._predicate(view))
        return True

    @property
    def expr(self) -> language.Expr:
        """The display filter in force."""
        return self._expr

    def narrow(self, view: View, predicate: Predicate | None) -> None:
        """Restrict *view* to the rows that match *predicate*, in addition to the filter; None ends the restriction."""
        program = view.table.program
        self._narrowed.pop(program, None)
        if predicate is not None:
            self._narrowed[program] = predicate
        view.filter(self._predicate(view))

    def _predicate(self, view: View) -> Predicate | None:
        expr, narrowed = self._expr, self._narrowed.get(view.table.program)
        if not self.text:
            return narrowed
        if narrowed is None:
            return lambda batch: language.match(expr, batch)
        both = narrowed
        return lambda batch: language.match(expr, batch) & both(batch)

    def accept(self, text: str) -> None:
        """Add *text* to the display filters used before."""
        self.used = remember(self.used, text.strip())

    def accept_capture(self, text: str) -> None:
        """Add *text* to the capture filters used before."""
        self.captures = remember(self.captures, text.strip())

    def counts(self, more: str) -> str:
        """How many of its resident rows match in each table, in words; *more* follows a number that may still grow."""
        found = ((v, more if v.scanning else "") for v in self.views)
        counts = (f"{v.table.program} {v.matched:,}{may_grow} of {len(v.table):,}" for v, may_grow in found)
        return f"Rows that match: {', '.join(counts)}"

    @property
    def scanning(self) -> bool:
        """Whether any view still has rows to scan."""
        return any(v.scanning for v in self.views)

"""The display filter in force, over all tables, and the filters used before."""

from __future__ import annotations

from collections.abc import Iterable

from ringtop.bpf import filter as language
from ringtop.tui.model.view import Predicate, View
from ringtop.tui.settings.state import remember


class Filters:
    """One text for all views; the last valid one stays in force."""

    def __init__(self, views: Iterable[View], used: list[str], captures: list[str]) -> None:
        self.views = list(views)
        self.text = ""
        self._expr: language.Expr = language.ALL
        self._narrowed: dict[str, Predicate] = {}
        self.used = used
        """Display filters accepted, the latest last."""
        self.captures = captures

    def set(self, text: str) -> bool:
        """Put *text* in force; True when that changed anything. Raises FilterError and changes nothing."""
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
        """What is in force."""
        return self._expr

    def narrow(self, view: View, predicate: Predicate | None) -> None:
        """Show in *view* only what *predicate* says, beside the filter; None: no longer."""
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
        """Remember *text* among those used."""
        self.used = remember(self.used, text.strip())

    def accept_capture(self, text: str) -> None:
        """Remember *text* among the capture filters used."""
        self.captures = remember(self.captures, text.strip())

    @property
    def matched(self) -> int:
        """Rows that match, of all tables."""
        return sum(v.matched for v in self.views)

    @property
    def kept(self) -> int:
        """Rows there are."""
        return sum(len(v.table) for v in self.views)

    @property
    def scanning(self) -> bool:
        """Rows are still to be looked at."""
        return any(v.scanning for v in self.views)

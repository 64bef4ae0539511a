"""Which settings of the viewer outlive the run."""

from __future__ import annotations

from collections.abc import Sequence

from ringtop.bpf.event.schema import Field
from ringtop.tui.draw import columns
from ringtop.tui.model.filtering import Filters
from ringtop.tui.settings import state as memory
from ringtop.tui.settings.config import Config
from ringtop.tui.widgets import tables
from ringtop.tui.widgets.main import Main


def remember(state: memory.SavedState, config: Config, main: Main, filters: Filters) -> None:
    """Store in *state* the settings of *main* that differ from those of *config*, and the *filters* that were used."""
    several = bool(main.model.hosts)
    state.columns = {
        p.program: shown
        for p in main.panes
        for shown in [_chosen(p.table.columns, several)]
        if shown != _chosen(columns.chosen(p.program, config.columns.get(p.program, ())), several)
    }
    state.time = main.clock.mode if main.clock.mode != config.time else ""
    state.shows = {p.program: p.shows for p in main.panes if p.shows != tables.USUAL}
    # The filter in force is not one of the settings: the next run starts with all events, and `Up` brings it back.
    state.filters, state.captures = memory.remember(filters.used, filters.text), filters.captures


def _chosen(shown: Sequence[Field], several: bool) -> list[str]:
    """The columns that were chosen: that of hosts is there by itself where there are *several*."""
    return [field.name for field in shown if field.name != columns.HOST or not several]

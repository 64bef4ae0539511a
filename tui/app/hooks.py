"""The parts of the viewer that its caller may replace or add."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ringtop.tui.settings import toml
from ringtop.tui.settings.state import SavedState
from ringtop.tui.source.source import Source
from ringtop.tui.widgets.host import Host

if TYPE_CHECKING:
    from ringtop.tui.widgets.process_screen import CardReader


@dataclass
class Hooks:
    """The parts of the viewer that its caller may replace or add."""

    process: CardReader | None = None
    """Reads the card of a process; None to read it from this machine."""
    host: Host | None = None
    """The load and uptime in the header; None for this machine's, when the source is live and local."""
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    themes: Sequence[toml.Contents] = ()
    """The user's own themes."""
    demo: Callable[[], Source] | None = None
    """Makes the source of a recording to show when nothing can be traced."""
    zone: tzinfo | None = None
    """The time zone of wall-clock times; None for the local one."""
    keep: Callable[[SavedState], object] = lambda state: None
    """Saves the state when the viewer ends without returning to its caller."""
    drawn: Callable[[], object] = lambda: None
    """Called once the first frame is drawn."""
    create: Callable[[Path], BinaryIO] | None = None
    """Creates recordings where the viewer may not."""

"""What the terminal writer expects of Textual beyond Textual's documented interface.

Textual may change any of it. tests/tui/terminal/test_contract.py has a test of each point, on the Textual installed:

1. Textual sends everything through ``Driver.write``.
2. A string either paints or does not. A painting string holds cursor positions (``CSI y;x H``), text with or without
   a pen before it (``CSI … m``, ended by ``CSI 0 m``), and newlines, each followed by a position. Nothing is split
   between two strings. Nothing else changes a cell: Textual neither erases nor scrolls.
3. When the terminal reports support for synchronised updates, ``BEGIN`` and ``END`` come as separate strings.
4. ``App.size`` is the newest size. Frames for the previous size may still come; the last whole one is for the newest.
5. A character takes as many cells as Rich's ``get_character_cell_size`` gives, whatever its neighbours are.
6. ``start_application_mode`` returns with the alternate screen shown, echo off, and a handler for SIGWINCH set.
7. ``stop_application_mode`` calls ``disable_input`` before it leaves the alternate screen, and ``close`` comes last.
   Suspending means to stop and close; resuming means to start.
8. The terminal's report of its cursor position reaches ``process_message`` as ``CursorPosition``.
9. The handlers of SIGTSTP and SIGCONT are set when the driver is made, and not again.
10. After an ``ESC`` that may begin a key's sequence, the parser waits ``constants.ESCAPE_DELAY`` seconds for the rest,
    and looks at it each time.
11. ``RESTORE`` undoes all modes that Textual sets.
12. A driver writes to the file that is its ``_file`` when it starts.
13. The driver's module reads what the terminal sends with its ``XTermParser``. That asks ``_sequence_to_key_events``
    for the keys of a sequence, after each character of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals with synchronised updates show everything between these two at once."""
BELOW = "\x1b[9999;1H\r\n"
"""Moves to a new last line: a terminal without an alternate screen (the Linux console, and usually GNU screen) keeps
the frame and goes on below it."""
_MODES = "\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000;1003;1015;1006;1016;1004l\x1b[<u"
RESTORE = f"{_MODES}{BELOW}\x1b[?1049l\x1b[?25h".encode()
"""Undoes what Textual asks of a terminal: frames, paste, wrapping, sizes, mouse and focus, keys, screen, cursor."""

_ESCAPE_DELAY_S = constants.ESCAPE_DELAY
_NO_CHARACTER = "[OPX]^_bf"
"""Characters that begin a sequence after an ``ESC``, or with it are a key of their own."""


class KeyParser(XTermParser):
    """Textual's parser, for which Escape is Escape when a character follows at once.

    Textual takes both for one key with Alt, or for a character that some terminal sends so, or forgets the Escape. But
    a busy machine reads them together however slowly they were typed.
    """

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        escaped = len(sequence) == 2 and sequence[0] == "\x1b" and sequence[1] not in _NO_CHARACTER
        if alt or (escaped and (sequence[1].isprintable() or sequence[1] == "\r")):
            yield events.Key("escape", "\x1b")
            sequence = sequence[-1]
        yield from super()._sequence_to_key_events(sequence)


linux_driver.XTermParser = KeyParser  # type: ignore[attr-defined]


class TextualDriver(LinuxDriver):
    """Textual's driver; its private members are used here and nowhere else."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file = sys.__stdout__  # not standard error, so that `2> FILE` keeps what is said

    @staticmethod
    def wait_for_keys(seconds: float) -> None:
        """Wait for the rest of a key that arrives in parts so long, but never shorter than ESCDELAY or Textual say."""
        constants.ESCAPE_DELAY = max(_ESCAPE_DELAY_S, seconds)  # type: ignore[misc]

    @property
    def fd(self) -> int:
        """The terminal's file descriptor, for writing."""
        assert self._file is not None
        return self._file.fileno()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows that Textual paints for."""
        return self._app.size

"""What the terminal writer expects of Textual beyond Textual's documented interface.

Textual may change any of it. tests/tui/terminal/test_contract.py has a test of each point, on the Textual installed:

1. Textual sends everything through ``Driver.write``.
2. A string paints, or it does not. One that paints holds places (``CSI y;x H``), text with or without a pen before it
   (``CSI … m``, ended by ``CSI 0 m``), and newlines, each followed by a place. Nothing is split between two strings.
   Nothing else changes a cell: Textual neither erases nor scrolls.
3. Where the terminal says that it knows synchronised updates, ``BEGIN`` and ``END`` come as strings of their own.
4. ``App.size`` is the newest size. Frames for the size before may still come; the last whole one is for the newest.
5. A character takes as many cells as ``get_character_cell_size`` of Rich says, whatever stands beside it.
6. ``start_application_mode`` returns with the other screen shown, the echo off, and a handler for SIGWINCH.
7. ``stop_application_mode`` calls ``disable_input`` before it leaves the other screen, and ``close`` comes last. To
   suspend is to stop and to close; to resume is to start.
8. The terminal's answer where its cursor is comes to ``process_message`` as ``CursorPosition``.
9. Handlers of SIGTSTP and SIGCONT are set when the driver is made, and not again.
10. ``RESTORE`` undoes all modes that Textual sets.
"""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver

BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""What is between is to be shown at once, on terminals that can."""
RESTORE = b"\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000;1003;1015;1006;1016;1004l\x1b[<u\x1b[?1049l\x1b[?25h"
"""Undoes what Textual asks of a terminal: frames, paste, wrapping, sizes, mouse and focus, keys, screen, cursor."""


class TextualDriver(LinuxDriver):
    """Textual's driver; its private members are used here and nowhere else."""

    @property
    def fd(self) -> int:
        """The terminal's file descriptor, for writing."""
        assert self._file is not None
        return self._file.fileno()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows that Textual paints for."""
        return self._app.size

"""Arguments on one line, as a user would type them in a shell."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ringtop.tui.text.text import TERMINAL, Gate

_BARE = re.compile(r"[\w@%+=:,./-]+")


def shell_line(args: Iterable[bytes], truncated: bool = False, gate: Gate = TERMINAL) -> str:
    """Return arguments as safe text, as a user would type them in a shell (``$'…'`` where escapes are needed).

    Quotes show which spaces belong to an argument. *truncated* adds a mark that there were more arguments.
    """
    return " ".join([*(_shell_word(arg, gate) for arg in args), *([gate.cut_mark] if truncated else [])])


def _shell_word(arg: bytes, gate: Gate) -> str:
    shown = gate.visible(arg)
    if _BARE.fullmatch(shown):
        return shown
    plain = shown.replace("\\\\", "\\")
    if plain.encode() == arg:
        if "'" not in plain:
            return f"'{plain}'"
        if not re.search(r'["$`\\!]', plain):
            return f'"{plain}"'
    return "$'" + shown.replace("'", "\\'") + "'"

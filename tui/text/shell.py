"""Arguments on one line as one would type them in a shell, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ringtop.tui.text.text import cut_mark, original, visible

_BARE = re.compile(r"[\w@%+=:,./-]+")
_SHELL_WORD = re.compile(r"""\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"([^"]*)"|([^\s'"$]+)""")


def shell_line(args: Iterable[bytes], truncated: bool = False) -> str:
    """Arguments as one would type them in a shell (``$'…'`` where escapes are needed): safe, and spaces are seen.

    *truncated*: there were more, which is marked.
    """
    return " ".join([*map(_shell_word, args), *([cut_mark()] if truncated else [])])


def _shell_word(arg: bytes) -> str:
    shown = visible(arg)
    if _BARE.fullmatch(shown):
        return shown
    plain = shown.replace("\\\\", "\\")
    if plain.encode() == arg:
        if "'" not in plain:
            return f"'{plain}'"
        if not re.search(r'["$`\\!]', plain):
            return f'"{plain}"'
    return "$'" + shown.replace("'", "\\'") + "'"


def shell_args(line: str) -> list[bytes]:
    """The arguments that ``shell_line`` showed as *line*."""
    args = []
    for escaped, single, double, bare in _SHELL_WORD.findall(line):
        args.append(original(escaped) if escaped else (single or double or bare).encode())
    return args

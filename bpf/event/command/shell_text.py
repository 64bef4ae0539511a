"""The first command of a shell's text that does the real work."""

from __future__ import annotations

import re

from ringtop.bpf.event.command import tools

_BLANK = re.compile(rb"(?:[\s;&|(){}!@]|\\\n)+")
_WORD = re.compile(rb"(?:\\.|'[^']*'?|\"(?:\\.|[^\"\\])*\"?|\$\([^()]*\)?|`[^`]*`?|[^\s;&|()<>'\"\\`$]|\$)+", re.DOTALL)
_ASSIGNMENT = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*\+?=")
_COMMENT = re.compile(rb"#[^\n]*")
_COMMAND_END = re.compile(rb"[;&|\n]")
_LOOP = (b"for", b"select", b"case")
_REDIRECTION = re.compile(rb"[0-9]*[<>]+&?\s*")
_STEPS = 64
_LONGEST = 4096
_SHOWN = 64
COMMENT, NOTHING = b"(comment)", b"(nothing)"


def first_command(text: bytes) -> bytes:
    """The name of the first command after changes of directory, assignments, tests and the like.

    A text that is only a comment gives ``(comment)``. A text without such a command gives ``(nothing)``, or the last
    command that was skipped.
    """
    text = text[:_LONGEST]
    at, nothing = 0, NOTHING
    for _ in range(_STEPS):
        at = _after(_BLANK, text, at)
        if text.startswith(b"#", at):
            nothing = COMMENT if nothing == NOTHING else nothing
            at = _after(_COMMENT, text, at)
            continue
        if (found := _REDIRECTION.match(text, at)) is not None:
            at = _after(_WORD, text, found.end())
            continue
        found = _WORD.match(text, at)
        if found is None:
            if at >= len(text):
                break
            at += 1
            continue
        at = found.end()
        if _ASSIGNMENT.match(found[0]):
            continue
        word = _unquoted(found[0]).rpartition(b"/")[2][:_SHOWN]
        if word in tools.OPENING:
            continue
        if word not in tools.SKIPPED and word not in _LOOP:
            return word or NOTHING
        nothing = word
        at = _end_of_command(text, at)
    return nothing


def _after(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _end_of_command(text: bytes, at: int) -> int:
    """The place behind the arguments of a command; quoted separators do not end it."""
    while at < len(text) and not _COMMAND_END.match(text, at):
        at = max(_after(_WORD, text, at), at + 1)
    return at


def _unquoted(word: bytes) -> bytes:
    if b"$" in word or b"`" in word:
        return word.strip(b"\"'")
    return re.sub(rb"\\(.)|['\"]", rb"\1", word, flags=re.DOTALL)

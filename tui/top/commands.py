"""Keys of commands for whole batches: Python parses a command line only when none like it was parsed before.

Two command lines are alike when they have the same program and the same *set* of options, and both or neither have
other arguments. Those of interpreters, shells, wrappers and tools of many commands are alike only when all arguments
are the same. This covers everything that a key is made from, so command lines that are alike have the same key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.command import tools
from ringtop.bpf.event.command.command import BY_DESCRIPTOR, command, is_compiler, is_deep, names
from ringtop.tui.top.hashing import Hasher, Sums, hashes, mixed
from ringtop.tui.top.index import Index
from ringtop.tui.top.text import Places, Text

LEVELS = ("program", "subcommand", "command")
NEW = 1_000
"""Most new command lines that are parsed in one batch; the others get their program alone as key."""
UNREAD = b" (not looked at)"
_MOST = 1 << 16
_PLAIN, _COMPILER, _DEEP = range(3)
_CUT = np.isin(np.arange(256), np.frombuffer(tools.CUT, np.uint8))


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the command lines of a batch lie in its text."""

    text: Text
    file: Places
    file_end: Places
    args: Places
    args_end: Places

    def line(self, at: int) -> tuple[bytes, list[bytes]]:
        """The file and the arguments of one event. When arguments were cut, the incomplete last one is left out."""
        raw = self.text.raw
        whole = raw[self.args[at] : self.args_end[at]]
        whole = whole[: whole.rfind(b"\0") + 1]
        return raw[self.file[at] : self.file_end[at]], split_args(whole, whole.count(b"\0"))


Labels = tuple[bytes, bytes, bytes]
"""The labels of one command line, one for each of LEVELS."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The keys of the command lines of a batch."""

    of: NDArray[np.int64]
    """For each event, the index of its entry in *labels*, shape (n,)."""
    labels: list[Labels]
    sums: NDArray[np.uint64]
    """Hash sums of the labels, shape (labels, levels, 2)."""


class Commands:
    """The command lines that were parsed, for all batches."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._programs = Index()
        self._classes: list[int] = []
        self._alike = Index()
        self._labels: list[Labels] = []
        self._label_sums = np.empty((0, len(LEVELS), 2), np.uint64)

    def kinds(self, lines: Lines) -> Kinds:
        """The keys of the command lines *lines*; new ones are parsed."""
        if len(self._labels) > _MOST:
            self._alike, self._labels, self._label_sums = Index(), [], self._label_sums[:0]
        alike = hashes(self._sums(lines))
        rows = self._alike.find(alike)
        missing = np.flatnonzero(rows < 0)
        if not len(missing):
            return Kinds(rows, self._labels, self._label_sums)
        _, first = np.unique(alike[missing], return_index=True)
        new = missing[np.sort(first)]
        self._alike.add(alike[new[:NEW]])
        read = [command(*lines.line(at)).labels() for at in new[:NEW].tolist()]
        self._labels += read
        self._label_sums = np.concatenate([self._label_sums, self._hashed(read)])
        rows[missing] = self._alike.find(alike[missing])
        unread = np.flatnonzero(rows < 0)
        if not len(unread):
            return Kinds(rows, self._labels, self._label_sums)
        rows[unread] = len(self._labels) + np.arange(len(unread))
        others = [_unread(lines, at) for at in unread.tolist()]
        return Kinds(rows, self._labels + others, np.concatenate([self._label_sums, self._hashed(others)]))

    def _hashed(self, labels: list[Labels]) -> Sums:
        levels = zip(LEVELS, zip(*labels, strict=True), strict=True)
        return np.stack([self._hasher.labels(level, list(some)) for level, some in levels], axis=1)

    def _sums(self, lines: Lines) -> Sums:
        text, hasher = lines.text, self._hasher
        args, end = lines.args, lines.args_end
        sums = hasher.texts("file", text, *_base(text, lines.file, lines.file_end))
        sums += hasher.texts("called", text, *_base(text, args, text.first(b"\0", args, end)))
        sums += hasher.words("descriptor", _by_descriptor(text.blocks(lines.file, 8)))
        classes = self._class(lines, hashes(sums))
        deep = np.flatnonzero(classes == _DEEP)
        sums[deep] += hasher.texts("argv", text, args[deep], (end - args)[deep])
        flat = np.flatnonzero(classes != _DEEP)
        sums[flat] += self._flags(text, args[flat], end[flat], classes[flat] == _COMPILER)
        return sums

    def _class(self, lines: Lines, programs: NDArray[np.uint64]) -> NDArray[np.int64]:
        """How the arguments of each event's program are compared: _PLAIN, _COMPILER or _DEEP; shape (n,)."""
        if len(self._classes) > _MOST:
            self._programs, self._classes = Index(), []
        rows = self._programs.find(programs)
        for at in self._programs.fill(programs, rows).tolist():
            filename, args = lines.line(at)
            _, name = names(filename, args[:1])
            deep = is_deep(filename, args[:1])
            self._classes.append(_DEEP if deep else _COMPILER if is_compiler(name) else _PLAIN)
        return np.array(self._classes, np.int64)[rows]

    def _flags(self, text: Text, start: Places, end: Places, compiler: NDArray[np.bool_]) -> Sums:
        """Hash sums of each event's set of options and of whether it has other arguments; shape (n, 2)."""
        count = len(start)
        nuls = text.places(b"\0")
        low, high = np.searchsorted(nuls, start), np.searchsorted(nuls, end)
        many = np.maximum(high - low - 1, 0)  # arguments behind the first
        event = np.repeat(np.arange(count), many)
        nul = np.arange(len(event)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        begin, stop = nuls[nul] + 1, nuls[nul + 1]
        option = (text.byte(begin) == ord("-")) & (stop - begin >= 2)
        other = (low == high).astype(np.uint32) << 1  # no argument is whole
        other[event[~option]] |= 1
        event, begin, stop = event[option], begin[option], stop[option]
        stop = text.first(b"=", begin, stop)
        stop = np.where(compiler[event] & _CUT[text.byte(begin + 1)], begin + 2, stop)
        names_ = mixed(hashes(self._hasher.texts("flag", text, begin, stop - begin)))
        order = np.lexsort((names_, event))
        event, names_ = event[order], names_[order]
        new = np.ones(len(event), np.bool_)
        new[1:] = (event[1:] != event[:-1]) | (names_[1:] != names_[:-1])
        sets = np.zeros(count, np.uint64)
        np.add.at(sets, event[new], names_[new])
        words = np.column_stack([sets.view(np.uint32).reshape(count, 2), other])
        return self._hasher.words("flags", words)


def _by_descriptor(begin: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Whether paths name files by descriptor. *begin*: their first bytes, shape (n, 8). 0 or 1 each, shape (n, 1)."""
    found = np.zeros(len(begin), np.bool_)
    for prefix in BY_DESCRIPTOR:
        found |= (begin[:, : len(prefix)] == np.frombuffer(prefix, np.uint8)).all(axis=1)
    return found.astype(np.uint32)[:, None]


def _base(text: Text, start: Places, end: Places) -> tuple[Places, Places]:
    """Where the last name of each path begins, and its size."""
    begin = text.last(b"/", start, end) + 1
    return begin, end - begin


def _unread(lines: Lines, at: int) -> Labels:
    filename, args = lines.line(at)
    shown, _ = names(filename, args[:1])
    return shown, shown + UNREAD, shown + UNREAD

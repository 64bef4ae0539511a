"""Hashes of many values at once, for keys that an attacker may choose.

This is multilinear hashing over 32-bit words (Lemire and Kaser, "Strongly universal string hashing is fast", 2014): the
sum of words times random numbers modulo 2**64, of which the upper half is used. Two such sums give 64 bits. Two
different keys collide with a probability of 2**-64, whoever chose them, as long as the random numbers stay secret. Sums
of several parts of a key are simply added, because each part has random numbers of its own.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.text import Places, Text

Hashes = NDArray[np.uint64]
"""Hashes, shape (n,), never 0."""
Sums = NDArray[np.uint64]
"""Hash sums, shape (n, 2); sums of the parts of a key may be added."""

_WIDTH, _WIDER = 128, 512
"""Most bytes of a text that are hashed in the first pass, and in each later pass."""
_AT_ONCE = 1 << 19
"""Bytes that are hashed in one step, so that they stay in the CPU's cache."""


class Hasher:
    """Hashes that cannot be predicted without *seed*."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._numbers: dict[str, Sums] = {}

    def words(self, part: str, words: NDArray[np.uint32]) -> Sums:
        """Hash sums of *words*, shape (n, k), as the *part* of a key."""
        return words.astype(np.uint64) @ self._random(part, words.shape[1])

    def texts(self, part: str, text: Text, start: Places, size: Places) -> Sums:
        """Hash sums of the pieces of *text* from *start* on, of *size* bytes each; all of them must lie inside."""
        sums = self.words(f"{part} size", size.astype(np.uint32)[:, None] + np.uint32(1))
        width = min(_WIDTH, max(32, -(-int(size.max(initial=0)) // 32) * 32))
        step = _AT_ONCE // width
        for at in range(0, len(start), step):
            some = slice(at, at + step)
            self._add_texts(sums[some], part, text, start[some], size[some], width)
        return sums

    def labels(self, part: str, labels: list[bytes]) -> Sums:
        """Hash sums of a few texts."""
        size = np.array([len(label) for label in labels], np.int64)
        return self.texts(part, Text(b"".join(labels)), np.cumsum(size) - size, size)

    def _add_texts(self, sums: Sums, part: str, text: Text, start: Places, size: Places, width: int) -> None:
        rows: slice | NDArray[np.int64] = slice(None)
        done = 0
        while True:
            block = text.blocks(start + done, width)
            rest = np.minimum(size - done, width).astype(np.uint16)
            block *= np.arange(width, dtype=np.uint16) < rest[:, None]
            numbers = self._random(part, (done + width) // 4)[done // 4 :]
            sums[rows] += block.view(np.uint32).astype(np.uint64) @ numbers
            done += width
            left = np.flatnonzero(size > done)
            if not len(left):
                return
            rows = left if isinstance(rows, slice) else rows[left]
            start, size, width = start[left], size[left], _WIDER

    def _random(self, part: str, count: int) -> Sums:
        known = self._numbers.get(part)
        if known is None or len(known) < count:
            size = 1 << max(4, (count - 1).bit_length())
            drawn = hashlib.shake_256(part.encode() + b"\0" + self._seed).digest(16 * size)
            known = self._numbers[part] = np.frombuffer(drawn, np.uint64).reshape(size, 2)
        return known[:count]


def hashes(sums: Sums) -> Hashes:
    """The hashes that *sums* give."""
    found = np.ascontiguousarray(sums.view(np.uint32)[:, 1::2]).view(np.uint64)[:, 0]
    return np.maximum(found, np.uint64(1))


def mixed(found: Hashes) -> Hashes:
    """*found*, with every bit depending on all others (the finalizer of splitmix64)."""
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return found ^ (found >> np.uint64(31))

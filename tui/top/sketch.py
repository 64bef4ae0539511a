"""Estimates of the number of distinct keys in a few bytes: HyperLogLog (Flajolet and others, 2007)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.hashing import Hashes, mixed

Registers = NDArray[np.uint8]


def registers(bits: int, rows: int = 1) -> Registers:
    """Empty registers for *rows* counts with a standard error of 1.04 / sqrt(2**bits), shape (rows, 2**bits)."""
    return np.zeros((rows, 1 << bits), np.uint8)


def note(seen: Registers, keys: Hashes, rows: NDArray[np.int64] | int = 0) -> None:
    """Count each of *keys* in its row of *seen*."""
    bits = seen.shape[1].bit_length() - 1
    spread = mixed(keys)
    rest = spread & np.uint64((1 << 64 - bits) - 1)
    rank = 64 - bits + 1 - np.frexp(rest.astype(np.float64))[1]
    place = np.asarray(rows, np.int64) * seen.shape[1] + (spread >> np.uint64(64 - bits)).astype(np.int64)
    np.maximum.at(seen.reshape(-1), place, rank.astype(np.uint8))


def estimate(seen: Registers) -> NDArray[np.int64]:
    """The estimated number of distinct keys of each row, shape (rows,)."""
    m = seen.shape[1]
    alpha = 0.7213 / (1 + 1.079 / m)
    raw = alpha * m * m / np.ldexp(1.0, -seen.astype(np.int32)).sum(axis=1)
    empty = (seen == 0).sum(axis=1)
    # Few keys are estimated from the number of empty registers (linear counting).
    few = m * np.log(m / np.maximum(empty, 1))
    found: NDArray[np.int64] = np.rint(np.where((raw <= 2.5 * m) & (empty > 0), few, raw)).astype(np.int64)
    return found

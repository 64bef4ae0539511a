"""Reads records in mapped memory, many at a time.

Both transports hold records one after another, each with an 8-byte header at an 8-byte boundary. A reader walks only
the headers and steps over equal ones together, because neighbouring records often have the same length. The events
found are then copied out: long runs one by one, otherwise all events in one gather and their text in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.batch import Batch, Rows, empty
from ringtop.bpf.event.schema import Schema
from ringtop.bpf.kernel.memory import fence

Memory = NDArray[np.uint8]

Run = tuple[int, int, int, int]
"""A run of events of one length: offset of the first event behind its header, number of events, bytes from one event to
the next, length in bytes."""

_LONG = 32
"""Average number of events in a run from which copying run by run is worth its overhead."""
_PIECE = 4096
_UNIT = 4
"""Bytes: events begin at a multiple of it, and text is copied in units of it. The padding of a record leaves room for
the last unit."""


@dataclass(frozen=True, slots=True)
class Drained:
    """The result of one drain of a transport."""

    batch: Batch
    bytes: NDArray[np.int64]
    """Bytes that the events took in the buffers, by CPU, headers included."""
    lost: NDArray[np.int64]
    """Records that did not fit, as reported by PERF_RECORD_LOST, by CPU."""
    damaged: int
    """Impossible records: a length outside the buffer, or shorter than an event or its text, or a CPU that does not
    exist. They are never handed on."""


def run_length(headers: memoryview, at: int, step: int, most: int) -> int:
    """The number of equal words in *headers*, beginning with the one at *at*, in steps of *step*, at most *most*."""
    first, n = headers[at], 1
    for n in range(1, min(most, 8)):  # in short runs, plain steps beat NumPy's overhead
        if headers[at + n * step] != first:
            return n
    n, block = min(most, 8), 64
    words = np.asarray(headers)
    while n < most:
        look = min(block, most - n)
        same = words[at + n * step : at + (n + look) * step : step] == first
        if not same.all():
            return n + int(same.argmin())
        n, block = n + look, block * 4
    return n


def collect(schema: Schema, data: Memory, runs: Sequence[Run], cpus: int) -> tuple[Batch, NDArray[np.int64], int]:
    """Copy the events of *runs* out of *data*. Returns the batch, the bytes the events took by CPU, and the number of
    events that were left out.

    An event is left out when it names a CPU that this machine (*cpus* of them) does not have, or more text than it
    holds.
    """
    if not runs:
        return empty(schema.program), np.zeros(cpus, np.int64), 0
    fence()  # the headers were read before the events that they describe
    if sum(count for _, count, _, _ in runs) >= _LONG * (len(runs) - 1):
        whole = _by_run(schema, data, runs, cpus)
        if whole:
            return *whole, 0
    return _by_event(schema, data, runs, cpus)


def _pieces(runs: Iterable[Run]) -> Iterator[Run]:
    """The runs in pieces small enough to stay in the CPU's cache from one step of copying to the next."""
    for begin, count, stride, length in runs:
        for first in range(0, count, _PIECE):
            yield begin + first * stride, min(_PIECE, count - first), stride, length


def _by_run(schema: Schema, data: Memory, runs: Sequence[Run], cpus: int) -> tuple[Batch, NDArray[np.int64]] | None:
    """Copy each run with one strided copy, and its text with another where all events have one CPU and text length.
    Returns None when an event must be left out."""
    fixed, size, base, done = schema.dtype.itemsize, np.zeros(cpus, np.int64), 0, 0
    # Plain blocks of bytes: NumPy would copy structured ones field by field.
    whole = np.empty(sum(count for _, count, _, _ in runs), f"V{fixed}")
    tails = []
    for begin, count, stride, length in _pieces(runs):
        piece = whole[done : done + count]
        piece[...] = np.ndarray((count,), piece.dtype, data, begin, (stride,))
        rows = piece.view(schema.dtype)
        columns = rows["cpu"], *(rows[f"{name}_len"] for name in schema.tail)
        if all((column == column[0]).all() for column in columns):
            cpu, *sizes = (int(column[0]) for column in columns)
            if cpu >= cpus or sum(sizes) > length - fixed:
                return None
            size[cpu] += count * stride
            text = (sum(sizes) + _UNIT - 1) // _UNIT * _UNIT
            rows["tail"] = np.arange(base, base + count * text, text) if text else 0
            tails.append(np.ndarray((count,), f"V{text}", data, begin + fixed, (stride,)).tobytes())
        else:
            texts = _text_size(schema, rows)
            if rows["cpu"].max() >= cpus or texts.max() > length - fixed:
                return None
            size += np.bincount(rows["cpu"], minlength=cpus) * stride
            units = (texts + _UNIT - 1) // _UNIT
            rows["tail"] = (np.cumsum(units) - units) * _UNIT + base
            tails.append(_gather(data, np.arange(count) * stride + begin + fixed, units))
        base += len(tails[-1])
        done += count
    return Batch(schema.program, whole.view(schema.dtype), b"".join(tails)), size


def _by_event(schema: Schema, data: Memory, runs: Sequence[Run], cpus: int) -> tuple[Batch, NDArray[np.int64], int]:
    """Copy all events in one gather, and their text in another."""
    table = np.fromiter(chain.from_iterable(runs), np.int64, 4 * len(runs)).reshape(-1, 4)
    begin, count, stride, length = table.T.copy()
    run = np.repeat(np.arange(len(count)), count)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    at = begin[run] + stride[run] * nth

    fixed = schema.dtype.itemsize
    places = (len(data) - fixed) // _UNIT + 1
    rows = np.ndarray((places,), f"V{fixed}", data, 0, (_UNIT,))[at // _UNIT].view(schema.dtype)
    text = _text_size(schema, rows)

    good = (rows["cpu"] < cpus) & (text <= (length - fixed)[run])
    left_out = len(good) - int(good.sum())
    if left_out:
        rows, run, at, text = rows[good], run[good], at[good], text[good]
    size = np.bincount(rows["cpu"], stride[run], cpus).astype(np.int64)

    units = (text + _UNIT - 1) // _UNIT
    rows["tail"] = (np.cumsum(units) - units) * _UNIT
    return Batch(schema.program, rows, _gather(data, at + fixed, units)), size, left_out


def _text_size(schema: Schema, rows: Rows) -> NDArray[np.int64]:
    """The length of each event's text in bytes, as the event states it."""
    text = np.zeros(len(rows), np.int64)
    for name in schema.tail:
        text += rows[f"{name}_len"]
    return text


def _gather(data: Memory, at: NDArray[np.int64], units: NDArray[np.int64]) -> bytes:
    """The text of *units* units at each offset *at* of *data*."""
    source = np.repeat(at // _UNIT - np.cumsum(units) + units, units)
    source += np.arange(len(source))
    return data[: len(data) // _UNIT * _UNIT].view("<u4")[source].tobytes()

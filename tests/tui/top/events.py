"""Made-up events for the tests of tops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ringtop.bpf.event.batch import Batch
from tests.samples import Value, make

S = 1_000_000_000
MS = 1_000_000
START = 1_000 * S
"""The kernel's clock when it all begins."""


def execs(
    file: bytes,
    args: Sequence[bytes] | None = None,
    count: int = 1,
    *,
    ts: int = START,
    step: int = MS,
    ret: int = 0,
    tid: int = 1000,
    ppid: int = 1,
    comm: bytes = b"sh",
) -> list[dict[str, Value | Sequence[bytes]]]:
    """*count* execs of *file*, each by a thread of its own, *step* ns apart."""
    argv = [file.rpartition(b"/")[2]] if args is None else list(args)
    return [
        {
            "ts": ts + i * step,
            "tid": tid + i,
            "pid": tid + i,
            "ppid": ppid,
            "comm": comm,
            "ret": ret,
            "filename": file,
            "argv": argv,
        }
        for i in range(count)
    ]


def waits(comm: bytes, ns: Iterable[int], *, ts: int = START, step: int = MS, **more: Value) -> Batch:
    """Waits of *comm*, *step* ns apart."""
    events = [{"ts": ts + i * step, "comm": comm, "pid": 7, "tid": 7, "latency": n, **more} for i, n in enumerate(ns)]
    return make("runqslower", events)


def deletions(names: Sequence[bytes], *, ts: int = START, step: int = MS, comm: bytes = b"rm") -> Batch:
    """A deletion of each of *names*."""
    return make("unlinksnoop", [{"ts": ts + i * step, "comm": comm, "pid": 9, "path": n} for i, n in enumerate(names)])


def comms(names: Sequence[bytes], ts: Sequence[int] | np.ndarray) -> Batch:
    """An event of a table of numbers by comm, for many of them: *names* at *ts*."""
    batch = make("runqslower", [{}] * 0)
    rows = np.zeros(len(names), batch.rows.dtype)
    rows["comm"], rows["ts"] = names, ts
    return Batch("runqslower", rows, b"")

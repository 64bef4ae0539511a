"""The statistics of one program: the ledger of every transport that it used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.change.ways import Ways
from ringtop.bpf.kernel.layout import Counters
from ringtop.bpf.ledger.audit import Audit
from ringtop.bpf.stream import ProgramStats, Waits


def _waits(counted: NDArray[np.uint64] | None) -> Waits | None:
    """The waits of all CPUs together, by the counts of ``Loaded.waits``."""
    if counted is None:
        return None
    reported, *buckets = counted.sum(axis=0).tolist()
    while buckets and not buckets[-1]:
        buckets.pop()
    return Waits(reported, buckets)


def report(
    program: str,
    ways: Ways,
    online: list[int],
    counters: Counters,
    audit: Audit | None,
    missed: int,
    late: int,
    waits: NDArray[np.uint64] | None,
) -> list[ProgramStats]:
    """The ledgers by *counters*, one for each transport; that of the transport in use comes last. With an *audit*,
    which has the same counters, they are as of its drain; without, they are as now, including what waits in the
    buffers. *missed* hook runs, *late* events and all *waits* belong to the whole program, so they are reported with
    the transport in use."""
    parts = []
    used = ways.used
    for transport in sorted(ways.opened, key=lambda t: t == used.transport):
        side, in_use = ways.ledger.by[transport], transport == used.transport
        ahead = audit.ahead[transport] if audit is not None else None
        fill = int(np.sum(side.fill)) if audit is not None else used.reader.stats()
        parts.append(
            ProgramStats(
                program=program,
                transport=transport,
                cpus=ways.ledger.cpu_stats(transport, counters, online, ahead, in_use),
                fill=fill if in_use else 0,
                capacity=used.reader.capacity if in_use else 0,
                wakeups=side.wakeups,
                latency_us=side.latency.tolist(),
                missed=missed if in_use else 0,
                late=late if in_use else 0,
                now=used.period(counters) if in_use else None,
                waits=_waits(waits) if in_use else None,
            )
        )
    return parts

"""Storms of events into buffers too small for them: the ledger tells on every CPU what became of each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

from ringtop.bpf.common.sizes import human
from ringtop.bpf.common.transports import NAMES, Transport
from ringtop.bpf.kernel.features import Kernel, online_cpus
from tests.kernel.loads import Storm, fail_to_delete, fail_to_start
from tests.kernel.tracing import assert_explained, running
from tests.kernels.trial import Trial, tried

_EVENTS = 40_000
_ATTEMPTS = {"unlinksnoop": fail_to_delete, "execsnoop": fail_to_start}
_BUFFERS: list[tuple[Transport, int]] = [("perfbuf", 16 << 10), ("perfbuf", 4 << 10), ("ringbuf", 16 << 10)]


def _try(program: str, transport: Transport, size: int) -> str:
    storm = Storm(_EVENTS // len(online_cpus()), _ATTEMPTS[program])
    pids = storm.pids.values()
    capture = f"pid>={min(pids)} and pid<={max(pids)}"
    arguments = (program, "--transport", transport, "--buffer", str(size), "--capture", capture)
    with tempfile.TemporaryDirectory() as folder, running(arguments, Path(folder) / "summary.json") as trace:
        storm.run()
        outcome = trace.finish()
    ledger = outcome.summary[program]
    told = "; ".join(
        f"CPU {c['cpu']}: {c['emitted']:,} = {c['received']:,} + {sum(c['dropped'].values()):,} lost, "
        f"residual {c['residual']}"
        for c in ledger["per_cpu"]
    )
    try:
        assert_explained(outcome, storm.total)
        assert sum(ledger["dropped"].values()), "nothing was lost: the buffer was not too small"
    except AssertionError as e:
        raise AssertionError(f"{told}; {e}") from e
    return told


def check() -> Iterator[Trial]:
    """A trial of each program for each buffer that this kernel has."""
    kernel = Kernel()
    for program, (transport, size) in product(_ATTEMPTS, _BUFFERS):
        if transport == "ringbuf" and kernel.no_ringbuf:
            continue
        what = {"program": program, "events": f"{_EVENTS:,}", "buffer": f"{NAMES[transport]}, {human(size)}"}
        yield tried("Storms", what, partial(_try, program, transport, size))

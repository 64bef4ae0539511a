"""A collector of made-up events, to measure many hosts with: `python -m tests.ssh.made_up RATE` writes so many execs
a second until its input ends or asks it to stop. Its ledger has what it has written."""

from __future__ import annotations

import os
import platform
import select
import sys
import time

import numpy as np

from ringtop.bpf import VERSION, stream
from ringtop.bpf.event.schema import SCHEMAS

ROUND_S = 0.1
TEXT = b"/usr/bin/true\0true\0--version\0"
FILE = len(b"/usr/bin/true")


def put(message: stream.Message) -> None:
    """Write it whole."""
    data = memoryview(stream.encode(message))
    while data:
        data = data[os.write(1, data) :]


def rows(count: int, since: int, begin_ns: int) -> stream.Rows:
    """Execs of a few programs, spread over a round."""
    out = np.zeros(count, SCHEMAS["execsnoop"].dtype)
    out["ts"] = begin_ns + np.arange(count) * int(ROUND_S * 1e9) // max(1, count)
    out["seq"] = since + np.arange(count)
    out["pid"] = out["tid"] = 1000 + (since + np.arange(count)) % 30_000
    out["start_ns"] = out["ts"]
    out["comm"] = np.array([b"true", b"sh", b"make", b"cc1"])[np.arange(count) % 4]
    out["parent"] = b"bash"
    out["tail"] = np.arange(count) * len(TEXT)
    out["filename_len"], out["argv_len"], out["argc"] = FILE, len(TEXT) - FILE - 1, 2
    return stream.Rows("execsnoop", out.tobytes(), TEXT * count)


def ledger(sent: int) -> stream.Stats:
    """All that was sent was received."""
    cpu = stream.CpuStats(0, sent, 0, sent, sent, {}, 0, 0, 0, 0, 0, 0)
    program = stream.ProgramStats("execsnoop", "ringbuf", [cpu], 0, 1 << 21, 0, [], 0)
    now = time.monotonic_ns()
    return stream.Stats(now, time.time_ns() - now, [program], 0, 0)


def main(rate: int) -> None:
    """Write the stream."""
    os.write(1, stream.MAGIC)
    offset = time.time_ns() - time.monotonic_ns()
    kernel, arch = platform.release(), platform.machine()
    put(stream.Hello("made-up", kernel, arch, VERSION, [0], ["execsnoop"], 1, offset, stream.dtypes()))
    put(stream.State("execsnoop", "running", hook="made up", buffer_bytes=1 << 21))
    sent, number = 0, 0
    begin = time.monotonic()
    while True:
        number += 1
        left = begin + number * ROUND_S - time.monotonic()
        if left > 0 and select.select([0], [], [], left)[0]:
            break
        now = time.monotonic_ns()
        count = int(rate * ROUND_S)
        put(stream.Round(now, now, [rows(count, sent, now - int(ROUND_S * 1e9))]))
        sent += count
        if number % 10 == 0:
            put(ledger(sent))
    put(ledger(sent))
    put(stream.End("stopped"))


if __name__ == "__main__":
    main(int(sys.argv[1]))

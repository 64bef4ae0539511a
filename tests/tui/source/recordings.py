"""Made-up recordings for the tests."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS, usual
from ringtop.tui.source.recording import Recorder

SECOND = 1_000_000_000
START = 5_000 * SECOND
"""Monotonic clock at the beginning."""
WALL = 1_700_000_000 * SECOND - START
"""Offset to the wall clock: the first message is stamped 2023-11-14 22:13:20 UTC."""


def hello(version: str = "1", *more: str) -> stream.Hello:
    """The first message of a recording of the usual programs, and *more*."""
    programs = [*usual(), *more]
    return stream.Hello("web-1", "6.1", "x86_64", version, [0, 1], programs, 7, WALL, stream.dtypes())


def rows(program: str = "execsnoop", count: int = 3, seed: int = 0) -> stream.Rows:
    noise = random.Random(seed)
    out = np.zeros(count, SCHEMAS[program].dtype)
    out["pid"] = [noise.randrange(1 << 22) for _ in range(count)]
    out["comm"] = b"sh"
    return stream.Rows(program, out.tobytes(), noise.randbytes(20 * count))


def round_at(second: float, count: int = 3, seed: int = 0) -> stream.Round:
    at = START + int(second * SECOND)
    return stream.Round(at - 1000, at, [rows(count=count, seed=seed)] if count else [])


def stats_at(second: float) -> stream.Stats:
    return stream.Stats(START + int(second * SECOND), WALL, [], 10, 20)


def messages(seconds: int = 3, per_second: int = 2) -> list[stream.AnyMessage]:
    """Hello, a state, rounds and statistics of *seconds*, End."""
    out: list[stream.AnyMessage] = [hello(), stream.State("execsnoop", "running", hook="x")]
    for s in range(seconds):
        out += [round_at(s + i / per_second, seed=s * per_second + i) for i in range(per_second)]
        out.append(stats_at(s + 0.99))
    return [*out, stream.End("done")]


class Clock:
    """A clock that goes on by *step* seconds whenever it is read."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 100.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def write(path: Path, what: list[stream.AnyMessage], step: float = 0.0) -> Path:
    """A recording of *what*; *step* seconds go by between messages."""
    with Recorder(path, clock=Clock(step)) as recorder:
        for message in what:
            recorder.write(message)
    return path


def write_plain(path: Path, what: list[stream.AnyMessage]) -> Path:
    path.write_bytes(stream.MAGIC + b"".join(map(stream.encode, what)))
    return path

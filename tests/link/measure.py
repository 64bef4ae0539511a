"""Bytes a second, and how old the screen is, on a line of any width.

``python -m tests.link.measure [--rate 50000] [--room 262144] [--delay 0.1] [--events 100] [--stall 10]``
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from tests.link.wire import Wire

FEED = (sys.executable, "-m", "tests.tui.live_feed")
NEWEST = re.compile(r"\b(\d\d):(\d\d):(\d\d\.\d+)")


class Clock:
    """How old what is on the screen is, by the newest time in it; 0 is the youngest it was on a line without limit.

    It looks whenever the terminal is asked for an answer: between two questions a time may be half old, half new.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._answer, wire.emulator.answer = wire.emulator.answer, self._asked
        self.zero: float | None = None
        self.newest = 0.0
        self.ages: list[float] = []
        self.heard, self.quiet = time.monotonic(), 0.0

    def _asked(self, data: bytes) -> None:
        found = [
            int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in NEWEST.findall("\n".join(self.wire.emulator.lines))
        ]
        self.newest = max([self.newest, *found])
        if self.newest:
            offset = time.monotonic() - self.newest
            self.zero = min(self.zero if self.zero is not None else offset, offset - self.wire.delay)
        self._answer(data)

    def age(self) -> float:
        """Now."""
        return time.monotonic() - self.newest - (self.zero or 0.0)

    def watch(self, seconds: float) -> None:
        """Collect ages for so long."""
        self.heard = time.monotonic()
        end = self.heard + seconds
        while time.monotonic() < end:
            before = self.wire.shown
            self.wire.run(0.02)
            now = time.monotonic()
            if self.wire.shown != before:
                self.quiet = max(self.quiet, now - self.heard)
                self.heard = now
            self.ages.append(self.age())


def cpu(pid: int) -> float:
    """Seconds of CPU so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--room", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--stall", type=float, default=0)
    parser.add_argument("--silent", action="store_true", help="a terminal that answers nothing")
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    command = [*FEED, "--rate", str(given.events)]
    wire = Wire(command, delay=given.delay, answers=not given.silent)
    clock = Clock(wire)
    try:
        wire.until(lambda: "running" in wire.emulator.lines[0], 20)
        wire.run(6)
        wire.rate, wire.room = given.rate, given.room
        wire.run(1)
        if given.stall:
            wire.stalled = True
            wire.run(given.stall)
            wire.stalled = False
            resumed = time.monotonic()
            while clock.age() > 0.5 and time.monotonic() < resumed + 20:
                wire.run(0.02)
            print(f"current {time.monotonic() - resumed:.2f} s after a stall of {given.stall:g} s")
        before, spent, start = wire.shown, cpu(wire.process.pid), time.monotonic()
        clock.watch(given.seconds)
        took = time.monotonic() - start
        ages = sorted(clock.ages)
        speed, used = (wire.shown - before) / took / 1024, 100 * (cpu(wire.process.pid) - spent) / took
        print(f"{speed:.1f} KiB/s, viewer {used:.1f} % of a CPU, asked {wire.emulator.asked} times")
        print(f"behind: median {ages[len(ages) // 2]:.2f} s, worst {ages[-1]:.2f} s; longest quiet {clock.quiet:.2f} s")
        print("\n".join(wire.emulator.lines if given.show else wire.emulator.lines[:2]))
    finally:
        wire.close()


if __name__ == "__main__":
    main()

"""The player: it plays, pauses, steps and jumps in a recording, by its caller's clock, without threads or a screen."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

from ringtop.bpf import stream
from ringtop.bpf.common.clock import STEP_NS
from ringtop.bpf.event.names import Names
from ringtop.tui.source.moment import FORMS, clock_ns, span_ns
from ringtop.tui.source.recording import Damage, Reading, read
from ringtop.tui.source.seek import frame_before, moment

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
CHUNK = 4 << 20
"""Most bytes of messages given at a time, so that neither a jump nor a flood delays the screen."""
FAR_BYTES = 64 << 20
"""Compressed bytes that are passed over rather than given before a time that is jumped to."""
LEAD_NS = 10_000_000_000
"""Playing time before such a time that is given all the same, so that the tables have rows."""
_LEAST = 1 << 10  # least bytes that a message counts: in memory it takes more than its encoded size

_NS = 1_000_000_000
_FAR = 1 << 62  # ns, 146 years: damaged times are limited to this


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place from which on the wall clock has a certain distance to the playing time: where a collector began, or the
    clock was set."""

    at: int
    """Playing time in nanoseconds."""
    wall_ns: int
    """Wall clock in nanoseconds since 1970."""


class Timeline:
    """Maps messages to playing time, which is 0 for the first message with a time. A later ``Hello`` continues it."""

    def __init__(self) -> None:
        self.at = 0
        """Playing time of the last message, ns."""
        self.anchors: list[Anchor] = []
        self._base: int | None = None
        self._wall_offset = 0

    def place(self, message: stream.AnyMessage) -> int:
        """Return the playing time of *message*, which is never before that of the previous message."""
        if isinstance(message, stream.Hello):
            self._base = None
            self._wall_offset = message.wall_offset_ns
        if (ns := moment(message)) is not None:
            if self._base is None:
                self._base = ns - self.at
                self.anchors.append(Anchor(self.at, ns + self._wall_offset))
            self.at = max(self.at, min(ns - self._base, _FAR))
            if isinstance(message, stream.Stats) and abs(message.wall_offset_ns - self._wall_offset) >= STEP_NS:
                self._wall_offset = message.wall_offset_ns
                self.anchors.append(Anchor(self.at, ns + self._wall_offset))
        return self.at

    def kernel_ns(self, at: int) -> int | None:
        """Return the kernel's clock at playing time *at*, by the last ``Hello``; None where it is unknown."""
        return self._base + at if self._base is not None else None

    def wall_ns(self, at: int) -> int | None:
        """Return the wall clock at playing time *at*; None where it is unknown."""
        i = bisect_right(self.anchors, at, key=lambda a: a.at)
        return self.anchors[i - 1].wall_ns + at - self.anchors[i - 1].at if i else None

    def find(self, wall_ns: int) -> int:
        """Return the playing time at which the wall clock was *wall_ns*, or the nearest one."""
        found = 0
        for i, anchor in enumerate(self.anchors):
            if wall_ns >= anchor.wall_ns:
                end = self.anchors[i + 1].at if i + 1 < len(self.anchors) else None
                at = anchor.at + wall_ns - anchor.wall_ns
                found = at if end is None else min(at, end)
        return found


@dataclass(frozen=True, slots=True)
class Index:
    """Facts that are known only after the whole recording was read."""

    duration_ns: int
    messages: int
    timeline: Timeline
    damage: Damage | None
    collectors: int
    """How often a collector began."""
    names: Names
    """What it tells of numbers in its rows."""


def index(path: Path, cancelled: Callable[[], bool] = lambda: False, file: BinaryIO | None = None) -> Index | None:
    """Read all of *path*; return its index, or None when *cancelled*. Raises OSError and StreamError as ``read``
    does."""
    timeline = Timeline()
    reading = read(path, file)
    collectors, names = 0, Names()
    for message in reading:
        timeline.place(message)
        if isinstance(message, stream.Cgroups):
            stream.learn(message, names)
        collectors += isinstance(message, stream.Hello)
        if cancelled():
            reading.close()
            return None
    return Index(timeline.at, reading.messages, timeline, reading.damage, collectors, names)


class Player:
    """A recording being played: *path*, or what is open as *file*. Times given as *now* are seconds of any steady
    clock."""

    def __init__(
        self, path: Path, now: float = 0.0, speed: float = 1.0, playing: bool = True, file: BinaryIO | None = None
    ) -> None:
        """Raises OSError and StreamError as ``read`` does."""
        self.path = path
        self._file = file
        self.speed = speed
        self.playing = playing
        self.index: Index | None = None
        """The index, which the caller sets when it is known."""
        self.damage: Damage | None = None
        """The damage, known once playing has reached it."""
        self.ended = False
        """Whether the last message was given."""
        self.behind = False
        """Whether due messages were not given yet, as after a jump. Playing time stands still until they are given."""
        self._position = 0  # ns of playing time, at self._now
        self._now = now
        self._length: int | None = None
        self._open()

    def _open(self, start: int = 0) -> None:
        """Read the messages from the beginning, or those before the first round, and then from *start* on."""
        self._reading: Reading = read(self.path, self._file)
        self._messages: Iterator[stream.AnyMessage] = iter(self._reading)
        self._timeline = Timeline()
        self._next: stream.AnyMessage | None = None
        self._first: list[stream.AnyMessage] = []  # given before the next one
        self._steps = array("q")  # playing times of the rounds with events that were given
        self.ended = False
        self._fetch()
        if start:
            while self._next is not None and moment(self._next) is None:
                self._first.append(self._next)
                self._fetch()
            self._first.append(stream.Notice("info", "to jump so far, events were passed over: counts begin here"))
            self._reading.close()
            self._reading = read(self.path, self._file, start)
            self._messages = iter(self._reading)
            self._fetch()

    def _fetch(self) -> None:
        self._next = next(self._messages, None)
        if self._next is not None:
            self._timeline.place(self._next)
        elif self._reading.damage:
            self.damage = self._reading.damage

    @property
    def position_ns(self) -> int:
        """The playing time at the last call that advanced the clock, such as ``due``."""
        return self._position

    @property
    def duration_ns(self) -> int | None:
        """The playing time of the whole recording; None until it is known."""
        return self.index.duration_ns if self.index else self._length

    @property
    def wall_ns(self) -> int | None:
        """The wall clock, on the recorded host, at the current position."""
        return self._timeline.wall_ns(self.position_ns)

    def due(self, now: float, limit: int = CHUNK) -> list[stream.AnyMessage]:
        """Return the messages to show by *now*: at most about *limit* bytes, the rest at the next call."""
        self._advance(now)
        out: list[stream.AnyMessage] = []
        size = 0
        while self._is_due() and size < limit:
            size += self._take(out)
        self.behind = self._is_due()
        self._finish()
        return out

    def wait_s(self) -> float | None:
        """Return the seconds until the next message is due; None while there is none to wait for."""
        if self._next is None or not self.playing:
            return 0.0 if self._is_due() else None
        return max(0.0, (self._timeline.at - self._position) / _NS / self.speed)

    def toggle(self, now: float) -> bool:
        """Play or pause; at the end, play from the start. Return whether the messages start again."""
        self._advance(now)
        anew = self.ended
        if anew:
            self._restart(0)
        self.playing = not self.playing
        return anew

    def faster(self, now: float) -> None:
        """Select the next higher speed."""
        self._advance(now)
        self.speed = next((s for s in SPEEDS if s > self.speed), SPEEDS[-1])

    def slower(self, now: float) -> None:
        """Select the next lower speed."""
        self._advance(now)
        self.speed = next((s for s in reversed(SPEEDS) if s < self.speed), SPEEDS[0])

    def step(self, now: float) -> list[stream.AnyMessage]:
        """Pause, and return all messages up to the next round that has events, but no more than about CHUNK bytes."""
        self._advance(now)
        self.playing = False
        out: list[stream.AnyMessage] = []
        steps, size = len(self._steps), 0
        while self._next is not None and len(self._steps) == steps and size < CHUNK:
            self._position = max(self._position, self._timeline.at)
            size += self._take(out)
        self._finish()
        return out

    def step_back(self, now: float) -> bool:
        """Pause at the round before the last one given. Return whether the messages start again."""
        self._advance(now)
        self.playing = False
        if not self._steps:
            return False
        here = self._steps[-1]
        earlier = next((t for t in reversed(self._steps) if t < here), 0)
        return self.jump(earlier, now)

    def jump(self, to_ns: int, now: float) -> bool:
        """Go to a playing time; ``due`` then gives the messages before it.

        Return whether the messages start again, as they do when going backwards, and when so much lies before that time
        that only what comes after LEAD_NS before it is given.
        """
        self._advance(now)
        to_ns = max(0, min(to_ns, self.duration_ns if self.duration_ns is not None else to_ns))
        if (start := self._far(to_ns)) or to_ns < self._position:
            self._restart(to_ns, start)
            return True
        self._position = to_ns
        self.behind = True
        return False

    def close(self) -> None:
        """Close the file."""
        self._reading.close()

    def timeline(self) -> Timeline:
        """Return the timeline of the whole recording once it is indexed, until then that of the part played."""
        return self.index.timeline if self.index else self._timeline

    def _far(self, to_ns: int) -> int:
        """Where in the file to go on for the playing time *to_ns* if FAR_BYTES or more can be passed over, else 0."""
        begin = self._timeline.kernel_ns(to_ns - LEAD_NS)
        here = self._reading.offset if to_ns >= self._position else 0
        several = self.index is not None and self.index.collectors > 1  # their clocks have no one distance
        if self._file is None or begin is None or several:
            return 0
        if os.fstat(self._file.fileno()).st_size - here < FAR_BYTES:
            return 0
        start = frame_before(self.path, self._file, begin)
        return start if start - here >= FAR_BYTES else 0

    def _restart(self, to_ns: int, start: int = 0) -> None:
        self._reading.close()
        self._open(start)
        self._position = to_ns
        self.behind = True

    def _is_due(self) -> bool:
        return self._next is not None and self._timeline.at <= self._position

    def _advance(self, now: float) -> None:
        if self.playing and not self.behind:
            ahead = self._position + round((now - self._now) * _NS * self.speed)
            self._position = ahead if self._next is not None else min(ahead, max(self._position, self._timeline.at))
        self._now = now

    def _take(self, out: list[stream.AnyMessage]) -> int:
        message = self._next
        assert message is not None
        out += [*self._first, message]
        self._first.clear()
        size = self._reading.size
        if isinstance(message, stream.Round) and any(rows.rows for rows in message.batches):
            self._steps.append(self._timeline.at)
        self._fetch()
        return max(size, _LEAST)

    def _finish(self) -> None:
        if self._next is None and not self.ended:
            self.ended = True
            self.playing = False
            self._position = self._length = self._timeline.at


def parse_time(text: str, player: Player, tz: tzinfo | None = None) -> int:
    """Return the playing time of '14:03:20' or '2026-11-27 14:03:20' (wall clock), '90s', '1m30s', '+10s', '-10s' or
    '50%'. Raises ValueError."""
    text = text.strip()
    if text.endswith("%") and text[:-1].replace(".", "", 1).isdecimal():
        if player.duration_ns is None:
            raise ValueError("the length is not known yet: give a time")
        return int(player.duration_ns * min(float(text[:-1]), 100.0) / 100)
    sign = text[:1] if text[:1] in ("+", "-") else ""
    if (ns := span_ns(text[len(sign) :])) is not None:
        return player.position_ns + ns if sign == "+" else player.position_ns - ns if sign else ns
    start = player.timeline().wall_ns(0)
    if start is not None and (at := clock_ns(text, start, tz)) is not None:
        return player.timeline().find(at)
    raise ValueError(f"{text[:20]!r} is not a time; write {FORMS}, +10s, -10s or 50%")

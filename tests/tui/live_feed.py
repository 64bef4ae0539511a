"""The made-up collector, going on by itself:
``python -m tests.tui.live_feed [--hosts 20] [--cpus 64] [--rate 1000] [--transport perfbuf]
[--state dropping|failed|dead]``. Several hosts are made up in a process of their own, so that the viewer's cost is its
own; the last one is in that state, and a dead one comes back.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from contextlib import suppress
from functools import partial

from ringtop.bpf import stream
from ringtop.tui.app.app import run
from ringtop.tui.settings.config import Config
from ringtop.tui.source.source import Item, Lost, Post
from tests.tui.feed import Feed

LOST = "lost: "
"""Stands for ``Lost`` in a pipe."""
AWAY_S = 12.0
"""Seconds that a dead collector stays away when it comes back."""


class Live(Feed):
    """Goes on by itself, in a thread."""

    def __init__(self, rate: int, state: str, turns: int = 0, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.rate = rate
        self.turns = turns
        self.mode = state
        self.returns = False
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, post: Post) -> None:
        """Begin."""
        self._end.clear()
        self._thread = threading.Thread(target=self._run, args=(post,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, post: Post) -> None:
        self._post = post
        self._reset()
        self.wall_ns = time.time_ns() - self.now
        self.hello()
        for program in self.programs:
            self.say(stream.Progress(program, f"loading {program}"))
            if self._end.wait(0.2):
                return
            self.state(program)
        turn = 0
        began = time.monotonic()
        while not self._end.wait(max(0.0, began + turn * 0.1 - time.monotonic())):
            turn += 1
            n = self.rate // 30
            losing = self.mode == "dropping" and turn % 20 < 5
            self.events(dict.fromkeys(self.programs, n), {turn % self.cpus: 12} if losing else None, 0.1)
            self.drained()
            self.fill({c: float(x) for c, x in enumerate(self._rng.random(self.cpus) ** 3)})
            if turn % 10 == 0:
                self.stats()
            if self.mode == "dead" and turn == 50:
                self.lose_collector(AWAY_S if self.returns else 0)
                if not self.returns or self._end.wait(AWAY_S):
                    return
                self._run(post)
                return
            if turn == self.turns:
                return


class Piped:
    """What a feed in another process says."""

    live = True

    def __init__(self, label: str, fd: int) -> None:
        self.label, self._fd = label, fd

    def start(self, post: Post) -> None:
        """Read, in a thread."""
        threading.Thread(target=self._read, args=(post,), daemon=True).start()

    def _read(self, post: Post) -> None:
        frames = stream.Frames()
        while data := os.read(self._fd, 1 << 20):
            for body in frames.feed(data):
                message = stream.decode(body)
                lost = isinstance(message, stream.Notice) and message.text.startswith(LOST)
                post(Lost("killed by SIGKILL", "", AWAY_S) if lost else message)

    def send(self, control: stream.Control) -> None:
        """Nobody hears it."""

    def stop(self) -> None:
        """The other process ends with this one."""


def apart(feeds: list[Live]) -> list[Piped]:
    """The *feeds*, running in a child process."""
    pipes, above = [os.pipe() for _ in feeds], os.getpid()
    if parent := os.fork():
        print(f"the feeds are process {parent}", file=sys.stderr)
        for _, into in pipes:
            os.close(into)
        return [Piped(feed.label, out) for feed, (out, _) in zip(feeds, pipes, strict=True)]
    for feed, (_, into) in zip(feeds, pipes, strict=True):
        os.write(into, stream.MAGIC)
        feed.start(partial(_write, into))
    while os.getppid() == above:
        time.sleep(0.5)
    os._exit(0)


def _write(into: int, item: Item) -> None:
    told = stream.Notice("info", LOST) if isinstance(item, Lost) else item
    with suppress(BrokenPipeError):
        os.write(into, stream.encode(told))  # type: ignore[arg-type]


def main() -> None:
    """Try it by hand."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--rate", type=int, default=60)
    parser.add_argument("--transport", default="ringbuf")
    parser.add_argument("--state", default="running")
    parser.add_argument("--turns", type=int, default=0, help="tenths of a second until it falls silent")
    parser.add_argument("--ascii", action="store_true")
    given = parser.parse_args()
    feeds: list[Live] = []
    for host in range(given.hosts):
        state = given.state if host + 1 == given.hosts else "running"
        failed = ("unlinksnoop",) if state == "failed" else ()
        options = {"cpus": given.cpus, "transport": given.transport, "failed": failed, "seed": host}
        feeds.append(Live(given.rate, state, given.turns, **options))
        feeds[-1].label = feeds[-1].host = f"web{host + 1}"
        feeds[-1].returns = given.hosts > 1
    run(apart(feeds) if given.hosts > 1 else feeds, Config(ascii=given.ascii))


if __name__ == "__main__":
    main()

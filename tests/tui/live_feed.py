"""The made-up collector, going on by itself:
``python -m tests.tui.live_feed [--hosts 20] [--cpus 64] [--rate 1000] [--transport perfbuf]
[--state dropping|failed|dead]``. With several hosts, the last one is in that state, and a dead one comes back.
"""

from __future__ import annotations

import argparse
import threading
import time

from ringtop.bpf import stream
from ringtop.tui.app.app import run
from ringtop.tui.settings.config import Config
from ringtop.tui.source.source import Post
from tests.tui.feed import Feed

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
    feeds = []
    for host in range(given.hosts):
        state = given.state if host + 1 == given.hosts else "running"
        failed = ("unlinksnoop",) if state == "failed" else ()
        options = {"cpus": given.cpus, "transport": given.transport, "failed": failed, "seed": host}
        feeds.append(Live(given.rate, state, given.turns, **options))
        feeds[-1].label = feeds[-1].host = f"web{host + 1}"
        feeds[-1].returns = given.hosts > 1
    run(feeds, Config(ascii=given.ascii))


if __name__ == "__main__":
    main()

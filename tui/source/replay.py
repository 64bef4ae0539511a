"""Replay: a recording as a source of messages, with the player on a thread of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ringtop.bpf import stream
from ringtop.tui.settings.files import open_regular
from ringtop.tui.source.player import Index, Player, index, parse_time
from ringtop.tui.source.recording import Damage, read, recorded
from ringtop.tui.source.source import Lost, Post, Rewound

_TICK_S = 0.05
"""Most seconds between two looks at the clock."""
_CATCH_UP_S = 0.03
"""Seconds of pause between the pieces of a jump, so that the viewer takes each piece before the next one arrives."""

Command = Callable[[Player, float], None]


@dataclass(frozen=True, slots=True)
class Playing:
    """The state of a replay."""

    position_ns: int
    duration_ns: int | None
    """None until the recording has been read once."""
    wall_ns: int | None
    """The recorded host's wall clock at the current position, ns."""
    speed: float
    playing: bool
    ended: bool
    catching_up: bool
    """Whether messages due after a jump or a flood are still being given."""
    damage: Damage | None


_NOWHERE = Playing(0, None, None, 1.0, False, False, False, None)


class ReplaySource:
    """Plays a file. The playing thread carries out the commands, so that none of them delays the screen.

    Going back restarts the messages: ``Rewound`` is posted, then ``Hello`` and all later messages again.
    """

    live = False

    def __init__(
        self,
        path: Path,
        speed: float = 1.0,
        label: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open *path*, once: the player may no longer have the right to. Raises OSError when this fails, and
        StreamError when it is no recording."""
        self._file = open_regular(path)
        read(path, self._file).close()
        self.label = label or f"replay {path.name}"
        self.status = _NOWHERE
        """The state of the replay, for the screen."""
        self._path = path
        self._speed = speed
        self._clock = clock
        self._post: Post = lambda item: None
        self._player: Player | None = None
        self._commands: deque[Command] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._index: Index | None = None
        self._threads: list[threading.Thread] = []
        self._told = False

    def programs(self) -> tuple[str, ...]:
        """The programs that may have events in the recording; none when that cannot be read."""
        with (
            contextlib.suppress(OSError, stream.StreamError),
            contextlib.closing(read(self._path, self._file)) as found,
        ):
            hello = next(iter(found), None)
            if isinstance(hello, stream.Hello):
                return recorded(hello)
        return ()

    def start(self, post: Post) -> None:
        """Play from the beginning."""
        self._post = post
        self._told = False
        self._commands.clear()
        self._stopping.clear()
        self._threads = [threading.Thread(target=self._run, name="replay", daemon=True)]
        if self._index is None:
            self._threads.append(threading.Thread(target=self._read_index, name="replay-index", daemon=True))
        for thread in self._threads:
            thread.start()

    def send(self, control: stream.Control) -> None:
        """Ignore *control*: a recording takes no commands."""

    def stop(self) -> None:
        """End the threads and close the file."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def toggle(self) -> None:
        """Play or pause; at the end, play again from the start."""
        self._do(lambda player, now: self._rewound(player.toggle(now)))

    def faster(self) -> None:
        """Select the next higher speed."""
        self._do(lambda player, now: player.faster(now))

    def slower(self) -> None:
        """Select the next lower speed."""
        self._do(lambda player, now: player.slower(now))

    def step(self) -> None:
        """Pause, and post the messages up to the next round that has events."""
        self._do(lambda player, now: self._give(player.step(now)))

    def step_back(self) -> None:
        """Pause, and go back by one round that has events."""
        self._do(lambda player, now: self._rewound(player.step_back(now)))

    def jump(self, text: str) -> None:
        """Go to a time as ``parse_time`` reads it. Raises ValueError, which lists the accepted forms."""
        if (player := self._player) is not None:
            to = parse_time(text, player)
            self._do(lambda player, now: self._rewound(player.jump(to, now)))

    def _do(self, command: Command) -> None:
        self._commands.append(command)
        self._wake.set()

    def _run(self) -> None:
        try:
            self._player = Player(self._path, self._clock(), self._speed, file=self._file)
            while not self._stopping.is_set():
                self._turn(self._player)
        except (OSError, stream.StreamError) as e:  # the file was cut or written over
            self._post(Lost("the recording can no longer be read", str(e)))
        finally:
            if self._player is not None:
                self._player.close()
            self._player = None

    def _turn(self, player: Player) -> None:
        player.index = self._index
        while self._commands:
            self._commands.popleft()(player, self._clock())
        self._give(player.due(self._clock()))
        if player.ended and player.damage and not self._told:
            self._told = True
            self._post(stream.Notice("warning", f"{self._path.name}: {player.damage}"))
        self.status = Playing(
            player.position_ns,
            player.duration_ns,
            player.wall_ns,
            player.speed,
            player.playing,
            player.ended,
            player.behind,
            player.damage,
        )
        wait = player.wait_s()
        self._wake.wait(_CATCH_UP_S if player.behind else _TICK_S if wait is None else min(wait, _TICK_S))
        self._wake.clear()

    def _give(self, messages: Iterable[stream.AnyMessage]) -> None:
        for message in messages:
            self._post(message)

    def _rewound(self, anew: bool) -> None:
        if anew:
            self._post(Rewound())

    def _read_index(self) -> None:
        with contextlib.suppress(OSError, stream.StreamError):  # the player meets the same error and reports it
            self._index = found = index(self._path, self._stopping.is_set, self._file)
            if found is not None:
                self._give(stream.cgroups(found.names))  # a jump passes over what was told before it
            self._wake.set()

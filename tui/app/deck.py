"""The deck carries out the keys for recording and replaying, and gives the header its status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from ringtop.tui.source.source import Source
from ringtop.tui.source.tap import Tap
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.shell import shell_line
from ringtop.tui.text.text import safe

if TYPE_CHECKING:
    from ringtop.tui.source.replay import Playing, ReplaySource

Severity = Literal["information", "warning", "error"]
Say = Callable[[str, Severity], None]
"""Shows a text to the user."""

REPLAY = ("toggle", "step_back", "step", "slower", "faster", "jump")
"""The commands for a replay."""


def tapped(source: Source) -> Source:
    """*source* wrapped so that it can be recorded; a replay is returned as it is."""
    return Tap(source) if source.live else source


class Deck:
    """Records a live source, or plays a recording."""

    def __init__(
        self,
        source: Source | None,
        folder: Path,
        glyphs: Glyphs,
        say: Say,
        create: Callable[[Path], BinaryIO] | None = None,
    ) -> None:
        """*source* is None where there are several. *folder* is where recordings are written; *create* creates them
        where the viewer may not."""
        self._several = source is None
        self._tap = source if isinstance(source, Tap) else None
        self._replay = _as_replay(source)
        self._folder = folder
        self._glyphs = glyphs
        self._say = say
        self._create = create

    def can(self, what: str) -> bool:
        """Whether the key for *what* does anything here: ``record`` or one of REPLAY."""
        return self._tap is not None or self._several if what == "record" else self._replay is not None

    @property
    def status(self) -> str:
        """The status for the header: the position of the replay, or the size of the recording."""
        if self._tap is not None and (recorder := self._tap.recording) is not None:
            return f"{self._glyphs.dot} rec {format.size(recorder.bytes)}"
        return place(self._replay.status, self._glyphs) if self._replay is not None else ""

    def record(self) -> None:
        """Start a recording, or finish the one in progress, and tell the user where it is."""
        if self._several:
            self._say(
                "only one host can be recorded: show that host alone, with a single --host, and press R", "warning"
            )
        if self._tap is None:
            return
        try:
            if self._tap.recording is not None:
                path = self._tap.stop_recording()
                self._say(f"recorded; show it with: ringtop replay {path}", "information")
                return
            path = self._folder.expanduser() / self._tap.file_name()
            recorder = self._tap.record(path, create=self._create)
            self._say(f"recording to {path}, which only {recorder.owner} may read", "information")
        except OSError as e:
            self._say(
                f"cannot record to {e.filename or self._folder}: {e.strerror}; --recordings chooses another folder",
                "error",
            )
        except (ValueError, RuntimeError) as e:  # also for "~name" of an unknown user
            self._say(str(e), "warning")

    def replay(self, what: str) -> None:
        """Carry out *what*, one of REPLAY except ``jump``."""
        if self._replay is not None and what in REPLAY and what != "jump":
            getattr(self._replay, what)()

    def jump(self, text: str) -> None:
        """Go to the time *text*. Raises ValueError with the accepted forms."""
        if self._replay is not None:
            self._replay.jump(text)

    def close(self) -> str:
        """Finish a recording still in progress after the source has stopped; returns a text about it for the user."""
        try:
            path = self._tap.stop_recording() if self._tap is not None else None
        except OSError as e:
            return f"the end of the recording could not be written: {e.strerror}"
        return f"recorded {safe(str(path))}: `ringtop replay {shell_line([bytes(path)])}` shows it" if path else ""


def _as_replay(source: Source | None) -> ReplaySource | None:
    if source is None or source.live:
        return None
    from ringtop.tui.source.replay import ReplaySource

    return source if isinstance(source, ReplaySource) else None


def place(playing: Playing, glyphs: Glyphs) -> str:
    """The position of a replay, such as '▶ 1:23/4:56 22:13:20 x2'."""
    mark = glyphs.play if playing.playing else glyphs.pause
    whole = f"/{span(playing.duration_ns)}" if playing.duration_ns is not None else ""
    parts = [f"{mark} {span(playing.position_ns)}{whole}"]
    if playing.wall_ns is not None:
        parts.append(format.clock(playing.wall_ns, None, 0))
    if playing.speed != 1:
        parts.append(f"x{playing.speed:g}")
    if playing.catching_up:
        parts.append("seeking")
    elif playing.ended:
        parts.append("damaged" if playing.damage else "end")
    return " ".join(parts)


def span(ns: int) -> str:
    """A length of time, such as 1:23 or 1:02:03."""
    minutes, seconds = divmod(ns // 1_000_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

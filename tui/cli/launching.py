"""The viewer on a command that it launches."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringtop.bpf import stream
from ringtop.tui.cli.account import chosen
from ringtop.tui.cli.begin import launch
from ringtop.tui.cli.command import CannotLaunch, Command
from ringtop.tui.source.source import Item, Post, Source
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

_PATIENCE = 1.0
"""Seconds for the command to end when the viewer does."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A command with a file for all that it prints, because the screen is the viewer's. The keeper of the command
    removes a file that stays empty."""

    command: Command
    file: str

    @property
    def name(self) -> str:
        """The command's name, safe to show."""
        return safe(self.command.name)

    def how(self, status: int) -> str:
        """What became of it, in words."""
        if self.command.failure is not None:
            return safe(str(self.command.failure))
        printed = f"what it printed is in {self.file}" if Path(self.file).exists() else "it printed nothing"
        return f"{self.name} ended with status {status}; {printed}"

    def leave(self, status: int) -> int:
        """End the command if it still runs, and say where its output is. Returns the exit status of the viewer, whose
        own *status* comes first."""
        ended = self.command.wait(0)
        if ended is None:
            self.command.tell(signal.SIGTERM)
            ended = self.command.wait(_PATIENCE)
        if ended is None:
            say(f"{self.name} ({self.command.pid}) does not end on SIGTERM, and goes on; it prints to {self.file}")
            return status
        say(self.how(ended))
        return status or ended


def launch_unseen(words: Sequence[str]) -> Launched | None:
    """Launch the command *words* without a terminal. None without *words*. Raises CannotLaunch."""
    if not words:
        return None
    fd, file = tempfile.mkstemp(prefix="ringtop-", suffix=".log")
    account = chosen()
    if account is not None and account.person:
        os.fchown(fd, account.uid, account.gid)
    try:
        command = launch(words, fd)
    except CannotLaunch:
        Path(file).unlink()
        raise
    finally:
        os.close(fd)
    assert command is not None
    return Launched(command, file)


class LaunchingSource:
    """A live *source* whose collector follows a command: the command starts once all *programs* run or have failed, and
    the collector stops when the command has ended."""

    def __init__(self, source: Source, launched: Launched, programs: Sequence[str]) -> None:
        self.source, self._launched, self._programs = source, launched, programs
        self.label, self.live = source.label, source.live
        self._states: dict[str, str] = {}
        self._post: Post = lambda item: None
        self._watching = self._started = False

    def start(self, post: Post) -> None:
        """Start the source."""
        self._post = post
        if not self._watching:
            self._watching = True
            self._launched.command.watch(self._ended)
        self.source.start(self._take)

    def _take(self, item: Item) -> None:
        self._post(item)
        if not isinstance(item, stream.State) or self._started:
            return
        self._states[item.program] = item.state
        if len(self._states) == len(self._programs) and "running" in self._states.values():
            self._started = True
            self._launched.command.start()
            self._post(stream.Notice("info", f"{self._launched.name} runs, and prints to {self._launched.file}"))

    def _ended(self) -> None:
        self._post(stream.Notice("info", self._launched.how(self._launched.command.wait() or 0)))
        self.send(stream.Stop())

    def send(self, control: stream.Control) -> None:
        """Pass *control* on to the source."""
        self.source.send(control)

    def stop(self) -> None:
        """End the source."""
        self.source.stop()

"""``ringtop record``: writes the stream of a collector to a file, without a screen."""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from ringtop.bpf import stream
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import as_who_asked
from ringtop.tui.cli.begin import collector, launch
from ringtop.tui.cli.command import Command
from ringtop.tui.cli.session import Session
from ringtop.tui.source.client import Client
from ringtop.tui.source.recording import STANDARD, Recorder, file_name
from ringtop.tui.text.format import several
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe


class Recording(Session):
    """One run of ``record``."""

    def __init__(
        self,
        client: Client,
        options: CollectorOptions,
        recorder: Recorder,
        duration: float | None = None,
        quiet: bool = False,
        command: Command | None = None,
    ) -> None:
        super().__init__(client, options.programs, duration, quiet, command)
        self.events = 0
        self._recorder = recorder
        self._name = _named(recorder.path)

    def hear(self, message: stream.AnyMessage) -> None:
        """Write *message* to the file."""
        self._recorder.write(message)
        if isinstance(message, stream.Round):
            self.events += sum(len(stream.batch(rows)) for rows in message.batches)

    def cut_short(self) -> str:
        """Close the file, delete it if it has no events, and return a message about what was kept."""
        with suppress(OSError):
            self._recorder.close()
        if self.events:
            return f"{self._name} has the events up to then"
        self._recorder.discard()
        return "no event was recorded"

    def finish(self, status: int) -> int:
        """Close the file and print how much was recorded, and who may read it."""
        self._recorder.close()
        mode = "" if self._recorder.path == STANDARD else f", mode {self._recorder.mode:04o}"
        size = several(self._recorder.bytes, "byte")
        self.tell(f"{several(self.events, 'event')} in {self._name} ({size}{mode})")
        return status


def _named(file: Path) -> str:
    return "standard output" if file == STANDARD else safe(str(file))


def run(
    file: Path,
    options: CollectorOptions,
    duration: float | None,
    overwrite: bool,
    mode: int,
    quiet: bool,
    nice: int | None,
    words: Sequence[str] = (),
) -> int:
    """Record and return the exit status. Raises CannotTrace when the collector cannot trace, and click.UsageError."""
    piped = file == STANDARD
    if piped and os.isatty(1):
        raise click.UsageError("a recording is not for a terminal: redirect it to a file, or name a file")
    command = launch(words)
    try:
        with as_who_asked():
            if file.is_dir():
                file /= file_name(platform.node())
            recorder = Recorder(file, overwrite, mode=mode)
    except FileExistsError as e:
        raise click.UsageError(f"{file} exists already: choose another name, or use --overwrite") from e
    except OSError as e:
        raise click.UsageError(f"{file} cannot be written: {e.strerror}") from e
    try:
        with recorder:
            client = collector(options, nice, command)
            return Recording(client, options, recorder, duration, quiet, command).run(1 if piped else 2)
    except OSError as e:
        if piped and e.errno == errno.EPIPE:
            return 0  # its reader has what it wanted
        say(f"{_named(file)} cannot be written: {e.strerror}; it has the events up to then")
        return 1

"""The commands that need a screen: the viewer on a live collector, on a recording, on the demo; and the recorder."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.privilege import may_load
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import Account, become, can_read, chosen, give_up_root
from ringtop.tui.cli.ending import when_told, when_unheard
from ringtop.tui.cli.options import said
from ringtop.tui.settings import config as configuration
from ringtop.tui.settings import state as memory
from ringtop.tui.settings import toml
from ringtop.tui.source import elevate
from ringtop.tui.source.broker import Broker
from ringtop.tui.source.client import ENVIRONMENT, LOCAL, Client, CollectorDied, arguments
from ringtop.tui.source.source import Source
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

DEMO = Path(__file__).with_name("demo.ringtop")


def configured(file: Path | None, given: dict[str, Any]) -> configuration.Config:
    """The config file with the flags that were *given* before it. Raises click.UsageError."""
    try:
        config = configuration.load(file)
        return configuration.override(config, **given)
    except (configuration.ConfigError, ValueError) as e:
        raise click.UsageError(str(e)) from e


def screen() -> str:
    """Why there is no screen to draw on; empty when there is."""
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):  # Textual draws on standard error
        return "not on a terminal"
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return f"the terminal says it is {os.environ.get('TERM') or 'nothing'!r} (TERM)"
    return ""


def view(source: Source, config: configuration.Config, account: Account | None = None) -> int:
    """Show *source*, as *account* if there is one; the exit status."""
    state, why = memory.load() if config.keep_state else (memory.SavedState(), "")
    if why:
        say(why)
    given = _given()
    state = memory.resume(state, config, given)
    themes = toml.sources(configuration.themes_dir(given.get("config")))  # now: the account may not look there
    held = memory.hold() if config.keep_state and account is not None and not account.somebody else None
    if account is not None:
        become(account)
        if not os.access(config.recordings, os.W_OK):
            config = replace(config, recordings=tempfile.gettempdir())

    from ringtop.tui.app.app import Hooks, run  # Textual is large, and not needed to say that there is no screen
    from ringtop.tui.source.replay import ReplaySource

    def keep(state: memory.SavedState) -> str:
        return memory.save(state, held) if config.keep_state else ""

    status = run(source, config, state, Hooks(themes=themes, keep=keep, demo=lambda: ReplaySource(DEMO, label="demo")))
    if why := keep(state):
        say(why)
    return status


def _given() -> dict[str, Any]:
    """Options of the viewer that were given on the command line."""
    context = click.get_current_context(silent=True)
    return said(context.find_root().params) if context is not None else {}


def live(config: configuration.Config) -> int:
    """The viewer on a collector of this machine; without a screen, plain lines."""
    why = screen()
    if why:
        from ringtop.tui.cli import trace

        say(f"{why}: printing events as lines, as `ringtop trace` does")
        return trace.run(trace.TraceOptions(config.collector, display=config.filter))
    from ringtop.tui.source.live import LiveSource

    options = arguments(config.collector)
    account = chosen()
    if account is not None and not can_read(account):
        say(f"{account.name} may not read ringtop's files: the viewer stays root")
        account = None
    if account is not None:
        broker = Broker([*LOCAL, *options], ENVIRONMENT)
        return view(LiveSource(lambda: Client(options, broker=broker)), config, account)
    if may_load():
        return view(LiveSource(lambda: Client(options)), config)
    try:
        first = elevate.start(options)
    except CannotTrace as e:
        cure = f"{e.cure}\n`ringtop demo` shows a recording; it needs neither root nor BPF."
        raise CannotTrace(e.what, e.why, cure) from e
    return view(LiveSource(lambda: elevate.restart(options), first, elevate.ONCE), config)


def replay(file: Path, config: configuration.Config, speed: float = 1.0, label: str = "") -> int:
    """The viewer on a recording."""
    from ringtop.tui.source.replay import ReplaySource

    try:
        source = ReplaySource(file, speed, label)
    except OSError as e:
        raise click.UsageError(f"{file} cannot be read: {e.strerror}") from e
    except stream.StreamError as e:
        raise click.UsageError(f"{file} is no recording: {e}") from e
    if why := screen():
        raise click.UsageError(f"{why}: a replay needs a terminal")
    account = chosen()
    return view(source, config, account if account is not None and can_read(account, file) else None)


def record(file: Path, options: CollectorOptions, duration: float | None, overwrite: bool, quiet: bool) -> int:
    """Write the stream of a collector to *file*, without a screen."""
    from ringtop.tui.source.recording import Recorder

    try:
        recorder = Recorder(file, overwrite)
    except FileExistsError as e:
        raise click.UsageError(f"{file} is there already: choose another name, or say --overwrite") from e
    except OSError as e:
        raise click.UsageError(f"{file} cannot be written: {e.strerror}") from e
    client = Client(arguments(options))
    give_up_root()
    when_told(lambda: client.send(stream.Stop()))
    when_unheard(2, lambda: client.send(stream.Stop()))
    if duration:
        signal.signal(signal.SIGALRM, lambda *_: client.send(stream.Stop()))
    events, name = 0, safe(str(file))
    try:
        with recorder:
            for message in client.messages():
                recorder.write(message)
                if isinstance(message, stream.Round):
                    events += sum(len(stream.batch(rows)) for rows in message.batches)
                elif isinstance(message, stream.State):
                    if message.state == "failed":
                        say(message.reason)
                    elif duration:
                        signal.setitimer(signal.ITIMER_REAL, duration)
    except CollectorDied as e:
        if not events:
            with suppress(PermissionError):
                file.unlink(missing_ok=True)
        e.raise_if_it_cannot_trace()
        said = f"{name} has what came before" if events else "there was nothing to record"
        say(str(e))
        say(said)
        return 1
    except OSError as e:
        say(f"{name} cannot be written: {e.strerror}; it has what came before")
        client.close()
        return 1
    if not quiet:
        say(f"{events:,} events in {name} ({recorder.bytes:,} bytes)")
    return client.close()

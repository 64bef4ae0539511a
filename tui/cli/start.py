"""The commands that need a screen: the viewer on a live collector, on a recording, or on the demo."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringtop.bpf.common import term
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.heap import share_heap
from ringtop.bpf.common.privilege import in_the_hosts_user_namespace, may_load
from ringtop.tui.cli.account import Account, as_who_asked, become, can_read, chosen
from ringtop.tui.cli.begin import giving_way
from ringtop.tui.cli.options import explicit
from ringtop.tui.settings import config as configuration
from ringtop.tui.settings import toml
from ringtop.tui.source.client import ENVIRONMENT, LOCAL, Client, arguments
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ringtop.tui.settings.state import SavedState
    from ringtop.tui.source.broker import Broker
    from ringtop.tui.source.replay import ReplaySource
    from ringtop.tui.source.source import Source

DEMO = Path(__file__).with_name("demo.ringtop")


def configured(file: Path | None, given: dict[str, Any]) -> configuration.Config:
    """The configuration from *file*, overridden by the flags that were *given*. Raises click.UsageError."""
    try:
        with as_who_asked():
            config = configuration.load(file)
        return configuration.override(config, **given)
    except (configuration.ConfigError, ValueError) as e:
        raise click.UsageError(str(e)) from e


def screen() -> str:
    """The reason why there is no screen to draw on; empty when there is one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "standard input or output is not a terminal"
    if term.only_lines():
        return f"the terminal cannot draw a screen (TERM is {safe(term.name()) or 'not set'})"
    return ""


def view(
    sources: Sequence[Source],
    config: configuration.Config,
    account: Account | None = None,
    broker: Broker | None = None,
    programs: Callable[[], tuple[str, ...]] = tuple,
) -> int:
    """Show *sources* in the viewer, as *account* if it is not None; returns the exit status. Recordings belong to the
    account if it is a person's, and else to root, for whom *broker* creates them. *programs* gives the programs
    that have tables; if it gives none, those of *config* have."""
    from ringtop.tui.settings import state as memory  # while the collector starts

    given = _given()
    with as_who_asked():
        state, why = memory.load() if config.keep_state else (memory.SavedState(), "")
        themes = toml.sources(configuration.themes_dir(given.get("config")))  # read now: the account may lack access
    if why:
        say(why)
    state = memory.resume(state, config, given)
    held = memory.hold() if config.keep_state and account is not None and not account.person else None
    give_way = giving_way(config.nice)
    if account is not None:
        become(account)
        if account.person:
            broker = None
        if broker is None and not os.access(config.recordings, os.W_OK):
            config = replace(config, recordings=tempfile.gettempdir())
    if recorded := programs():
        config = replace(config, collector=replace(config.collector, programs=recorded))

    from ringtop.tui.app.app import run  # Textual is large, and not needed without a screen
    from ringtop.tui.app.hooks import Hooks

    def keep(state: SavedState) -> str:
        return memory.save(state, held) if config.keep_state else ""

    hooks = Hooks(themes=themes, keep=keep, demo=_demo, drawn=give_way)
    hooks.create = broker.create if broker is not None else None
    status = run(sources, config, state, hooks)
    if why := keep(state):
        say(why)
    return status


def _demo() -> ReplaySource:
    from ringtop.tui.source.replay import ReplaySource

    return ReplaySource(DEMO, label="demo")


def _given() -> dict[str, Any]:
    """The options of the viewer that were given on the command line."""
    context = click.get_current_context(silent=True)
    return explicit(context.find_root().params) if context is not None else {}


def live(config: configuration.Config, words: tuple[str, ...] = (), hosts: tuple[str, ...] = ()) -> int:
    """Show the events of this machine, or of other *hosts*, in the viewer, or print them as lines when there is no
    screen. With *words*, only those of the command that they are. Raises CannotTrace and CannotLaunch."""
    why = screen()
    if why:
        from ringtop.tui.cli import trace

        say(f"{why}: events are printed as lines, as by `ringtop trace`. Ctrl+C ends it")
        shown = trace.TraceOptions(config.collector, display=config.filter, nice=config.nice)
        return trace.run(replace(shown, command=words, hosts=hosts))
    gc.disable()  # there is no garbage until the first frame, after which the viewer enables it
    share_heap()  # before the first thread
    if hosts:
        return _remote(config, words, hosts)
    launched = None
    if words:
        from ringtop.tui.cli.launching import LaunchingSource, launch_unseen

        launched = launch_unseen(words)
    options = arguments(config.collector, launched.command.pid if launched else 0)
    account = chosen()
    if account is not None and not can_read(account):
        say(f"the user {account.name} may not read ringtop's files: the viewer keeps running as root")
        account = None
    first: Client | None = None
    broker: Broker | None = None
    cure = ""
    if account is not None:
        from ringtop.tui.source.broker import Broker

        broker = Broker([*LOCAL, *options], ENVIRONMENT, _recordings(config))
        begin = partial(Client, options, broker=broker)
    elif may_load() or not in_the_hosts_user_namespace():
        begin = partial(Client, options)
        with suppress(OSError):  # the viewer tries again, and shows why it cannot
            first = begin()
    else:
        from ringtop.tui.source import elevate

        begin, cure = partial(elevate.restart, options), elevate.ONCE
        try:
            first = elevate.start(options)
        except CannotTrace as e:
            other = "`ringtop demo` shows a recording and needs neither root nor BPF."
            raise CannotTrace(e.what, e.why, f"{e.cure}\n{other}") from e

    from ringtop.tui.source.live import LiveSource  # while the collector starts

    source = LiveSource(begin, first, cure)
    if launched is None:
        return view([source], config, account, broker)
    launching = LaunchingSource(source, launched, config.collector.programs)
    return launched.leave(view([launching], config, account, broker))


def _remote(config: configuration.Config, words: tuple[str, ...], hosts: tuple[str, ...]) -> int:
    from ringtop.tui.source.remote import RemoteSource

    if words:
        raise click.UsageError("a command is launched on this machine: leave out --host, or -- and what follows")
    account = chosen()  # who called sudo has a config and keys for ssh; those of root are root's
    who = account if account is not None and account.person and can_read(account) else None
    return view([RemoteSource(host, config.collector) for host in hosts], config, who)


def _recordings(config: configuration.Config) -> Path:
    """The folder for recordings, as it is now; it stays as written where "~name" names no user."""
    folder = Path(config.recordings)
    with suppress(RuntimeError):
        folder = folder.expanduser()
    return folder


def replay(file: Path, config: configuration.Config, speed: float = 1.0) -> int:
    """Show a recording in the viewer."""
    from ringtop.tui.cli.opening import opening
    from ringtop.tui.source.replay import ReplaySource

    with opening(file):
        source = ReplaySource(file, speed)
    return _play(source, config)


def demo(config: configuration.Config) -> int:
    """Show the recording that comes with ringtop in the viewer."""
    return _play(_demo(), config)


def _play(source: ReplaySource, config: configuration.Config) -> int:
    gc.disable()  # as in ``live``
    share_heap()
    if why := screen():
        raise click.UsageError(f"{why}: a replay needs a terminal")
    account = chosen()
    who = account if account is not None and can_read(account) else None
    return view([source], config, who, programs=source.programs)

"""The commands of the command palette: the keys that work now, and what is done to all tables at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import App, SystemCommand
from textual.markup import escape
from textual.screen import Screen

from ringtop.bpf import stream
from ringtop.tui.app.sources import Sources
from ringtop.tui.widgets import keys
from ringtop.tui.widgets.main import Main


def commands(app: App[int], screen: Screen[object]) -> Iterator[SystemCommand]:
    """The keys that work on *screen*, but for the one that opens the palette."""
    for key in keys.listing(screen):
        if key.id != "palette":
            yield SystemCommand(escape(f"{key.about}  ({key.keys})"), escape(key.help), _runner(app, key))


def all_tables(main: Main, sources: Sources) -> Iterator[SystemCommand]:
    """The commands for all tables of *main* at once."""
    hosts = [machine.host for machine in main.running]
    yield SystemCommand(
        "Switch transport of all tables",
        "Switch each table to the transport that is not in use",
        lambda: sources.send(stream.Retune(transport="other"), hosts),
    )
    yield SystemCommand(
        "Compare transports of all tables",
        "Send each event over both transports for some seconds",
        lambda: main.compare([]),
    )


def _runner(app: App[int], key: keys.Key) -> Callable[[], None]:
    async def act() -> None:
        await app.run_action(key.action, key.node)

    def later() -> None:
        app.call_later(act)

    return later

"""The keys that work now as commands of the command palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import App, SystemCommand
from textual.markup import escape
from textual.screen import Screen

from ringtop.tui.widgets import keys


def commands(app: App[int], screen: Screen[object]) -> Iterator[SystemCommand]:
    """The keys that work on *screen*, but for the one that opens the palette."""
    for key in keys.listing(screen):
        if key.id != "palette":
            yield SystemCommand(escape(f"{key.about}  ({key.keys})"), escape(key.help), _runner(app, key))


def _runner(app: App[int], key: keys.Key) -> Callable[[], None]:
    async def act() -> None:
        await app.run_action(key.action, key.node)

    def later() -> None:
        app.call_later(act)

    return later

"""The list of keys that work now, shared by footer, help and command palette."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget

from ringtop.tui.text.text import safe

HELP = Binding("question_mark", "app.help", "Help", key_display="?", id="help", tooltip="Show all keys that work here")
"""The app's key for help; modal screens have it as well, because they see none of the app's keys."""
TRACE = "Capture only this row's process and what it starts, or the whole host again"
UNIT = "Capture only this row's container or unit, or the whole host again"
"""What the keys do that choose whose events are captured."""
FIRST = ("help", "quit", "filter", "hosts", "freeze", "follow", "back", "clear", "retry", "demo")
"""The ids that stay longest in a narrow footer, in this order; of the others, the last are left out first."""
NAMES = {
    "space": "Space",
    "escape": "Esc",
    "esc": "Esc",
    "enter": "Enter",
    "⏎": "Enter",
    "␣": "Space",
    "backspace": "Backspace",
    "⌫": "Backspace",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "home": "Home",
    "end": "End",
    "pgup": "PgUp",
    "pgdn": "PgDn",
    "↑": "Up",
    "↓": "Down",
    "←": "Left",
    "→": "Right",
    "shift+↑": "Shift+Up",
    "shift+↓": "Shift+Down",
}
"""The names of keys for which Textual has another word or a sign."""


@dataclass(frozen=True, slots=True)
class Key:
    """One action and the keys that do it."""

    id: str
    keys: str
    """The keys as a user reads them: 'Space', 'F End'."""
    about: str
    """The action in a word or two."""
    help: str
    """The action in a sentence; ``about`` when there is none."""
    where: str
    """The widget that must have the focus: 'table', 'filter', or '' for any."""
    show: bool
    """Whether the footer shows the key."""
    action: str
    node: DOMNode


def bindings() -> dict[type[DOMNode], list[Binding]]:
    """The bindings of each class of this room, and of those already imported, for which the config can choose keys."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"{__package__}.{module.name}")  # a screen is imported when it is opened
    found: dict[type[DOMNode], list[Binding]] = {}
    classes: list[type[DOMNode]] = [DOMNode]
    while classes:
        cls = classes.pop()
        classes += cls.__subclasses__()
        if cls.__module__.startswith("ringtop."):
            found[cls] = [b for b in vars(cls).get("BINDINGS", ()) if isinstance(b, Binding) and b.id]
    return found


def listing(screen: Screen[Any]) -> list[Key]:
    """Every key that has an id and works on *screen* with the focus where it is; the focused widget's first."""
    found: dict[tuple[str, str], Key] = {}
    for node, binding, _enabled, tooltip in screen.active_bindings.values():
        if not binding.id or binding.system or _typed(screen, node, binding):
            continue
        at = (binding.id, binding.action)
        shown = _display(screen.app, binding)
        if at in found:
            before = found[at]
            keys = f"{before.keys} {shown}"
            found[at] = Key(at[0], keys, before.about, before.help, before.where, before.show, before.action, node)
            continue
        found[at] = Key(
            binding.id,
            shown,
            binding.description,
            tooltip or binding.tooltip or binding.description,
            _where(node),
            binding.show,
            binding.action,
            node,
        )
    return list(found.values())


def footer(keys: list[Key]) -> list[tuple[Key, int]]:
    """The keys for a footer, each with a rank; keys of the highest rank are left out first."""
    shown = [k for k in keys if k.show]
    ranks = {name: i for i, name in enumerate(FIRST)}
    return [(k, ranks.get(k.id, len(FIRST) + i)) for i, k in enumerate(shown)]


def _display(app: App[Any], binding: Binding) -> str:
    shown = app.get_key_display(binding)
    return NAMES.get(shown, safe(shown))


def _typed(screen: Screen[Any], node: DOMNode, binding: Binding) -> bool:
    """Whether the widget in focus takes the key as typed text."""
    focused = screen.focused
    if focused is None or node is focused:
        return False
    shown = binding.key_display or ""
    character = shown if len(shown) == 1 else key_to_character(binding.key)
    return focused.check_consume_key(binding.key, character)


def _where(node: DOMNode) -> str:
    if isinstance(node, Widget) and not isinstance(node, Screen) and node.can_focus:
        return type(node).__name__
    return ""

"""The keys that work on every screen that is not a dialog."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from ringtop.tui.widgets import keys

APP: list[BindingType] = [
    keys.HELP,
    Binding("q", "quit", "Quit", id="quit"),
    Binding("ctrl+c", "quit", "Quit", show=False, priority=True, id="quit_always", system=True),
    Binding("ctrl+l", "redraw", "Redraw", show=False, id="redraw", tooltip="Draw the whole screen again"),
    Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="suspend", tooltip="Go to the shell; `fg` resumes"),
    Binding("R", "record", "Record", id="record", tooltip="Record all events to a file, or stop recording"),
    Binding("T", "themes", "Themes", id="themes", tooltip="Choose a theme, with a preview"),
    Binding(
        "space",
        "replay('toggle')",
        "Play/pause",
        id="play",
        priority=True,
        tooltip="Play or pause; at the end, play again",
    ),
    Binding(
        "comma",
        "replay('step_back')",
        "Back",
        key_display=",",
        id="step_back",
        tooltip="Go back by one round of events",
    ),
    Binding("full_stop", "replay('step')", "Step", key_display=".", id="step", tooltip="Go on by one round of events"),
    Binding("less_than_sign", "replay('slower')", "Slower", key_display="<", id="slower", tooltip="Play more slowly"),
    Binding("greater_than_sign", "replay('faster')", "Faster", key_display=">", id="faster", tooltip="Play faster"),
    Binding("J", "replay('jump')", "Jump", id="jump", tooltip="Go to a time in the recording"),
    Binding("D", "demo", "Demo", id="demo", tooltip="Show a recording that comes with ringtop"),
    Binding("ctrl+p", "command_palette", "Palette", show=False, id="palette", tooltip="Find a command by its name"),
]

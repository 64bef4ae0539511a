"""What is really written to a terminal under NO_COLOR and with the themes that use its own colours."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest

from tests.link.emulator import Emulator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
SCRIPT = """
import sys
from pathlib import Path
from ringtop.tui.app.app import run
from ringtop.tui.settings.config import Config
from ringtop.tui.source.replay import ReplaySource
run([ReplaySource(Path("tui/cli/demo.ringtop"), speed=64)], Config(theme=sys.argv[1]))
"""


def written(theme: str, **environment: str) -> bytes:
    """All that the viewer writes while it plays the demo, walks through its screens and is left."""
    leader, follower = pty.openpty()
    ioctl(leader, TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM", "TERM_PROGRAM")}
    env = {**keep, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **environment}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, theme], stdin=follower, stdout=follower, stderr=follower, env=env, cwd=ROOT
    ) as viewer:
        os.close(follower)
        out = b""
        terminal = Emulator(120, 40)
        # What is waited for on the screen, to come and to go, and what is pressed then. 0:30/ is the end of the demo.
        for come, go, key in (("0:30/", "Keys", "?"), ("Keys", "", "q"), ("COMM", "Keys", "T"), ("Themes", "", "q"),
                              ("COMM", "Themes", "q")):  # fmt: skip
            while come not in (screen := "\n".join(terminal.lines)) or (go and go in screen):
                data = os.read(leader, 1 << 16)
                terminal.feed(data)
                out += data
            os.write(leader, key.encode())
        try:
            while data := os.read(leader, 1 << 16):
                out += data
        except OSError:
            pass  # the other end was closed: all of it was read
    os.close(leader)
    assert viewer.returncode == 0
    return out


def codes(out: bytes) -> set[str]:
    """The parameters of all that sets colours or styles, extended colours as one."""
    found: set[str] = set()
    for match in SGR.finditer(out):
        text = re.sub(r"([34]8)[;:](?:5[;:]\d+|2[;:]\d+[;:]\d+[;:]\d+)", r"\1", match[1].decode())
        found |= set(re.split("[;:]", text))
    return found


COLOURS = {str(n) for n in (*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108))}
EXTENDED = {"38", "48"}


@pytest.mark.parametrize("theme", ["dark", "light", "mono", "ansi"])
def test_no_color_writes_no_colour(theme: str) -> None:
    found = codes(written(theme, NO_COLOR="1"))
    assert found & COLOURS == set()
    assert {"1", "7"} <= found


def test_mono_writes_no_colour() -> None:
    found = codes(written("mono"))
    assert found & COLOURS == set()
    assert {"1", "7"} <= found


def test_ansi_writes_the_terminals_own_colours() -> None:
    found = codes(written("ansi"))
    assert found & EXTENDED == set()
    assert found & COLOURS


def test_dark_writes_all_colours() -> None:
    assert codes(written("dark")) >= EXTENDED


def test_sixteen_colours_keep_red_for_losses_and_failures() -> None:
    """The dark theme's orange would be shown as bright red there."""
    bright_red = {"91", "101"}
    assert codes(written("dark", TERM="linux", COLORTERM="")) & bright_red
    found = codes(written("", TERM="linux", COLORTERM=""))
    assert found & EXTENDED == set()
    assert found & COLOURS
    assert found & bright_red == set()

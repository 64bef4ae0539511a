"""Units of systemd, which lie beside this module and run ``/usr/bin/ringtop``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

UNITS = ("record", "metrics")
_USUAL = "/usr/bin/ringtop"


def unit(which: str) -> str:
    """The unit for the command *which*, one of UNITS; it runs the ringtop that prints it."""
    program = Path(sys.argv[0]).absolute()
    own = str(program) if os.access(program, os.X_OK) else f"{sys.executable} -m ringtop.tui"
    return Path(__file__).with_name(f"ringtop-{which}.service").read_text().replace(_USUAL, own)

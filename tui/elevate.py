"""A collector for who may not trace: asked for through sudo or pkexec, before the screen is taken over."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from ringtop.bpf.errors import CannotTrace
from ringtop.bpf.privilege import PATH
from ringtop.tui.client import LOCAL, Client, CollectorDied


def _way() -> str:
    for name in ("sudo", "pkexec"):
        if found := shutil.which(name, path=PATH):
            return found
    why = "loading BPF programs needs root, and neither sudo nor pkexec is here"
    raise CannotTrace("cannot trace", why, "Run it as root.")


def start(options: Sequence[str]) -> Client:
    """A collector with *options*, once whoever is at the terminal has given a password, if one is asked for. Raises
    CannotTrace when that came to nothing."""
    way = _way()
    client = Client(options, (way, *LOCAL), own_session=False)  # in ours, so that it can ask at our terminal
    try:
        client.begin()
    except CollectorDied as died:
        died.raise_if_it_cannot_trace()
        raise CannotTrace(f"cannot trace through {way}", died.told or died.how, "Run it as root.") from died
    return client


def restart(options: Sequence[str]) -> Client:
    """Another one, while the screen is ours: nothing is asked, and it ends at once where something would have to be."""
    way = _way()
    return Client(options, (way, *(["-n"] if way.endswith("sudo") else []), *LOCAL), own_session=False)

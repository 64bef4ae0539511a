"""A collector for who may not trace: asked for through sudo or pkexec, before the screen is taken over."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.privilege import PATH
from ringtop.tui.source.client import LOCAL, Client, CollectorDied

ONCE = "Where a password is needed: leave with q, and start ringtop again. Nothing can ask for it on this screen."
"""Told when ``restart`` came to nothing."""


def _way() -> str:
    for name in ("sudo", "pkexec"):
        if found := shutil.which(name, path=PATH):
            return found
    why = "loading BPF programs needs root, and neither sudo nor pkexec is here"
    raise CannotTrace("cannot trace", why, "Run it as root.")


def _command(way: str, ask: bool) -> tuple[str, ...]:
    if way.endswith("pkexec"):
        # It can ask by itself, but what polkit is then told comes from another user than the one who is to be asked.
        return (way, "--disable-internal-agent", *LOCAL)
    return (way, *LOCAL) if ask else (way, "-n", *LOCAL)


@contextmanager
def _agent(way: str) -> Iterator[None]:
    """Polkit's own agent, if it is here, to ask for the password at our terminal."""
    agent = shutil.which("pkttyagent", path=PATH) if way.endswith("pkexec") else None
    if agent is None:
        yield
        return
    ready, told = os.pipe()
    process = subprocess.Popen(
        [agent, "--process", str(os.getpid()), "--notify-fd", str(told)],
        stderr=subprocess.DEVNULL,  # that there is no polkit is said by pkexec, too
        pass_fds=[told],
    )
    os.close(told)
    try:
        os.read(ready, 1)  # the end of the file: it is registered, or could not be
        yield
    finally:
        os.close(ready)
        process.terminate()
        process.wait()


def start(options: Sequence[str]) -> Client:
    """A collector with *options*, once whoever is at the terminal has given a password, if one is asked for. Raises
    CannotTrace when that came to nothing."""
    way = _way()
    with _agent(way):
        client = Client(options, _command(way, ask=True), own_session=False)  # in ours, so that it can ask there
        try:
            client.begin()
        except CollectorDied as died:
            died.raise_if_it_cannot_trace()
            raise CannotTrace(f"cannot trace through {way}", died.told or died.how, "Run it as root.") from died
    return client


def restart(options: Sequence[str]) -> Client:
    """Another one, while the screen is ours: nothing is asked, and it ends at once where something would have to be."""
    return Client(options, _command(_way(), ask=False), own_session=False)

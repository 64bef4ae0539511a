"""Elevation: starting a collector through sudo or pkexec, before the screen is taken over, for users who may not
trace."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.privilege import PATH, in_the_hosts_user_namespace, may_load
from ringtop.tui.source.client import LOCAL, Client, CollectorDied
from ringtop.tui.text.say import say

ONCE = "If a password is needed, leave with q and start ringtop again: this screen cannot ask for one."
"""The cure shown when ``restart`` failed."""


def _way() -> str:
    for name in ("sudo", "pkexec"):
        if found := shutil.which(name, path=PATH):
            return found
    why = "loading BPF programs needs root, and neither sudo nor pkexec is installed"
    raise CannotTrace("cannot trace", why, "Run it as root.")


def _command(way: str, ask: bool) -> tuple[str, ...]:
    if way.endswith("pkexec"):
        # pkexec has its own agent, but that agent reports to polkit as another user than the one to be asked.
        return (way, "--disable-internal-agent", *LOCAL)
    return (way, *LOCAL) if ask else (way, "-n", *LOCAL)


def unattended() -> tuple[str, ...]:
    """The command of a collector where nobody can be asked for a password. Where it needs sudo for that, the rule that
    sudo needs is told."""
    if may_load() or not in_the_hosts_user_namespace():
        return LOCAL
    command = _command(_way(), ask=False)
    rule = f"#{os.getuid()} ALL=(root) NOPASSWD: {' '.join(LOCAL)} *"
    say(f"loading BPF programs needs root: the collector is started by {command[0]}. The rule for sudo is\n  {rule}")
    return command


@contextmanager
def _agent(way: str) -> Iterator[None]:
    """Run polkit's own agent, if it is installed, to ask for the password at our terminal."""
    agent = shutil.which("pkttyagent", path=PATH) if way.endswith("pkexec") else None
    if agent is None:
        yield
        return
    ready, registered = os.pipe()
    process = subprocess.Popen(
        [agent, "--process", str(os.getpid()), "--notify-fd", str(registered)],
        stderr=subprocess.DEVNULL,  # pkexec reports a missing polkit, too
        pass_fds=[registered],
    )
    os.close(registered)
    try:
        os.read(ready, 1)  # end of file: the agent is registered, or failed to register
        yield
    finally:
        os.close(ready)
        process.terminate()
        process.wait()


def start(options: Sequence[str]) -> Client:
    """Start a collector with *options*, after the user at the terminal has given a password where one is needed. Raises
    CannotTrace when the collector could not be started."""
    way = _way()
    with _agent(way):
        client = Client(options, _command(way, ask=True), own_session=False)  # in our session, to ask at our terminal
        try:
            client.begin()
        except CollectorDied as died:
            died.raise_if_it_cannot_trace()
            raise CannotTrace(f"cannot trace through {way}", died.errors or died.how, "Run it as root.") from died
    return client


def restart(options: Sequence[str]) -> Client:
    """Start another collector while the screen is in use. No password can be asked for then, so the collector ends at
    once where one is needed."""
    return Client(options, _command(_way(), ask=False), own_session=False)

"""A collector on another host, through the user's own OpenSSH: the command, and what its failures mean."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from ringtop.bpf.common.errors import CANNOT_TRACE

_NAME = re.compile(r"(?:[\w.+-]+@)?(?!-)[\w.:%\[\]-]+|ssh://[\w.:%@\[\]+-]+", re.ASCII)
_OPTIONS = {
    "BatchMode": "yes",  # nothing can be asked for here: it fails at once
    "LogLevel": "ERROR",  # its errors must be readable, whatever the user's config says
    # What the user's config has for a login must not get in the way of a command.
    "RemoteCommand": "none",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
}
_FAILED = 255
"""The exit status of ssh where the connection failed, not the command."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no stream from a host."""

    what: str
    cure: str = ""
    lasting: bool = False
    """Whether it is no use to try again."""


_FAILURES = {
    r"Permission denied \(|Too many authentication failures": Failure(
        "ssh was refused: none of your keys is accepted there, and no password can be asked for here",
        "Have `ssh {host} true` work without a question: by `ssh-copy-id {host}`, by ssh-add where a key has a "
        "passphrase, or by a connection that is shared (ControlMaster in ssh_config(5)).",
        lasting=True,
    ),
    r"REMOTE HOST IDENTIFICATION HAS CHANGED": Failure(
        "its ssh host key has changed",
        "If it was installed anew, run `ssh-keygen -R {name}`, and `ssh {host}` once. If not, somebody may be in "
        "between.",
        lasting=True,
    ),
    r"Host key verification failed|host key is known": Failure(
        "its ssh host key is not known here", "Run `ssh {host}` once, and compare the key.", lasting=True
    ),
    r"Could not resolve hostname": Failure(
        "ssh cannot find a host of that name", "Check the name, or add it to ~/.ssh/config."
    ),
    r"ssh: connect to host": Failure(
        "no connection could be made",
        "See that its ssh server runs, and that nothing is in the way: `ssh {host} true`.",
    ),
    r"Bad configuration option|Bad owner or permissions|terminating, \d+ bad": Failure(
        "ssh cannot read its config", "Run `ssh {host} true`, and mend what it tells.", lasting=True
    ),
    r"sudo: .*(password|terminal|not allowed)|may not run sudo|not in the sudoers|authentication agent": Failure(
        "loading BPF programs there needs root, and sudo would ask for a password",
        "Log in there as root, or allow sudo to start the collector without one, as said above.",
        lasting=True,
    ),
}
"""What OpenSSH and sudo say, and what it means."""


def check(host: str) -> None:
    """Raises ValueError unless *host* is a name for ssh: it must never be taken for an option or for shell text."""
    if len(host) > 255 or not _NAME.fullmatch(host):
        raise ValueError(f"{host!r:.80} is not the name of a host: give HOST, USER@HOST or ssh://USER@HOST:PORT")


def command(host: str, options: Sequence[str]) -> list[str]:
    """The command line that runs a collector with *options* on *host*."""
    settings = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-T", *settings, "--", host, shlex.join(["ringtop", "collect", *options])]


def failure(host: str, status: int, errors: str) -> Failure:
    """What it means that the command for *host* ended with *status*, having said *errors*, which is untrusted text."""
    name = host.removeprefix("ssh://").rpartition("@")[2]
    errors = errors.replace("\r\n", "\n")  # as ssh ends its lines
    for pattern, known in _FAILURES.items():
        if re.search(pattern, errors):
            return Failure(known.what, "\n".join((errors, known.cure.format(host=host, name=name))), known.lasting)
    ours = metadata.version("ringtop")
    match status:
        case 127 | 126:
            install = f"Install ringtop {ours} there, so that `ssh {host} ringtop --version` finds it"
            why = "ringtop is not installed there, or not in a folder where ssh looks for commands"
            return Failure(why, f"{errors}\n{install}: a link in /usr/local/bin helps.", lasting=True)
        case 2:
            same = f"It may be of another version: `ssh {host} ringtop --version` must say {ours}, as here."
            return Failure("the collector there does not know these options", f"{errors}\n{same}", lasting=True)
        case _ if status == CANNOT_TRACE:
            return Failure("it cannot trace", errors.removeprefix("ringtop: "), lasting=True)
        case _ if status == _FAILED:
            return Failure("the connection broke off", errors)
    return Failure(f"its collector ended (exit status {status})", errors)

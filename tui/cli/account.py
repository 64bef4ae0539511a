"""The account that ringtop continues under when root started it: the user who called sudo, or else an unused id.

Only the collector needs root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringtop import themes
from ringtop.bpf.common import privilege


@dataclass(frozen=True, slots=True)
class Account:
    """A user account that the process can change to."""

    name: str
    uid: int
    gid: int
    home: str

    person: bool = True
    """Whether it is a user's, with a home directory of their own."""


def chosen() -> Account | None:
    """The account to run under; None when this process is not root's. For SUDO_UID=0 it is nobody's, too."""
    if os.geteuid() != 0:
        return None
    uid = os.environ.get("SUDO_UID", "")
    if uid.isdecimal() and 0 < int(uid) < 1 << 31:
        try:
            found = pwd.getpwuid(int(uid))
        except KeyError:
            return Account(uid, int(uid), privilege.NOBODY, "/")
        return Account(found.pw_name, found.pw_uid, found.pw_gid, found.pw_dir)
    unused = privilege.unused_id()
    return Account(f"of uid {unused}", unused, unused, "/", person=False)


@contextmanager
def as_who_asked() -> Iterator[None]:
    """Open files meanwhile with the rights and the HOME of the user who called sudo, if this process is root's and
    there is one: root's rights are for tracing alone. Call it before threads are started."""
    account = chosen()
    if account is None or not account.person:
        yield
        return
    before, groups = dict(os.environ), os.getgroups()
    _take_home(account)
    os.setgroups(os.getgrouplist(account.name, account.gid) if not account.name.isdecimal() else [])
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
        os.environ.clear()
        os.environ.update(before)


def _take_home(account: Account) -> None:
    """Have HOME be the account's, and no variable name another folder of another user."""
    for name in [name for name in os.environ if name.startswith(("XDG_", "SUDO_"))]:
        del os.environ[name]
    os.environ["HOME"] = account.home


def can_read(account: Account) -> bool:
    """Whether *account* may read the code and data that are still to be loaded: a checkout or a Python in /root, for
    example, is closed to it. A child process tries it and exits."""
    spec = importlib.util.find_spec("textual")
    files = [Path(__file__), Path(themes.__file__).parent / "ringtop.tcss", Path(os.__file__)]
    files += [Path(spec.origin)] if spec and spec.origin else []
    child = os.fork()
    if child == 0:
        try:
            privilege.drop((), account.uid, account.gid)
            os._exit(0 if all(os.access(file, os.R_OK) for file in files) else 1)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def give_up_root() -> None:
    """Change root's process to the chosen account, if that account can read ringtop's own files."""
    account = chosen()
    if account is not None and can_read(account):
        become(account)


def become(account: Account) -> None:
    """Change this process to *account* for good, with its HOME and without XDG_ and SUDO_ variables. Raises OSError."""
    privilege.drop((), account.uid, account.gid)
    _take_home(account)

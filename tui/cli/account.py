"""Whose account reads events when root started ringtop: who called sudo, else nobody. Only the collector needs more."""

from __future__ import annotations

import importlib.util
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from ringtop import themes
from ringtop.bpf.common import privilege


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become."""

    name: str
    uid: int
    gid: int
    home: str

    @property
    def somebody(self) -> bool:
        """A person, with a home of their own."""
        return self.uid != privilege.NOBODY


def chosen() -> Account | None:
    """The account to run under; None when this is not root's process. Root's own SUDO_UID is nobody as well."""
    if os.geteuid() != 0:
        return None
    uid = os.environ.get("SUDO_UID", "")
    if uid.isdecimal() and 0 < int(uid) < 1 << 31:
        try:
            found = pwd.getpwuid(int(uid))
        except KeyError:
            return Account(uid, int(uid), privilege.NOBODY, "/")
        return Account(found.pw_name, found.pw_uid, found.pw_gid, found.pw_dir)
    return Account("nobody", privilege.NOBODY, privilege.NOBODY, "/")


def can_read(account: Account, *others: Path) -> bool:
    """Whether *account* may read the code and data that are still to be read, and *others*: a checkout in /root is
    closed to it. Tried in a process that is thrown away."""
    spec = importlib.util.find_spec("textual")
    files = [Path(__file__), Path(themes.__file__).parent / "ringtop.tcss", *others]
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
    """Become the chosen account, if root's process can without missing its own files."""
    account = chosen()
    if account is not None and can_read(account):
        become(account)


def become(account: Account) -> None:
    """For good. Raises OSError."""
    privilege.drop((), account.uid, account.gid)
    for name in [name for name in os.environ if name.startswith(("XDG_", "SUDO_"))]:
        del os.environ[name]
    os.environ["HOME"] = account.home

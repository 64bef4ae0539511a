"""A user called watcher, who may start anything through sudo and needs no password."""

from __future__ import annotations

from pathlib import Path


def as_watcher(folder: Path, default: str = "!use_pty", allowed: str = "ALL") -> list[str]:
    """The beginning of a command that runs as this user. Only its own processes see the user and the sudoers file,
    which are made in *folder*; *default* is one of sudo's settings, *allowed* the command that sudo runs."""
    (folder / "sudoers").write_text(f"Defaults !fqdn,{default}\nwatcher ALL=(root) NOPASSWD: {allowed}\n")
    (folder / "sudoers").chmod(0o440)
    (folder / "passwd").write_text(f"{Path('/etc/passwd').read_text()}watcher:*:4242:4242::/tmp:/bin/sh\n")
    (folder / "passwd").chmod(0o644)
    mounts = "".join(f"mount --bind {folder}/{name} /etc/{name} && " for name in ("sudoers", "passwd"))
    shell = f'{mounts}exec setpriv --reuid=4242 --regid=4242 --clear-groups "$@"'
    return ["unshare", "--mount", "sh", "-c", shell, "sh"]

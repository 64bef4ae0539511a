"""Deletions whose paths start from all kinds of places."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

from tests.kernel.loads import die_with_parent

_NEW_NAMESPACE, _PRIVATE, _BIND, _DETACH = 0x20000, 0x44000, 0x1000, 2  # include/uapi/linux/{sched,mount}.h
_LEVELS = range(1, 13)
_BAD = 1000
"""A descriptor that is not open."""
_libc = ctypes.CDLL(None, use_errno=True)


def delete_from_places(folder: Path) -> tuple[int, list[tuple[str, str]]]:
    """Try 23 deletions from places in *folder*, in a child with a mount namespace of its own. Returns its pid,
    and for each the path that is given and the full path that is meant."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            die_with_parent()
            _delete(folder)
            status = 0
        except OSError as e:
            print(e, file=sys.stderr)
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    deep = [("file", f"{_level(folder, level)}/file") for level in (*_LEVELS, 15)]
    return pid, [
        *deep,
        (f"{folder}/file", f"{folder}/file"),
        (f"{folder}/./file"[1:], f"{folder}/./file"),
        ("file", f"{folder}/bound/file"),
        ("file", f"{folder}/merged/file"),
        (f"{folder}/gone", f"{folder}/gone"),
        ("file", f"{folder}/gone (deleted)/file"),
        ("file", "/(unreachable)/inner/file"),
        ("file", "file"),
        ("/etc/file", f"{folder}/jail/etc/file"),
        ("file", f"{folder}/jail/file"),
    ]


def _delete(folder: Path) -> None:
    _call("unshare", _NEW_NAMESPACE)
    _call("mount", None, "/", None, _PRIVATE, None)
    for level in _LEVELS:
        here = os.open(_file(_level(folder, level)), (os.O_RDONLY, os.O_PATH)[level % 2])
        os.unlink("file", dir_fd=here)
        os.close(here)
    os.chdir(_file(_level(folder, 15)))
    os.unlink("file")

    os.unlink(_file(folder) / "file")
    _file(folder)
    os.chdir("/")
    os.unlink(f"{folder}/./file"[1:])

    _file(folder / "bound").rename(folder / "original")
    (folder / "bound").mkdir()
    _call("mount", f"{folder}/original", f"{folder}/bound", None, _BIND, None)
    os.chdir(folder / "bound")
    os.unlink("file")

    memory, merged = folder / "memory", folder / "merged"
    _file(folder / "lower")
    for one in (memory, merged):
        one.mkdir()
    _call("mount", "t", f"{memory}", "tmpfs", 0, None)
    for one in ("upper", "work"):
        (memory / one).mkdir()
    layers = f"lowerdir={folder}/lower,upperdir={memory}/upper,workdir={memory}/work"
    _call("mount", "o", f"{merged}", "overlay", 0, layers)
    os.chdir(merged)
    os.unlink("file")

    (folder / "gone").mkdir()
    os.chdir(folder / "gone")
    (folder / "gone").rmdir()
    with suppress(FileNotFoundError):
        os.unlink("file")
    os.chdir(_file(memory / "inner"))
    _call("umount2", f"{memory}", _DETACH)
    os.unlink("file")
    with suppress(OSError):
        os.unlink("file", dir_fd=_BAD)

    _file(folder / "jail/etc")
    os.chroot(_file(folder / "jail"))
    os.unlink("/etc/file")
    os.chdir("/")
    os.unlink("file")


def _level(folder: Path, level: int) -> Path:
    """A folder so many levels below *folder*."""
    return folder.joinpath(*map(str, range(level)))


def _file(folder: Path) -> Path:
    """*folder*, with a new file in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file").touch()
    return folder


def _call(name: str, *arguments: str | int | None) -> None:
    if getattr(_libc, name)(*(a.encode() if isinstance(a, str) else a for a in arguments)):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")

"""Tries a rung before it is used where its hooks are kernel functions, whose arguments may change between kernels."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.event.batch import Batch

Deleted = set[tuple[str, bytes]]
"""Each operation (a word of the field ``op``), and the path that it deleted."""


def delete_something() -> Deleted:
    """Make a file and a folder, and delete them. Returns what was deleted. Raises CannotTrace."""
    try:
        with tempfile.TemporaryDirectory(prefix="ringtop-") as name:
            file, folder = Path(name) / "file", Path(name) / "folder"
            file.touch()
            file.unlink()
            folder.mkdir()
            folder.rmdir()
    except OSError as e:
        cure = f"Make {tempfile.gettempdir()} writable, with space for a file."
        raise CannotTrace("the kernel's functions could not be tested", str(e), cure) from e
    return {("unlink", bytes(file)), ("rmdir", bytes(folder))}


def judge(deleted: Deleted, reported: Batch) -> None:
    """Raises CannotTrace unless every path that was *deleted* is in the events *reported*."""
    ops = map(reported.schema["op"].word, reported.rows["op"].tolist())
    if missing := deleted - set(zip(ops, reported.text("path"), strict=True)):
        what = ", ".join(sorted(op for op, _ in missing))
        why = f"ringtop deleted a file and a folder of its own, and no event had the path of the {what}"
        raise CannotTrace("this kernel's functions have other arguments", why, "Nothing to do: other hooks are used.")

"""A rung is tried before it is used where its hooks are functions of the kernel, whose arguments are no promise."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.event.batch import Batch

Deleted = set[tuple[str, bytes]]
"""What was done (a word of the field ``op``), and to which path."""


def delete_something() -> Deleted:
    """Make a file and a folder, and delete them. Raises CannotTrace."""
    try:
        with tempfile.TemporaryDirectory(prefix="ringtop-") as name:
            file, folder = Path(name) / "file", Path(name) / "folder"
            file.touch()
            file.unlink()
            folder.mkdir()
            folder.rmdir()
    except OSError as e:
        cure = f"Give it room for a file in {tempfile.gettempdir()}."
        raise CannotTrace("the kernel's functions could not be tried", str(e), cure) from e
    return {("unlink", bytes(file)), ("rmdir", bytes(folder))}


def judge(deleted: Deleted, told: Batch) -> None:
    """Raises CannotTrace unless all that was *deleted* was *told*."""
    ops = map(told.schema["op"].word, told.rows["op"].tolist())
    if untold := deleted - set(zip(ops, told.text("path"), strict=True)):
        what = ", ".join(sorted(op for op, _ in untold))
        why = f"tried with a file and a folder of ringtop's own, the path of {what} was not told"
        raise CannotTrace("this kernel's functions have other arguments", why, "Nothing to do: other hooks are used.")

"""Short names of events, for a bar on a time line."""

from __future__ import annotations

from ringtop.bpf.event.batch import Batch
from ringtop.tui.text.text import PROGRAMS


def titles(batch: Batch) -> list[str]:
    """The name of each event, as safe text: the program that was started, or what was done to a file and its path, or
    else the name of the task."""
    schema = batch.schema
    fields = [schema[name] for name in schema.json]
    args = next((f for f in fields if f.kind == "args"), None)
    path = next((f for f in fields if f.kind == "path"), None)
    if args is not None and args.file:
        names = [name.rpartition(b"/")[2] for name in batch.text(args.file)]
    else:
        names = batch.text(path.name if path is not None else "comm")
    shown = list(map(PROGRAMS.visible, names))
    for field in fields:
        if field.kind == "enum":
            words = map(field.word, batch.rows[field.part].tolist())
            shown = [f"{word} {text}" for word, text in zip(words, shown, strict=True)]
    return shown

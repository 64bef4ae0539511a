"""Recordings of older versions, whose events lack fields that ours have, or have them wider."""

from __future__ import annotations

import re

import msgspec
import numpy as np

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.culprit import blamed
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.stream.codec import dtypes
from ringtop.bpf.stream.frames import StreamError
from ringtop.bpf.stream.messages import AnyMessage, Hello, Round, Rows

_PADDING = {"_unused": np.dtype("<u4")}
"""Parts that held nothing."""
_KIND = re.compile(r"[<|](?:[ui][1248]|S[1-9][0-9]?)")
Layouts = dict[str, np.dtype[np.void]]


class Older:
    """Gives the messages of a recording our layouts. A field that its events lack is 0, the value for what is not
    known."""

    def __init__(self) -> None:
        self._layouts: Layouts | None = None
        """The sender's, where they are not ours."""

    def renew(self, message: AnyMessage) -> AnyMessage:
        """Return *message* with our layouts. Raises StreamError."""
        if isinstance(message, Hello):
            self._layouts = None if message.dtypes == dtypes() else _layouts(message)
            return msgspec.structs.replace(message, dtypes=dtypes())
        if isinstance(message, Round) and self._layouts is not None:
            layouts = self._layouts
            return msgspec.structs.replace(message, batches=[_renewed(rows, layouts) for rows in message.batches])
        return message


def _layouts(hello: Hello) -> Layouts:
    found = {program: _layout(program, parts) for program, parts in hello.dtypes.items()}
    layouts = {program: layout for program, layout in found.items() if layout is not None}
    if not found or len(layouts) < len(found):
        raise StreamError(f"its events have another layout: replay it with ringtop {hello.version[:20]!r}")
    return layouts


def _layout(program: str, parts: list[list[str]]) -> np.dtype[np.void] | None:
    """The layout of *parts*; None where it does not fit into ours, or has so few that ours would take much more
    memory."""
    ours = SCHEMAS[program].dtype if program in SCHEMAS else np.dtype([])
    kinds = _PADDING | {name: ours[name] for name in ours.names or ()}
    fields = {part[0]: part[1] for part in parts if len(part) == 2 and part[0] in kinds and _KIND.fullmatch(part[1])}
    if len(fields) < len(parts) or not all(np.can_cast(kind, kinds[n], "same_kind") for n, kind in fields.items()):
        return None
    layout = np.dtype(list(fields.items()))
    return layout if 2 * layout.itemsize > ours.itemsize else None


def _renewed(rows: Rows, layouts: Layouts) -> Rows:
    layout = layouts.get(rows.program)
    if layout is None or len(rows.rows) % layout.itemsize:
        raise StreamError(f"{len(rows.rows)} bytes are not whole rows of {rows.program!r}")
    old = np.frombuffer(rows.rows, layout)
    new = np.zeros(len(old), SCHEMAS[rows.program].dtype)
    for name in set(layout.names or ()) - set(_PADDING):
        new[name] = old[name]
    batch = Batch(rows.program, new, rows.tails)
    if "culprit_pid" not in (layout.names or ()):
        batch = blamed(batch)
    return Rows(rows.program, batch.rows.tobytes(), rows.tails)

"""Encoding of messages, batches included, to bytes, and decoding."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.names import UNNAMED, Names
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.stream.frames import LENGTH, StreamError
from ringtop.bpf.stream.messages import MOST_GROUPS, AnyMessage, Cgroups, Control, Hello, Message, Rows

_encoder = msgspec.msgpack.Encoder()
_any = msgspec.msgpack.Decoder(AnyMessage)
_control = msgspec.msgpack.Decoder(Control)


def encode(message: Message) -> bytes:
    """Return *message* as one frame."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def decode(body: bytes) -> AnyMessage:
    """Return the message in a frame's body. Raises StreamError."""
    try:
        message: AnyMessage = _any.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise StreamError(f"damaged message: {e}") from e
    return message


def decode_control(body: bytes) -> Control:
    """Return the control message in a frame's body. Raises StreamError."""
    try:
        message: Control = _control.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise StreamError(f"bad control message: {e}") from e
    return message


def rows(batch: Batch) -> Rows:
    """Return *batch* as a ``Rows``."""
    return Rows(batch.program, batch.rows.tobytes(), batch.tails)


def batch(rows: Rows, names: Names = UNNAMED, host: int = 0) -> Batch:
    """Return the batch in a ``Rows``, with the *names* that its stream has told, of the *host* with this number where
    several are read. Raises StreamError when it does not fit the program's layout."""
    schema = SCHEMAS.get(rows.program)
    if schema is None:
        raise StreamError(f"events of an unknown program {rows.program!r}")
    if len(rows.rows) % schema.dtype.itemsize:
        raise StreamError(f"{len(rows.rows)} bytes are not whole rows of {rows.program} ({schema.dtype.itemsize} each)")
    found = np.frombuffer(rows.rows, schema.dtype)
    if host:
        found = found.copy()
        found["host"] = host
    return Batch(rows.program, found, rows.tails, names)


def learn(message: Cgroups, names: Names, host: int = 0) -> None:
    """Enter what *message* tells in *names*, for the stream of the *host* with this number."""
    for cgroup, path, named in message.groups:
        names.tell(cgroup, path, named, host)


def cgroups(names: Names, host: int = 0) -> Iterator[Cgroups]:
    """Return what the stream of the *host* with this number has told so far, in messages like its own."""
    told = [(group.cgroup, group.cgroup_path, group.named) for group in names.told(host)]
    for at in range(0, len(told), MOST_GROUPS):
        yield Cgroups(told[at : at + MOST_GROUPS])


def check(hello: Hello) -> None:
    """Check that the sender's events have our layouts. Raises StreamError."""
    if hello.dtypes != dtypes():
        raise StreamError(f"the stream comes from ringtop {hello.version}, which lays out events differently")


def dtypes() -> dict[str, list[list[str]]]:
    """Return our layouts, as ``Hello.dtypes`` holds them."""
    return {name: [[part[0], part[1]] for part in s.dtype.descr] for name, s in SCHEMAS.items()}

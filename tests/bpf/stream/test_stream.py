"""The stream: what was sent arrives however it is cut, and nothing but a StreamError comes of anything else."""

from __future__ import annotations

import contextlib
import itertools
import struct
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.stream import MAGIC, Frames, StreamError, decode, decode_control, encode
from tests.samples import batches


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of the type of a message's field."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is list:
        return st.lists(values(inner[0]), max_size=3)
    if origin is tuple:
        return st.tuples(*map(values, inner))
    if origin is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, inner))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = {name: values(hint) for name, hint in get_type_hints(kind).items() if name[0] != "_"}
        return st.builds(kind, **hints | {name: st.sampled_from(list(SCHEMAS)) for name in hints if name == "program"})
    simple: dict[Any, st.SearchStrategy[Any]] = {
        int: st.one_of(st.integers(-100, 300), st.integers(-(1 << 63), (1 << 64) - 1)),
        str: st.text(max_size=12),
        bytes: st.binary(max_size=40),
        bool: st.booleans(),
        float: st.floats(allow_nan=False),
        type(None): st.none(),
    }
    return simple[kind]


MESSAGES = values(stream.AnyMessage)
CONTROLS = values(stream.Control)


def cuts(data: bytes, at: list[int]) -> list[bytes]:
    """*data* in pieces, cut where *at* says (anywhere, if need be at its end)."""
    edges = [0, *sorted(min(a, len(data)) for a in at), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


CUTS = st.lists(st.integers(0, 3000), max_size=12)


@given(st.lists(MESSAGES, max_size=6), CUTS, st.booleans(), st.integers(0, 3000))
def test_what_is_sent_arrives(messages: list[stream.AnyMessage], at: list[int], magic: bool, missing: int) -> None:
    bodies = [encode(m) for m in messages]
    data = (MAGIC if magic else b"") + b"".join(bodies)
    frames = Frames(magic=magic)
    got = []
    for piece in cuts(data, at):
        got += list(frames.feed(piece))
    assert [decode(body) for body in got] == messages
    assert frames.offset == len(data)

    short = data[: max(len(data) - missing, 0)]
    frames = Frames(magic=magic)
    got = list(frames.feed(short))
    whole = [len(MAGIC) * magic]
    for body in bodies:
        whole.append(whole[-1] + len(body))
    assert frames.offset == max((w for w in whole if w <= len(short)), default=0)
    assert [decode(body) for body in got] == messages[: sum(w <= len(short) for w in whole[1:])]


@given(st.lists(CONTROLS, max_size=6), CUTS)
def test_controls_arrive(messages: list[stream.Control], at: list[int]) -> None:
    frames = Frames(magic=False, limit=64 << 10)
    got = []
    for piece in cuts(b"".join(map(encode, messages)), at):
        got += [decode_control(body) for body in frames.feed(piece)]
    assert got == messages


def read_anyhow(data: bytes, at: list[int], magic: bool) -> None:
    """As the viewer and the collector do; only StreamError may come of it."""
    frames = Frames(magic=magic)
    with contextlib.suppress(StreamError):
        for piece in cuts(data, at):
            for body in frames.feed(piece):
                with contextlib.suppress(StreamError):
                    decode_control(body)
                with contextlib.suppress(StreamError):
                    use(decode(body))
    assert 0 <= frames.offset <= len(data)


def use(message: stream.AnyMessage) -> None:
    if isinstance(message, stream.Hello):
        stream.check(message)
    if isinstance(message, stream.Round):
        for rows in message.batches:
            batch = stream.batch(rows)
            for name in batch.schema.tail:
                batch.text(name)


@given(st.binary(max_size=80), CUTS, st.booleans(), st.sampled_from([b"", MAGIC, MAGIC + struct.pack("<I", 20)]))
def test_garbage(data: bytes, at: list[int], magic: bool, head: bytes) -> None:
    read_anyhow(head + data, at, magic)
    for reader in (decode, decode_control):
        with contextlib.suppress(StreamError):
            reader(data)


@given(
    st.lists(MESSAGES, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), min_size=1, max_size=4),
    CUTS,
)
def test_flipped_bits(messages: list[stream.AnyMessage], flips: list[tuple[int, int]], at: list[int]) -> None:
    data = bytearray(MAGIC + b"".join(map(encode, messages)))
    for where, bits in flips:
        data[where % len(data)] ^= bits
    read_anyhow(bytes(data), at, magic=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80",  # no type
        b"\x81\xa4type\xa3end",  # no reason
        b"\x81\xa4type\xa6nobody",
        b"\x82\xa4type\xa3end\xa6reason\xc2",
        b"\x82\xa4type\xa3end\xa6reason\xa1\xff",  # no UTF-8
        b"\x82\xa4type\xa3end\xa6reason\xdb\xff\xff\xff\xff",
        b"\x82\xa4type\xa3end\xa1x" + b"\x91" * 100_000,  # nested deeper than any stack
        b"\x82\xa4type\xa3end\xa1x" + b"\x81" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        b"\x82\xa4type\xa3end\x90\x90",  # a key that is no text
        b"\x82\xa4type\xa4stop\xa1x\xd6\xff\xff\xff\xff\xff",
    ],
)
def test_bodies_that_are_no_message(body: bytes) -> None:
    with pytest.raises(StreamError):
        decode(body)
    if b"stop" not in body:
        with pytest.raises(StreamError):
            decode_control(body)


def test_fields_of_a_later_version_are_passed_over() -> None:
    body = msgspec.msgpack.encode({"type": "end", "reason": "done", "later": [1, {"x": b"y"}]})
    assert decode(body) == stream.End("done")


@given(st.integers(0, 200), st.integers(0, 0xFFFF_FFFF), st.booleans())
@example(10, 11, True)
@example(10, 10, False)
def test_a_length_over_the_limit_is_refused_before_its_message(limit: int, size: int, magic: bool) -> None:
    start = MAGIC + encode(stream.Stop()) if magic else b""
    frames = Frames(magic=magic, limit=max(limit, len(start)))
    head = start + struct.pack("<I", size)
    pieces = [bytes([b]) for b in head]
    for piece in pieces[:-1]:
        list(frames.feed(piece))
    if size <= max(limit, len(start)):
        assert list(frames.feed(pieces[-1])) == ([b""] if size == 0 else [])
        return
    with pytest.raises(StreamError, match=f"at byte {len(start)}: a message of {size} bytes"):
        list(frames.feed(pieces[-1]))
    assert frames.offset == len(start)


@given(st.binary(min_size=1, max_size=12))
@example(b"ringtop\x02")
@example(b"ringtop")
@example(b"Last login: Mon")
def test_another_signature_is_refused_at_its_first_wrong_byte(data: bytes) -> None:
    frames = Frames()
    for i in range(len(data)):
        if i >= len(MAGIC):
            return
        if data[i] == MAGIC[i]:
            assert list(frames.feed(data[i : i + 1])) == []
            continue
        with pytest.raises(StreamError, match="version" if i == len(MAGIC) - 1 else "signature"):
            list(frames.feed(data[i : i + 1]))
        return


@given(batches(), st.integers(1, 80))
def test_batches_travel_as_they_are(batch: Any, short: int) -> None:
    rows = stream.Rows(batch.program, batch.rows.tobytes(), batch.tails)
    message = stream.Round(1, 2, [rows])
    (body,) = Frames(magic=False).feed(encode(message))
    got = decode(body)
    assert isinstance(got, stream.Round)
    received = stream.batch(got.batches[0])
    assert received.program == batch.program
    assert received.rows.dtype == batch.rows.dtype
    assert received.rows.tobytes() == batch.rows.tobytes()
    assert received.tails == batch.tails

    cut = msgspec.structs.replace(rows, rows=rows.rows + bytes(short))
    assert short < batch.rows.dtype.itemsize
    with pytest.raises(StreamError, match="not whole rows"):
        stream.batch(cut)
    with pytest.raises(StreamError, match="unknown program 'opensnoop'"):
        stream.batch(msgspec.structs.replace(rows, program="opensnoop"))


def hello(dtypes: dict[str, list[list[str]]]) -> stream.Hello:
    return stream.Hello("h", "6.1", "x86_64", "9.9", [0], list(SCHEMAS), 1, 0, dtypes)


def test_the_layouts_that_are_sent_are_the_ones_that_are_checked() -> None:
    (body,) = Frames(magic=False).feed(encode(hello(stream.dtypes())))
    received = decode(body)
    assert isinstance(received, stream.Hello)
    stream.check(received)
    for name, schema in SCHEMAS.items():
        assert np.dtype([(n, t) for n, t in received.dtypes[name]]) == schema.dtype


@given(st.sampled_from(list(SCHEMAS)), st.data())
def test_another_layout_is_refused(program: str, data: st.DataObject) -> None:
    layout = stream.dtypes()
    fields = layout[program]
    i = data.draw(st.integers(0, len(fields) - 1))
    match data.draw(st.sampled_from(["rename", "retype", "remove", "swap", "forget", "more"])):
        case "rename":
            fields[i][0] += "x"
        case "retype":
            fields[i][1] = "<u1"
        case "remove":
            del fields[i]
        case "swap":
            fields.insert(0, fields.pop())
        case "forget":
            del layout[program]
        case "more":
            layout["other"] = fields
    with pytest.raises(StreamError, match=r"ringtop 9\.9, which lays out events differently"):
        stream.check(hello(layout))

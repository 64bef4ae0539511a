"""The collector's side of the pipe, on real pipes with slow readers."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.collector import outbox
from ringtop.bpf.collector.outbox import CannotWrite, Outbox
from ringtop.bpf.stream import MAGIC, End, Frames, Message, Notice, Stop, decode, encode

F_SETPIPE_SZ = 1031


class Pipe:
    """A pipe of one page with an outbox at its write end."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, F_SETPIPE_SZ, 4096)
        os.set_blocking(self.read_end, False)
        self.out = Outbox(self.write_end)

    def read(self, most: int) -> bytes:
        try:
            return os.read(self.read_end, most) if most else b""
        except BlockingIOError:
            return b""

    def close(self) -> None:
        for fd in (self.read_end, self.write_end):
            if fd >= 0:
                os.close(fd)

    def close_read_end(self) -> None:
        os.close(self.read_end)
        self.read_end = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.one_of(st.integers(0, 50), st.integers(0, 20_000))),
        st.tuples(st.just("read"), st.one_of(st.integers(0, 50), st.integers(0, 20_000))),
        st.tuples(st.just("flush"), st.just(0)),
    ),
    max_size=30,
)


@given(STEPS, st.integers(1, 9000))
def test_a_slow_reader_gets_every_byte_in_order(steps: list[tuple[str, int]], pace: int) -> None:
    pipe = Pipe()
    try:
        sent: list[Message] = []
        got = b""
        for what, number in steps:
            match what:
                case "put":
                    sent.append(Notice("info", chr(ord("a") + len(sent) % 26) * number))
                    pipe.out.put(sent[-1])
                case "read":
                    got += pipe.read(number)
                case "flush":
                    pipe.out.flush()
            whole = MAGIC + b"".join(map(encode, sent))
            assert whole.startswith(got)
        # Once flushed, nothing waits if and only if the reader has, or the pipe holds, everything.
        pipe.out.flush()
        while not pipe.out.empty:
            piece = pipe.read(pace)
            assert piece
            got += piece
            pipe.out.flush()
        while piece := pipe.read(pace):
            got += piece
        assert got == MAGIC + b"".join(map(encode, sent))
        assert [decode(body) for body in Frames().feed(got)] == sent
        assert pipe.out._bytes == 0
    finally:
        pipe.close()


def test_the_magic_is_on_its_way_with_the_first_message(pipe: Pipe) -> None:
    assert not pipe.out.empty
    pipe.out.put(End("done"))
    assert pipe.out.empty
    assert pipe.read(1000) == MAGIC + encode(End("done"))


def test_full_until_the_reader_takes_enough(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LIMIT", 10_000)
    total = len(MAGIC)
    while not pipe.out.full:
        frame = Notice("info", "x" * 100)
        total += len(encode(frame))
        pipe.out.put(frame)
        assert pipe.out.full == (total - 4096 >= 10_000)  # what the pipe holds does not wait
    taken = pipe.read(4096)
    assert pipe.out.full  # until it is flushed
    pipe.out.flush()
    assert not pipe.out.full
    while not pipe.out.empty:
        taken += pipe.read(4096)
        pipe.out.flush()
    assert len(taken + pipe.read(4096)) == total
    assert not pipe.out.full


def test_a_frame_larger_than_the_pipe_waits_in_part(pipe: Pipe) -> None:
    pipe.out.put(Notice("info", "y" * 300_000))
    pipe.out.put(Stop())
    got = b""
    while not pipe.out.empty:
        got += pipe.read(1 << 16)
        pipe.out.flush()
    got += pipe.read(1 << 16)
    assert got == MAGIC + encode(Notice("info", "y" * 300_000)) + encode(Stop())


def test_a_reader_that_is_gone_is_told_of(pipe: Pipe) -> None:
    pipe.out.put(End("1"))
    pipe.close_read_end()
    with pytest.raises(BrokenPipeError):
        pipe.out.put(End("2"))
    assert not pipe.out.empty


def test_a_disk_without_room_is_told_of() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(CannotWrite, match=r"No space left.*\n.*room"):
        Outbox(full.fileno()).flush()

"""A control message is refused for what the collector's options are refused for, and for nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ringtop.bpf import stream
from ringtop.bpf.change.changes import Changes
from ringtop.bpf.common.sizes import LARGEST, MOST_EVENTS, PAGE
from ringtop.bpf.filter.capture import KEEP_ALL
from ringtop.bpf.kernel.marks import HOST
from ringtop.bpf.options.kinds import BufferSize, Seconds, Wakeup
from ringtop.bpf.transport.setting import Setting

WAKEUPS = ["timer", "adaptive", "every", "batch:1", "batch:1000000", f"batch:{MOST_EVENTS}"]
WAKEUPS += ["batch", "batch:0", f"batch:{MOST_EVENTS + 1}", "Timer", "timer:1", "never"]
SIZES = [1, PAGE - 1, PAGE, 3 * PAGE, 1 << 20, (1 << 20) + 1, LARGEST, 2 * LARGEST]
SECONDS = [-1.0, 0.0, 0.5, 3600.0, 3600.5]


class Opened(Exception):
    """The change is possible: its buffers are opened."""


class Ways:
    """A ring buffer is in use, and whoever wants another way gets as far as opening it."""

    used = SimpleNamespace(setting=Setting("ringbuf", 1 << 20, "timer"), transport="ringbuf")

    def open(self, setting: Setting, counters: object, copies: bool = False) -> None:
        """It could be had."""
        raise Opened


@pytest.fixture
def changes() -> Changes:
    """Of a program that is not in any kernel."""
    loaded = SimpleNamespace(
        program="execsnoop", configure=lambda _: None, counters=lambda: None, see_failures=lambda _: None
    )
    capture = SimpleNamespace(compiled=KEEP_ALL, scope=HOST)
    return Changes(loaded, Ways(), capture, 0, "")  # type: ignore[arg-type]


def refused(act: object, *arguments: object) -> bool:
    """Whether it is refused."""
    try:
        act(*arguments)  # type: ignore[operator]
    except ValueError:
        return True
    except Opened:
        pass
    return False


@pytest.mark.parametrize("text", WAKEUPS)
def test_a_wakeup_mode(changes: Changes, text: str) -> None:
    assert refused(changes.retune, stream.Retune(wakeup=text)) == refused(Wakeup().read, text)


@pytest.mark.parametrize("size", SIZES)
def test_the_size_of_a_buffer(changes: Changes, size: int) -> None:
    assert refused(changes.retune, stream.Retune(buffer_bytes=size)) == refused(BufferSize().read, size)


@pytest.mark.parametrize("seconds", SECONDS)
def test_the_length_of_a_comparison(changes: Changes, seconds: float) -> None:
    assert refused(changes.compare, seconds) == refused(Seconds().read, str(seconds))


def test_both_kinds_of_answers_were_seen() -> None:
    for reader, texts in ((Wakeup(), WAKEUPS), (BufferSize(), SIZES), (Seconds(), list(map(str, SECONDS)))):
        assert {refused(reader.read, text) for text in texts} == {True, False}

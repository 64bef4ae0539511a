"""When frames may leave, and what is said of a link, by a clock that is turned by hand."""

from __future__ import annotations

import pytest

from ringtop.tui.terminal.link import LATE_S, PATIENCE_S, RECENT_S, SILENT_S, Link

pytestmark = pytest.mark.beside


class Hand:
    """A clock."""

    now = 100.0

    def __call__(self) -> float:
        """What it says."""
        return self.now


@pytest.fixture
def hand() -> Hand:
    """Turn it."""
    return Hand()


@pytest.fixture
def link(hand: Hand) -> Link:
    """A link whose terminal has answered, after 20 ms."""
    link = Link(hand)
    link.draw()
    link.leave(1000)
    hand.now += 0.02
    link.answer()
    return link


def send(link: Link, size: int) -> None:
    """A frame."""
    link.draw()
    link.leave(size)
    link.written()


def test_a_fast_link(link: Link, hand: Hand) -> None:
    """Nothing waits, and nothing is said."""
    for _ in range(20):
        send(link, 3000)
        hand.now += 0.02
        link.answer()
        assert link.free()
        assert not link.limits
    assert link.lag == pytest.approx(0.02)


def test_a_long_link(hand: Hand) -> None:
    """Answers that always take long are not late: the next frame does not wait for them."""
    link = Link(hand)
    send(link, 1000)
    for _ in range(8):
        hand.now += 0.25
        assert link.free()
        send(link, 1000)
        hand.now += 0.05
        link.answer()
    assert not link.limits


def test_a_first_answer_that_comes_after_more_frames(hand: Hand) -> None:
    """Every answer is waited for: one that comes when nobody reads any more would be taken for keys."""
    link = Link(hand)
    for _ in range(3):
        send(link, 1000)
        hand.now += 0.1
    for _ in range(3):
        assert not link.settled
        link.answer()
    assert link.settled
    send(link, 1000)
    hand.now += 0.3
    assert not link.settled
    link.answer()
    assert link.settled
    assert link.lag == pytest.approx(0.3)


def test_a_thin_link(link: Link, hand: Hand) -> None:
    """One frame at a time; rate and lag are known, and told for a while after."""
    for _ in range(10):
        send(link, 5000)
        hand.now += 0.25
        link.draw()
        assert not link.free()
        hand.now += 0.27
        link.answer()
        assert link.free()
        link.leave(5000)
        hand.now += 0.52
        link.answer()
    assert link.limits
    assert link.rate == pytest.approx(10_000, rel=0.01)
    assert link.lag == pytest.approx(0.27 + 0.52)
    hand.now += RECENT_S
    assert not link.limits


def test_a_stalled_link(link: Link, hand: Hand) -> None:
    """Frames wait for it, but not for ever: the question may be lost."""
    send(link, 2000)
    hand.now += 0.02 + LATE_S / 2
    assert link.free()
    hand.now += LATE_S
    assert not link.free()
    hand.now += PATIENCE_S - 1
    assert not link.free()
    assert link.lag > PATIENCE_S - 1
    hand.now += 1
    assert link.free()
    assert link.settled
    send(link, 1000)
    hand.now += 0.02
    link.answer()
    assert not link.limits


def test_no_answers(hand: Hand) -> None:
    """A terminal that never answers holds nothing up by that; it does when it does not take what is written."""
    link = Link(hand)
    for _ in range(5):
        link.draw()
        assert link.free()
        link.leave(1000)
        hand.now += 0.01
        link.written()
    assert not link.limits
    link.draw()
    link.leave(1000)
    hand.now += 0.5
    link.written()
    assert link.limits
    assert link.rate < 5000
    hand.now += SILENT_S
    assert link.settled


def test_an_answer_too_many(link: Link) -> None:
    """Nobody asked: a key that looks like an answer."""
    link.answer()
    assert link.settled

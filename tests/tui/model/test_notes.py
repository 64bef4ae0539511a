"""What stands between rows after a change of transport and after a comparison."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ringtop.bpf.stream import Changed, Compared, Period
from ringtop.tui.model import notes
from ringtop.tui.text.glyphs import ASCII, UNICODE

RING = Period("ringbuf", 256 << 10, "timer", 256 << 10, 10.2, 1000, 0, 0, 20, 10**6, [0] * 7 + [1000])
PERF = replace(RING, transport="perfbuf", buffer_bytes=128 << 10, inversions=3, dropped=5)
CHANGED = Changed(
    "runqslower", RING, "perfbuf", 128 << 10, "timer", 0, 3_100_000, 41, 0, [(0, 88213, 88214), (1, 77, 78)]
)
COMPARED = Compared("runqslower", RING, PERF, 0, "ringbuf", "it loses less")


def test_a_switch_of_transport() -> None:
    assert notes.text(CHANGED, 2, UNICODE) == (
        "ring buffer 256 KiB → perf buffers 2x128 KiB, 0 lost, 3.10 ms, 41 in flight; "
        "seq 88213 → 88214 on CPU 0, 77 → 78 on CPU 1"
    )
    assert not notes.bad(CHANGED)


def test_a_hole_between_the_numbers_is_explained() -> None:
    """The last event may have been received long before the change, and others lost since."""
    after = replace(CHANGED, cpus=[(0, 100, 186_854), (1, 77, 78)])
    assert notes.text(after, 2, UNICODE).endswith("77 → 78 on CPU 1; 186,753 between these were lost before it")
    assert "lost before" not in notes.text(replace(after, dropped=186_753), 2, UNICODE)


def test_only_what_changed_is_told() -> None:
    woken = replace(CHANGED, transport="ringbuf", buffer_bytes=256 << 10, wakeup="every", cpus=[])
    assert notes.text(woken, 2, UNICODE) == "wakeup timer → every, 0 lost, 3.10 ms, 41 in flight"
    larger = replace(woken, buffer_bytes=1 << 20, wakeup="timer")
    assert notes.text(larger, 2, UNICODE).startswith("ring buffer 256 KiB → ring buffer 1 MiB, 0 lost")
    both = replace(CHANGED, wakeup="every")
    assert "perf buffers 2x128 KiB, wakeup timer → every, 0 lost" in notes.text(both, 2, UNICODE)


def test_of_many_cpus_a_few_are_told_and_those_without_numbers_are_not() -> None:
    many = replace(CHANGED, cpus=[(0, -1, -1), (1, -1, 0), (2, 5, -1), *((c, 7, 8) for c in range(3, 64))])
    said = notes.text(many, 64, UNICODE)
    assert said.endswith("; seq none → 0 on CPU 1, 5 → none on CPU 2, 7 → 8 on CPU 3, … 60 more CPUs")
    assert "64x128 KiB" in said


def test_a_comparison() -> None:
    said = "compared for 10 s, choose: ring buffer, because it loses less"
    assert notes.text(COMPARED, 2, UNICODE) == said
    assert not notes.bad(COMPARED)
    broken = replace(COMPARED, residual=3)
    assert notes.text(broken, 2, UNICODE) == f"{said}; 3 copies unaccounted"
    assert notes.bad(broken)


def test_the_report_weighs_a_larger_buffer() -> None:
    assert notes.larger(COMPARED) == ""
    alike = replace(COMPARED, used=replace(RING, dropped=9), other=replace(PERF, dropped=9))
    assert notes.larger(alike) == "a larger buffer may lose less: press +: 512 KiB"
    more = replace(PERF, dropped=0, memory_bytes=1 << 20)
    roomier = replace(COMPARED, used=replace(RING, dropped=9), other=more)
    assert notes.larger(roomier).startswith("the other has 4 times the memory: with +, this one can have 1 MiB")
    little = replace(COMPARED, used=replace(RING, dropped=9), other=replace(more, memory_bytes=RING.memory_bytes + 1))
    assert "this one can have 512 KiB" in notes.larger(little)


@pytest.mark.parametrize("size", [0, -1, -(1 << 63)])
def test_the_report_of_a_size_that_no_buffer_has_ends(size: int) -> None:
    used = replace(RING, dropped=9, buffer_bytes=size)
    more = replace(PERF, dropped=0, memory_bytes=1 << 20)
    assert "this one can have" in notes.larger(replace(COMPARED, used=used, other=more))


def test_losses_are_bad_news() -> None:
    assert notes.bad(replace(CHANGED, dropped=1))
    assert not notes.bad("collector restarted")


@pytest.mark.parametrize("note", [CHANGED, COMPARED, replace(CHANGED, cpus=[(c, 1, 2) for c in range(9)])])
def test_ascii_and_text_of_the_stream(note: notes.Note) -> None:
    assert notes.text(note, 2, ASCII).isascii()
    evil = replace(COMPARED, why="\x1b[2Jyes"), replace(CHANGED, wakeup="\x1b[2Jbatch")
    assert not any("\x1b" in notes.text(e, 2, UNICODE) for e in evil)

"""The demo that is shipped: whole, small, of nobody's processes but its own, and with something of everything in it."""

from __future__ import annotations

from ringtop.bpf import stream
from ringtop.bpf.event.schema import usual
from ringtop.tui.source.player import index
from ringtop.tui.source.recording import read
from tests.make_demo import LIMIT, TARGET, batches, check, clean

READING = read(TARGET)
MESSAGES = list(READING)


def test_it_is_whole_and_small() -> None:
    assert READING.damage is None
    assert TARGET.stat().st_size < LIMIT
    found = index(TARGET)
    assert found is not None
    assert 20 < found.duration_ns / 1e9 < 40


def test_it_shows_everything() -> None:
    events = batches(MESSAGES)
    assert {b.program for b in events} == set(usual())
    stats = [m for m in MESSAGES if isinstance(m, stream.Stats)][-1]
    for program in stats.programs:
        for cpu in program.cpus:
            assert cpu.emitted == cpu.received + sum(cpu.dropped.values())
    assert sum(sum(c.dropped.values()) for p in stats.programs for c in p.cpus)
    assert any((b.rows["ret"] < 0).any() for b in events if b.program == "execsnoop")
    assert any(b"\x1b" in path for b in events if b.program == "unlinksnoop" for path in b.text("path"))


def test_there_is_nothing_of_anybody_else_in_it() -> None:
    check(MESSAGES)
    pids = {int(pid) for b in batches(MESSAGES) for pid in b.rows["pid"].tolist()}
    assert [clean(m, pids) for m in MESSAGES] == MESSAGES

"""The ledger at the end, as JSON."""

from __future__ import annotations

from ringtop.bpf import stream
from ringtop.tui.lines.summary import lines, summarize


def test_a_call_that_ends_on_another_cpu_is_followed() -> None:
    cpus = [
        stream.CpuStats(cpu, 23, 0, 23, 23, {}, 0, 0, 0, 0, 0, 0, untracked=untracked)
        for cpu, untracked in ((0, -2), (1, 5))
    ]
    part = stream.ProgramStats("unlinksnoop", "ringbuf", cpus, 0, 4096, 0, [0] * 28, 0)
    ledger = summarize(stream.Stats(1, 0, [part], 0, 0), {})["unlinksnoop"]
    assert ledger["untracked"] == 3
    assert ledger["received"] == 46
    assert [cpu["received"] for cpu in ledger["per_cpu"]] == [23, 23]
    assert not any("untracked" in cpu for cpu in ledger["per_cpu"])


def test_the_waits_reported_are_told_of_all_and_the_scope_of_a_program() -> None:
    part = stream.ProgramStats("runqslower", "ringbuf", [], 0, 4096, 0, [0] * 28, 0, waits=stream.Waits(3, [23]))
    said = lines(summarize(stream.Stats(1, 0, [part], 0, 0), {}))
    assert any("3 of 23 waits (13%) were reported" in line for line in said)
    made = stream.State("runqslower", "running", scope="make (4711) and what it starts")
    told = summarize(stream.Stats(1, 0, [part], 0, 0), {"runqslower": made})
    assert told["runqslower"]["scope"] == "make (4711) and what it starts"

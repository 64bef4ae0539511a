"""A culprit is named only where it took more of a wait than anything else did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.culprit import IDLE, MOVED, SHORT, UNRECORDED, blamed
from tests.samples import make

SHARES = st.lists(st.integers(0, 20), min_size=5, max_size=5)


@given(st.lists(SHARES, max_size=7))
def test_what_took_most_is_told(waits: list[list[int]]) -> None:
    parts = ("culprit_share", "others_share", "idle_share", "short_share", "moved_share")
    seen = [{"culprit_pid": 7, "culprit_comm": b"hog"} | dict(zip(parts, wait, strict=True)) for wait in waits]
    batch = blamed(make("runqslower", seen))
    for row, (hog, others, idle, short, moved) in zip(batch.rows, waits, strict=True):
        took = {IDLE: idle, SHORT: short, MOVED: moved, UNRECORDED: 100 - hog - others - idle - short - moved}
        most = max(took.values())
        if hog > most:
            assert (row["culprit_pid"], row["culprit_comm"], row["culprit_share"]) == (7, b"hog", hog)
        else:
            assert (row["culprit_pid"], row["culprit_share"]) == (0, most)
            assert took[row["culprit_comm"]] == most
        assert [row[part] for part in parts[1:]] == [others, idle, short, moved], "nothing is scaled"


def test_a_process_among_many_is_the_culprit() -> None:
    """What other processes took is known, too."""
    (row,) = blamed(
        make("runqslower", [{"culprit_pid": 7, "culprit_comm": b"hog", "culprit_share": 22, "others_share": 77}])
    ).rows
    assert (row["culprit_pid"], row["culprit_comm"], row["culprit_share"]) == (7, b"hog", 22)


def test_other_programs_have_none() -> None:
    execs = make("execsnoop", [{"pid": 1}])
    assert blamed(execs) is execs

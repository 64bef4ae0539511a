"""The player: everything once, in order, at its time, whatever is pressed."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.source import player as player_module
from ringtop.tui.source import seek
from ringtop.tui.source.player import LEAD_NS, SPEEDS, Player, Timeline, index, parse_time
from tests.tui.source.recordings import SECOND, START, WALL, hello, messages, round_at, write

ALL = messages(4, 2)
"""Rounds at 0, 0.5, 1, 1.5, … statistics at 0.99, 1.99, …; the last one is at 3.99."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "a.ringtop", ALL)


def count_to(second: float) -> int:
    """Messages of ALL up to *second*."""
    timeline = Timeline()
    places = [timeline.place(m) for m in ALL]
    return sum(p <= second * SECOND for p in places)


def test_messages_come_at_their_time(path: Path) -> None:
    player = Player(path, now=100)
    got = player.due(100)
    assert got == ALL[:3]  # hello, the state, the round at 0
    assert player.wait_s() == 0.5
    assert player.due(100.4) == []
    assert player.wait_s() == pytest.approx(0.1)
    assert player.due(100.5) == [ALL[3]]
    assert player.due(101.6) == ALL[4:7]
    assert player.position_ns == 1_600_000_000
    assert player.wall_ns == WALL + START + 1_600_000_000
    assert player.due(104) == ALL[7:]
    assert player.ended
    assert player.damage is None
    assert player.duration_ns == player.position_ns == 3_990_000_000
    assert player.wait_s() is None


@pytest.mark.parametrize("speed", SPEEDS)
def test_speed(path: Path, speed: float) -> None:
    player = Player(path, speed=speed)
    assert len(player.due(2 / speed)) == count_to(2)


def test_speed_can_change_on_the_way(path: Path) -> None:
    player = Player(path)
    player.due(1)
    player.faster(1)
    assert player.speed == 2
    player.due(1.5)
    assert player.position_ns == 2 * SECOND
    player.slower(1.5)
    player.slower(1.5)
    player.due(3.5)
    assert player.position_ns == 3 * SECOND
    for _ in range(20):
        player.faster(3.5)
    assert player.speed == 64
    for _ in range(20):
        player.slower(3.5)
    assert player.speed == 0.25


def test_pause_stops_time(path: Path) -> None:
    player = Player(path)
    player.due(1)
    player.toggle(1)
    assert player.due(50) == []
    assert player.wait_s() is None
    player.toggle(60)
    player.due(60.5)
    assert player.position_ns == 1_500_000_000


def test_playing_again_at_the_end_starts_anew(path: Path) -> None:
    player = Player(path)
    assert player.due(10) == ALL
    assert not player.playing
    assert player.toggle(20) is True
    assert player.due(20) == ALL[:3]
    assert player.due(30) == ALL[3:]


def test_stepping_gives_one_round_at_a_time(path: Path) -> None:
    player = Player(path)
    player.due(0)
    assert player.step(0) == [ALL[3]]
    assert not player.playing
    assert player.step(0) == ALL[4:6]  # statistics on the way come along
    assert player.position_ns == SECOND
    while not player.ended:
        player.step(0)
    assert player.step(0) == []


def test_stepping_over_rounds_without_events(tmp_path: Path) -> None:
    what = [hello(), round_at(0), *(round_at(i / 10, count=0) for i in range(1, 10)), round_at(2), stream.End("x")]
    player = Player(write(tmp_path / "a", what))
    player.due(0)
    assert player.step(0)[-1] == round_at(2)


def test_stepping_back(path: Path) -> None:
    player = Player(path)
    player.due(1.6)
    assert player.step_back(1.6) is True
    got = player.due(1.6)
    assert got == ALL[: count_to(1)]
    assert player.step_back(1.6) is True
    assert player.due(1.6)[-1] == ALL[3]
    for _ in range(5):
        player.step_back(1.6)
        player.due(1.6)
    assert player.position_ns == 0
    assert player.step(1.6) == [ALL[3]]


def test_jumping_forward_gives_what_lies_between(path: Path) -> None:
    player = Player(path)
    first = player.due(0)
    assert player.jump(2 * SECOND, 0) is False
    assert player.behind
    assert first + player.due(0) == ALL[: count_to(2)]
    assert player.playing


def test_jumping_back_starts_anew(path: Path) -> None:
    player = Player(path)
    player.due(3)
    assert player.jump(SECOND, 3) is True
    assert player.due(3) == ALL[: count_to(1)]
    assert player.jump(-5 * SECOND, 3) is True
    assert player.due(3) == ALL[:3]


LONG = messages(200, 1)


def as_of_an_older_version(message: stream.AnyMessage) -> stream.AnyMessage:
    """*message* with rows of execsnoop that lack the last field, which is 0 in ours."""
    if isinstance(message, stream.Hello):
        layouts = stream.dtypes()
        return structs.replace(message, dtypes=layouts | {"execsnoop": layouts["execsnoop"][:-1]})
    if not isinstance(message, stream.Round):
        return message
    dtype = SCHEMAS["execsnoop"].dtype
    names = list(dtype.names or ())[:-1]
    whole = [np.frombuffer(rows.rows, dtype) for rows in message.batches]
    old = [np.array(list(rows[names].tolist()), [(n, dtype[n]) for n in names]).tobytes() for rows in whole]
    return structs.replace(
        message, batches=[structs.replace(rows, rows=data) for rows, data in zip(message.batches, old, strict=True)]
    )


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("step", [0.5, 4.0], ids=["few frames", "many frames"])
def test_a_jump_far_passes_over_what_lies_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: float, older: bool
) -> None:
    monkeypatch.setattr(seek, "FRAME_BYTES", 64)
    monkeypatch.setattr(seek, "_NEAR", 1 << 20)
    monkeypatch.setattr(player_module, "FAR_BYTES", 1)
    path = write(tmp_path / "a.ringtop", [as_of_an_older_version(m) if older else m for m in LONG], step=step)
    with path.open("rb") as file:
        player = Player(path, file=file)
        player.due(0)
        for to in (150, 30, 199, 80):
            assert player.jump(to * SECOND, 0) is True
            given = player.due(0)
            said = given.index(next(m for m in given if isinstance(m, stream.Notice)))
            assert given[:said] == LONG[:2]  # the collector's hello, the program's state
            last = LONG.index(round_at(to, seed=to))
            first = LONG.index(given[said + 1])
            assert given[said + 1 :] == LONG[first : last + 1]
            assert last - 2 * 30 < first <= last - 2 * LEAD_NS // SECOND
            assert player.position_ns == to * SECOND
            assert player.wall_ns == WALL + START + to * SECOND
        assert player.jump(81 * SECOND, 0) is False
        assert player.due(0)[-1] == round_at(81, seed=81)
        assert player.jump(0, 0) is True
        assert player.due(0) == LONG[:3]


def test_jumping_past_the_end_ends(path: Path) -> None:
    for known in (None, index(path)):
        player = Player(path)
        player.index = known
        player.jump(1 << 70, 0)
        assert player.due(0) == ALL
        assert player.ended
        assert player.position_ns == 3_990_000_000


def test_a_jump_comes_in_pieces_and_time_waits_for_it(path: Path) -> None:
    player = Player(path)
    player.jump(3 * SECOND, 0)
    got: list[stream.AnyMessage] = []
    pieces = 0
    while player.behind:
        got += player.due(pieces * 100.0, limit=1)
        pieces += 1
    assert got == ALL[: count_to(3)]
    assert pieces == len(got)  # each counts more than a byte
    assert player.position_ns == 3 * SECOND


def test_another_hello_continues(tmp_path: Path) -> None:
    """The collector was started again, on a clock that began anew (a reboot)."""
    later = stream.Hello("web-1", "6.1", "x", "1", [0], [], 8, WALL + START + 3600 * SECOND, stream.dtypes())
    again = stream.Stats(5 * SECOND, later.wall_offset_ns, [], 1, 1)
    more = stream.Stats(6 * SECOND, later.wall_offset_ns, [], 1, 1)
    what = [hello(), round_at(0), round_at(2), later, again, more, stream.End("x")]
    player = Player(write(tmp_path / "a", what))
    assert player.due(2) == what[:5]
    assert player.wall_ns == WALL + START + 3605 * SECOND
    assert player.due(3) == what[5:]
    player.index = index(player.path)
    assert player.timeline().find(WALL + START + 1 * SECOND) == SECOND
    assert player.timeline().find(WALL + START + 1800 * SECOND) == 2 * SECOND
    assert player.timeline().find(WALL + START + 3606 * SECOND) == 3 * SECOND
    assert player.timeline().find(0) == 0


@pytest.mark.parametrize("times", [[5, 3, 4], [1 << 63, 1], [-(1 << 62), 7], [0, (1 << 64) - 1]])
def test_times_that_cannot_be_do_no_harm(tmp_path: Path, times: list[int]) -> None:
    what = [hello(), *(stream.Round(0, t, round_at(0).batches) for t in times), stream.End("x")]
    player = Player(write(tmp_path / "a", what))
    player.jump(1 << 63, 0)
    assert player.due(0) == what
    player.step_back(0)
    with pytest.raises(ValueError, match="not a time"):
        parse_time("x", player)
    parse_time("50%", player)


def test_damage_is_told_at_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
    player = Player(path)
    got = player.due(100)
    assert got == ALL[: len(got)]
    assert player.ended
    assert player.damage is not None
    found = index(path)
    assert found is not None
    assert found.damage == player.damage


def test_an_index_can_be_given_up(path: Path) -> None:
    assert index(path, lambda: True) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("90", 90),
        ("1.5s", 1.5),
        ("1m30s", 90),
        ("1h1m", 3660),
        ("+1s", 3),
        ("-0.5s", 1.5),
        (" +2 ", 4),
        ("50%", 1.995),
        ("0%", 0),
        ("22:13:22", 2),
        ("22:13:21.5", 1.5),
        ("22:14", 40),
        ("22:13", 0),
        ("1:00:00", 2 * 3600 + 46 * 60 + 40),
    ],
)
def test_times_that_can_be_written(path: Path, text: str, seconds: float) -> None:
    player = Player(path)
    player.index = index(path)
    player.due(2)
    assert parse_time(text, player, UTC) == seconds * SECOND


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_was_set_meanwhile_is_followed(tmp_path: Path, hours: int) -> None:
    """As when the host's time was corrected, or the host was suspended."""
    set_at, step = 2 * SECOND + START, hours * 3600 * SECOND
    recorded = [
        structs.replace(m, wall_offset_ns=WALL + step) if isinstance(m, stream.Stats) and m.ts_ns > set_at else m
        for m in ALL
    ]
    player = Player(path := write(tmp_path / "a", recorded))
    player.index = index(path)
    player.due(0)
    player.due(1.5)
    assert player.wall_ns == WALL + START + 1_500_000_000
    player.due(3.5)
    assert player.wall_ns == WALL + START + 3_500_000_000 + step
    assert parse_time(f"{22 + hours}:13:23.5", player, UTC) == 3_500_000_000


@pytest.mark.parametrize("text", ["", "x", "25:00", "10:61", "%", "1s1m", "+", "--1", "1:2:3:4", "nan", "1e5", "٣s"])
def test_times_that_cannot_be_read_say_what_can(path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"write 14:03:20"):
        parse_time(text, Player(path))


COMMANDS = ["toggle", "faster", "slower", "step", "step_back", "jump", "wait", "wait", "wait"]


@given(st.lists(st.tuples(st.sampled_from(COMMANDS), st.integers(0, 5 * SECOND)), max_size=40))
def test_whatever_is_pressed_nothing_is_missed_or_doubled(
    tmp_path_factory: pytest.TempPathFactory, commands: list[tuple[str, int]]
) -> None:
    """What was given since the last start is always a prefix of the recording, and holds all up to the position."""
    player = Player(write(tmp_path_factory.mktemp("play") / "a", ALL), speed=1)
    got: list[stream.AnyMessage] = []
    now = 0.0
    for command, value in commands:
        anew = False
        if command == "wait":
            now += value / SECOND
        elif command == "jump":
            anew = player.jump(value, now)
        elif command == "step":
            got += player.step(now)
        else:
            anew = getattr(player, command)(now) is True and command != "faster"
        if anew:
            got = []
        got += player.due(now)
        assert got == ALL[: len(got)]
        assert len(got) >= count_to(player.position_ns / SECOND - 1e-6)
        assert player.ended == (len(got) == len(ALL))
    player.close()

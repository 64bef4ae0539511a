"""Streams and recordings made to do harm: all that comes of them is damage that is told, in bounded time and memory."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.draw import cells, ranks, side
from ringtop.tui.lines import summary
from ringtop.tui.model import completion, notes
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.process import profile
from ringtop.tui.source.inbox import Inbox
from ringtop.tui.source.player import CHUNK, Player
from ringtop.tui.source.recording import ZSTD_MAGIC, read
from ringtop.tui.text import glyphs, text
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.top import Top
from ringtop.tui.widgets import report
from ringtop.tui.widgets.drops import Drops
from ringtop.tui.widgets.header import Header
from ringtop.tui.widgets.title import Title
from tests.bpf.stream.test_stream import MESSAGES
from tests.make_demo import TARGET
from tests.safety import assert_safe
from tests.samples import batches
from tests.tui.source.recordings import hello, write_plain

FEW = list(read(TARGET))[:24]
PLAIN = stream.MAGIC + b"".join(map(stream.encode, FEW))
SOME = st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 4, b"\xdd\xff\xff\xff\xff", b"\x00\x00\x00\x04"])
CHANGE = st.tuples(st.integers(8, len(PLAIN)), st.integers(0, 200), st.just(b"") | SOME)
CHANGES = st.lists(CHANGE, min_size=1, max_size=5)
FILTER = language.parse("pid>1 or comm~a or ret<0 or latency>1")


def changed(raw: bytes, changes: Iterable[tuple[int, int, bytes]]) -> bytes:
    """*raw* with some of its bytes replaced by more or fewer others."""
    for at, length, new in changes:
        raw = raw[:at] + new + raw[at + length :]
    return raw


def look(messages: Iterable[stream.AnyMessage]) -> None:
    """Take the *messages* as the viewer does, and look at all that it would show of them."""
    inbox, model, top = Inbox(1 << 20), Model(tuple(SCHEMAS), 1 << 20), Top()
    inbox.listen(top.hear)
    views = [View(table) for table in model.store.tables.values()]
    for i, message in enumerate(messages):
        inbox.post(message)
        for entry, _ in inbox.drain():
            model.take(entry)
        for view in views:
            view.scan(1 << 12)
        if i == 3:
            views[0].filter(lambda batch: language.match(FILTER, batch))
        match message:
            case stream.Changed() | stream.Compared():
                assert_safe(notes.text(message, 2, glyphs.UNICODE))
            case stream.Stats():
                for line in summary.lines(summary.summarize(message, model.machine.states)):
                    assert_safe(text.safe(line))
        if isinstance(message, stream.Compared):
            for line in report.text(message).plain.split("\n"):
                assert_safe(line)
    for drops in (Drops(model), Header(model, glyphs.UNICODE, "x", None)):
        for part in (*drops.parts(), *drops.ending()):
            assert_safe(part.text)
    for view in views:
        table = view.table
        batch = table.ring.slice(table.first, table.end)
        fields = [(field, 12) for field in table.ring.schema.fields]
        for row in cells.cells(batch, fields, cells.Clock("clock", model.wall)):
            for cell in row:
                assert_safe(cell.text)
        for field in table.ring.schema.fields:
            completion.recent(field.name, model.store)
        before, totals = model.machine.before.get(table.program), model.machine.counters.of(table.program)
        for shown in side.pane(totals, before, 4096, 100, 30, glyphs.UNICODE):
            assert_safe("".join(said for said, _ in shown))
        ranking = Ranking(top, view.table.program)
        ranking.fit(23)
        title = Title(model, view, ranking, glyphs.UNICODE, "1")
        for title.ranked in (True, False):
            for part in (*title.parts(), *title.ending()):
                assert_safe(part.text)
        placed = ranks.layout(ranking.report, 200, glyphs.UNICODE)
        for ranked in ranking.report.rows:
            for said in ranks.cells(ranked, ranking.report, placed):
                assert_safe(said)
        for clause in ranking.report.verdict:
            assert_safe(clause)
        for pid in batch.rows["pid"][:3].tolist():
            profile.event_facts(model.store.process(pid))


def play(path: Path) -> list[stream.AnyMessage]:
    """All that a player gives, with every key that moves it pressed on the way."""
    player = Player(path)
    for press in (player.step, player.step_back, player.faster, player.toggle, player.toggle):
        press(0.0)
    player.jump(1 << 61, 1.0)
    given = player.due(1.0)
    while player.behind:
        given += player.due(2.0)
    player.step(3.0)
    player.jump(0, 4.0)
    player.due(4.0)
    player.close()
    return given


@given(CHANGES)
def test_a_recording_with_any_bytes_changed_is_shown_up_to_them(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("hostile") / "a"
    path.write_bytes(changed(PLAIN, changes))
    reading = read(path)
    messages = list(reading)
    assert reading.damage is not None
    assert reading.damage.messages == len(messages)
    look(messages)
    if messages:
        play(path)


@given(st.integers(4, TARGET.stat().st_size), st.integers(0, 2), SOME)
def test_the_demo_cut_and_flipped(tmp_path_factory: pytest.TempPathFactory, at: int, length: int, new: bytes) -> None:
    raw = TARGET.read_bytes()
    path = tmp_path_factory.mktemp("demo") / "a"
    path.write_bytes(changed(raw, [(at, length or len(raw), new if length else b"")]))
    found = list(read(path))
    assert all(isinstance(m, stream.Message) for m in found)


@given(st.lists(MESSAGES | batches().map(lambda b: stream.Round(1, 1, [stream.rows(b)])), max_size=12))
def test_well_formed_messages_of_any_content_are_shown(messages: list[stream.AnyMessage]) -> None:
    look([hello(), *(m for m in messages if not isinstance(m, stream.Hello)), hello()])


def frame(head: bytes, length: int) -> bytes:
    """A message that begins so, and goes on with *length* small numbers."""
    return struct.pack("<I", len(head) + length) + head + b"\x01" * length


LISTS = {
    "CPUs": b"\x82\xa4type\xa5hello\xa4cpus\xdd" + struct.pack(">I", 1 << 22),
    "latencies": b"\x82\xa4type\xa7program\xaalatency_us\xdd" + struct.pack(">I", 1 << 22),
    "rungs": b"\x82\xa4type\xa5state\xa5tried\xdd" + struct.pack(">I", 1 << 22),
    "reasons": b"\x82\xa4type\xa3cpu\xa7dropped\xdf" + struct.pack(">I", 1 << 22),
    "a text": b"\x82\xa4type\xa3end\xa6reason\xdb" + struct.pack(">I", 1 << 22),
}


@pytest.mark.parametrize("head", LISTS.values(), ids=LISTS)
def test_what_is_too_long_is_refused(head: bytes) -> None:
    (body,) = stream.Frames(magic=False).feed(frame(head, 1 << 22))
    with pytest.raises(stream.StreamError):
        stream.decode(body)


def test_a_program_that_is_none_of_ours_is_refused() -> None:
    for message in (stream.State("x", "running"), stream.Progress("runqslower\n", "a")):
        with pytest.raises(stream.StreamError):
            stream.decode(stream.encode(message)[4:])


def flood(path: Path, count: int) -> Path:
    """A small file that is *count* notices."""
    plain = write_plain(path, [hello()]).read_bytes()
    notice = stream.encode(stream.Notice("info", "x"))
    path.write_bytes(zstandard.ZstdCompressor().compress(plain + notice * count))
    assert path.read_bytes().startswith(ZSTD_MAGIC)
    return path


def test_a_player_gives_no_more_than_a_viewer_can_take(tmp_path: Path) -> None:
    player = Player(flood(tmp_path / "a", 20_000))
    pieces = [player.due(1.0)]
    while player.behind:
        pieces.append(player.due(1.0))
    assert sum(map(len, pieces)) == 20_001
    assert max(map(len, pieces)) <= CHUNK // 1024 + 1
    again = Player(player.path)
    assert len(again.step(1.0)) <= CHUNK // 1024 + 1


def test_an_inbox_holds_no_more_than_its_limit() -> None:
    inbox = Inbox(1 << 20)
    for i in range(20_000):
        inbox.post(stream.Notice("info", f"{i}"))
    left = [entry for entry, _ in inbox.drain()]
    assert len(left) <= 1024
    assert left[-1] == stream.Notice("info", "19999")


SCRIPT = """
import resource, sys
from pathlib import Path
from ringtop.tui.source.inbox import Inbox
from ringtop.tui.model.model import Model
from ringtop.tui.source.player import Player
player, inbox, model = Player(Path(sys.argv[1])), Inbox(1 << 22), Model(("execsnoop",), 1 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
while not player.ended:
    for message in player.due(1.0):
        inbox.post(message)
for entry, _ in inbox.drain():
    model.take(entry)
assert player.damage
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_bomb_of_small_messages_takes_a_bounded_memory(tmp_path: Path) -> None:
    path = flood(tmp_path / "a", 400_000)
    assert path.stat().st_size < 1 << 17
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, path],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert done.stderr == ""
    assert int(done.stdout) < 60

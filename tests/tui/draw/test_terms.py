"""The filter made from a row's key selects exactly the events of the row, whatever the key is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.event.names import Names
from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN
from ringtop.tui.draw import terms
from ringtop.tui.top.keys import Key, keys
from ringtop.tui.top.top import Top
from tests.samples import NASTY, Value, make
from tests.tui.top.events import deletions, execs

UNTOLD = {"parent", "name"}
"""Parts of keys that no event stores, or that the filter language has no words for."""
KEYS = [(program, key) for program in SCHEMAS for key in keys(program)]


WORDS = st.sampled_from([b"git", b"-C", b"add", b"a.c", b"x.y", b"sh", b"-c", b"a b", b'"', b"\\", *NASTY])
DIRS = st.sampled_from(
    [b"", b"/", b"/tmp/", b"/srv/app/", b"/srv/app/cache/objects/", b"out/", b"out/1/", b"(relative)/"]
)
PIDS = st.sampled_from([0, 7, 9, UNKNOWN])
RETS = st.sampled_from([0, -2, -13, -9999])
COMMS = st.sampled_from([b"", b"cc1", b"gcc", *(name[:15] for name in NASTY)])
EVENTS: dict[str, st.SearchStrategy[dict[str, Value | list[bytes]]]] = {
    "runqslower": st.fixed_dictionaries(
        {"comm": COMMS, "pid": PIDS, "prev_comm": COMMS, "prev_pid": PIDS, "cpu": PIDS}
    ),
    "execsnoop": st.fixed_dictionaries(
        {
            "filename": st.builds(bytes.__add__, DIRS, WORDS),
            "argv": st.lists(WORDS, min_size=1, max_size=4),
            "ret": RETS,
            "uid": PIDS,
        }
    ),
    "unlinksnoop": st.fixed_dictionaries(
        {
            "path": st.builds(bytes.__add__, DIRS, WORDS),
            "comm": COMMS,
            "op": st.integers(0, 2),
            "ret": st.sampled_from([0, -2]),
        }
    ),
    "exitsnoop": st.fixed_dictionaries(
        {"comm": COMMS, "pid": PIDS, "uid": PIDS, "status": st.sampled_from([0, 1, 255, -9, -37, -33])}
    ),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KEYS), st.data())
def test_it_selects_the_events_of_the_row(kind: tuple[str, Key], data: st.DataObject) -> None:
    program, key = kind
    events = data.draw(st.lists(EVENTS[program], min_size=1, max_size=9))
    batch = make(program, events)
    if "prev_pid" in batch.schema:
        batch.rows["prev_comm"][batch.rows["prev_pid"] == 0] = b"swapper/0"
    top = Top(by={program: key.name})
    top.take(batch)
    for row in top.report(program, rows=100).rows:
        text = terms.of_row(key.parts, row.key)
        if text is not None:
            found = language.match(language.parse(text), batch)
            wanted = top.events_of(program, row.id)(batch)
            # What is called by another name than its file's is a row of its own, and the same program.
            assert found[wanted].all() if key.name == "program" else (found == wanted).all(), text


@pytest.mark.parametrize(("program", "key"), KEYS, ids=[f"{p}-{k.name}" for p, k in KEYS])
def test_every_key_of_ordinary_events_has_one_unless_no_event_stores_it(program: str, key) -> None:  # type: ignore[no-untyped-def]
    ordinary = {
        "runqslower": make("runqslower", [{"comm": b"cc1", "pid": 7, "prev_comm": b"gcc", "prev_pid": 9}]),
        "execsnoop": make("execsnoop", execs(b"/usr/bin/git", [b"git", b"-C", b"/srv/app", b"add", b"a.c"])),
        "unlinksnoop": deletions([b"/srv/app/cache/objects/1.o"]),
        "exitsnoop": make("exitsnoop", [{"comm": b"cc1", "pid": 7, "status": -11}]),
    }[program]
    top = Top(by={program: key.name})
    top.take(ordinary)
    row = top.report(program).rows[0]
    text = terms.of_row(key.parts, row.key)
    assert (text is None) == bool(UNTOLD & {part.name for part in key.parts})
    if text is not None:
        assert language.match(language.parse(text), ordinary).all()


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        ("unit", {b"nginx.service": 3, b"(none)": 2, b"(unknown)": 1}),
        ("container", {b"(none)": 3, b"web": 2, b"(unknown)": 1}),
        ("cgroup", {b"/system.slice/nginx.service": 3, b"/lxc/web": 2, b"7": 1}),
    ],
)
def test_what_belongs_together_is_one_row(key: str, counts: dict[bytes, int]) -> None:
    told = Names()
    for cgroup, path in {2: b"/system.slice/nginx.service", 3: b"/system.slice/nginx.service", 4: b"/lxc/web"}.items():
        told.tell(cgroup, path)  # it has been restarted
    rows = make("execsnoop", [{"cgroup": cgroup, "filename": b"a"} for cgroup in (2, 3, 4, 7, 3, 4)])
    batch = stream.batch(stream.rows(rows), told)
    top = Top(by={"execsnoop": key})
    top.take(batch)
    found = top.report("execsnoop").rows
    assert {row.key[0]: row.count for row in found} == counts
    for row in found:
        text = terms.of_row(top.key("execsnoop").parts, row.key)
        assert text is not None
        wanted = top.events_of("execsnoop", row.id)(batch)
        assert (language.match(language.parse(text), batch) == wanted).all(), text


def test_how_they_read() -> None:
    assert terms.term("dir", b"/srv/app/cache/") == "dir=/srv/app/cache/"
    assert terms.term("dir", b"(relative) out/") == "dir=out/"
    assert terms.term("dir1", b"/srv/") == 'dir~"^/srv/"'
    assert terms.term("command", b"git add ..") == 'command="git add .."'
    assert terms.term("program", b"x.sh") == r'subcommand~"^x\x2esh( |$)"'
    assert terms.term("error", b"ENOENT") == "ret=ENOENT"
    assert terms.term("exe", b"/usr/bin/cc") == "filename=/usr/bin/cc"

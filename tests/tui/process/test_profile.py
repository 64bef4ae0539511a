"""A process in words: everything is said, and nothing of it can move the cursor."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.cgroup import Membership
from ringtop.bpf.event.schema import UNKNOWN
from ringtop.tui.model.store import Life, Store
from ringtop.tui.process.card import Ancestor, Card, elsewhere, ended
from ringtop.tui.process.profile import EventFacts, event_facts, facts, headline, ranges
from tests.samples import NASTY, batches, make

FULL = Card(
    42,
    "here",
    comm=b"nginx",
    command=(b"nginx", b"-g", b"daemon off;"),
    ancestors=(Ancestor(7, b"systemd"), Ancestor(1, b"init")),
    user="www",
    uid=33,
    membership=Membership("/system.slice/nginx.service", "nginx.service", "docker", "ab" * 32, "p-1"),
    threads=4,
    started=1_700_000_000.0,
    cwd=b"/",
    exe=b"/usr/sbin/nginx (deleted)",
    status="sleeping",
    nice=5,
    affinity=(0, 1, 2, 5),
    rss_bytes=3 << 20,
    cpu_s=1.25,
    denied=("cwd",),
)


def timeline(*parts: Batch, pid: int = 42, host: int = 0) -> Life:
    store = Store()
    for batch in parts:
        store.append(batch)
    return store.process(pid, host=host)


def said(card: Card, known: EventFacts = EventFacts()) -> dict[str, str]:  # noqa: B008
    return {f.label: f.text for f in facts(card, known, None, UTC)}


def test_all_of_a_card_is_said() -> None:
    found = said(FULL)
    assert found["command"] == "nginx -g 'daemon off;'"
    assert found["started by"] == "systemd 7 < init 1"
    assert found["user"] == "www (33)"
    assert found["container"] == "docker abababababab, pod p-1"
    assert found["unit"] == "nginx.service"
    assert found["started"].startswith("2023-11-14 22:13:20, ")
    assert found["runs with"] == "4 threads, nice 5, CPUs 0-2,5, 3 MiB resident, 1.2 s of CPU"
    assert found["program"] == "/usr/sbin/nginx (deleted)"
    assert "cwd" in found["not shown"]
    assert headline(42, FULL, EventFacts()) == "42  nginx  sleeping"


def test_a_short_life_is_told_by_its_events() -> None:
    exec_ = {"pid": 42, "ppid": 7, "uid": 33, "comm": b"sh", "filename": b"/bin/true", "argv": [b"true", b"x y"]}
    life = timeline(
        make("execsnoop", [{**exec_, "ts": 100}, {"pid": 42, "ts": 150, "ret": -2, "filename": b"/no"}]),
        make("unlinksnoop", [{"pid": 42, "ppid": 7, "uid": UNKNOWN, "comm": b"true", "ts": 200, "path": b"/tmp/a"}]),
        make("execsnoop", [{**exec_, "pid": 43, "ts": 900, "argv": [b"other"]}]),
    )
    known = event_facts(life)
    assert known == EventFacts(b"true", 7, None, b"/bin/true", (b"true", b"x y"), 100, 200, 3, 3)
    found = said(Card(42, "gone"), known)
    assert found["command"] == "true 'x y'"
    assert found["program"] == "/bin/true"
    assert found["started by"] == "7"
    assert found["events"] == "3, 00:00:00.000 to 00:00:00.000"
    assert "user" not in found
    for presence, word in (("gone", "gone"), ("reused", "new process"), ("elsewhere", "not of this host")):
        assert word in headline(42, Card(42, presence), known)  # type: ignore[arg-type]


def test_who_forked_it_is_said_unless_it_is_the_parent() -> None:
    (known, own) = (
        event_facts(timeline(make("unlinksnoop", [{"pid": 42, "ppid": ppid, "origin_pid": 7, "origin": b"make"}])))
        for ppid in (1, 7)
    )
    assert said(Card(42, "gone"), known)["forked by"] == "make 7, no longer its parent"
    assert "forked by" not in said(Card(42, "gone"), own)
    assert "forked by" not in said(FULL, known), "a card is newer than events"


def test_a_long_life_tells_how_much_of_it_is_shown() -> None:
    store = Store()
    store.append(make("execsnoop", [{"pid": 42, "ts": ts, "argv": [b"cc"], "truncated": 1} for ts in range(9)]))
    found = said(Card(42, "gone"), event_facts(store.process(42, limit=5)))
    assert found["events"].startswith("the newest 5 of 9, ")
    assert list(found)[-1] == "command"
    assert found["command"] == "cc …"


def test_what_was_known_of_a_process_stays_when_it_ends() -> None:
    card = ended(FULL)
    assert said(card) == said(FULL)
    assert headline(42, card, EventFacts()) == "42  nginx  gone"


def test_nothing_known_is_nothing_said() -> None:
    assert event_facts(timeline()) == EventFacts()
    assert facts(elsewhere(1), EventFacts()) == []
    assert headline(1, Card(1, "gone"), EventFacts()).startswith("1  gone")


def test_a_kernel_thread() -> None:
    card = Card(2, "here", comm=b"kthreadd", command=(), started=1.0, status="sleeping")
    assert said(card)["command"] == "a kernel thread"
    assert "command" not in said(replace(card, status="zombie"))


@pytest.mark.parametrize("nasty", NASTY)
def test_names_cannot_do_harm(nasty: bytes) -> None:
    text = nasty.decode(errors="surrogateescape")
    card = replace(
        FULL,
        comm=nasty,
        command=(nasty, nasty),
        ancestors=(Ancestor(1, nasty),),
        user=text,
        membership=Membership(text, text, text, text, text),
        cwd=nasty,
        exe=nasty,
    )
    lines = [headline(1, card, EventFacts()), *(f.text for f in facts(card, EventFacts()))]
    assert all(c.isprintable() for line in lines for c in line)


@given(st.lists(batches(), max_size=6))
def test_any_events_can_be_told(parts: list[Batch]) -> None:
    processes = {one for b in parts for one in zip(b.rows["pid"].tolist(), b.rows["host"].tolist(), strict=True)}
    for pid, host in processes:
        life = timeline(*parts, pid=pid, host=host)
        known = event_facts(life)
        assert known.events == len(life) > 0
        for fact in facts(Card(pid, "gone"), known):
            assert fact.text.isprintable()


def test_ranges() -> None:
    assert ranges((3, 1, 2, 8, 10, 11)) == "1-3,8,10-11"
    assert ranges(()) == ""

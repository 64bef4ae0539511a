"""Recordings of older versions: what they hold is read, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.stream import Hello, Older, Round, Rows, StreamError
from tests.samples import batches

WIDE = {"op": "<u4", "truncated": "<u4"}
NAMES = [name for schema in SCHEMAS.values() for name, _ in schema.layout]
KINDS = ["<u1", "<u4", "<u8", "<i4", "|S16", "|S0", "<u3", "O", "V4", "", "<f8", "|S99"]


def hello(dtypes: dict[str, list[list[str]]]) -> Hello:
    return Hello("h", "6.1", "x86_64", "0.1", [0], list(SCHEMAS), 1, 0, dtypes)


def before_full_paths() -> dict[str, list[list[str]]]:
    """The layouts of the version that had none."""
    deleted = [[name, WIDE.get(name, kind)] for name, kind in stream.dtypes()["unlinksnoop"] if name != "place_len"]
    return stream.dtypes() | {"unlinksnoop": deleted}


@given(batches("unlinksnoop"))
def test_a_recording_without_full_paths_is_read(batch: Batch) -> None:
    layouts = before_full_paths()
    batch.rows["place_len"] = 0
    old = np.zeros(len(batch), [(name, kind) for name, kind in layouts["unlinksnoop"]])
    for name in old.dtype.names or ():
        old[name] = batch.rows[name]
    older = Older()
    assert older.renew(hello(layouts)) == hello(stream.dtypes())
    read = older.renew(Round(1, 1, [Rows("unlinksnoop", old.tobytes(), batch.tails)]))
    assert isinstance(read, Round)
    found = stream.batch(read.batches[0])
    assert found.rows.tobytes() == batch.rows.tobytes()
    assert found.text("full") == found.text("path") == batch.text("path")


def test_what_held_nothing_is_no_field() -> None:
    layouts = {
        program: [["_unused" if name == "host" else name, kind] for name, kind in parts]
        for program, parts in stream.dtypes().items()
    }
    older = Older()
    assert older.renew(hello(layouts)) == hello(stream.dtypes())
    rows = np.zeros(1, SCHEMAS["unlinksnoop"].dtype)
    rows["host"], rows["pid"] = 7, 23
    read = older.renew(Round(1, 1, [Rows("unlinksnoop", rows.tobytes(), b"")]))
    assert isinstance(read, Round)
    found = stream.batch(read.batches[0]).rows
    assert (found["host"].tolist(), found["pid"].tolist()) == ([0], [23])


def test_a_recording_of_our_own_is_left_alone() -> None:
    older, rounds = Older(), Round(1, 1, [Rows("unlinksnoop", bytes(88), b"")])
    older.renew(hello(before_full_paths()))
    older.renew(hello(stream.dtypes()))
    assert older.renew(rounds) is rounds


def test_rows_that_are_no_rows_are_refused() -> None:
    older = Older()
    older.renew(hello(before_full_paths()))
    with pytest.raises(StreamError, match="whole rows"):
        older.renew(Round(1, 1, [Rows("unlinksnoop", bytes(3), b"")]))


@given(
    st.dictionaries(
        st.sampled_from([*SCHEMAS, "other"]),
        st.lists(st.tuples(st.sampled_from([*NAMES, "other"]), st.sampled_from(KINDS)).map(list) | st.just(["ts"])),
    )
)
def test_other_layouts_are_refused(layouts: dict[str, list[list[str]]]) -> None:
    """None of them has even half of our fields."""
    layouts = {name: parts[:5] for name, parts in layouts.items()}
    with pytest.raises(StreamError, match=r"another layout: replay it with ringtop '0\.1'"):
        Older().renew(hello(layouts))


def test_one_field_more_is_refused() -> None:
    layouts = stream.dtypes()
    layouts["execsnoop"].append(["other", "<u4"])
    with pytest.raises(StreamError, match="another layout"):
        Older().renew(hello(layouts))

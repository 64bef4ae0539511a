"""Made-up batches for the tests, and a hypothesis strategy for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN

NASTY = (
    b"\x1b[2J\x1b]0;owned\x07",
    b"\xc2\x9b31m",
    "\u202egnp.exe".encode(),
    "a\u200bb\ufeff\u00ad".encode(),
    b"\xff\xfe\xed\xa0\x80",
    b"two\nlines\r\tand tabs",
    "[red]mark[/red]\u2028".encode(),
    b"back\\slash \\x1b",
    "\u65e5\u672c\u8a9e \u0301\u0302\u0303\u0304\u0305 e\u0301".encode(),
    b"=cmd|' /C calc'!A0",
    b"-1+2",
    b"'quoted' \"twice\" $(id) `id`",
    "\U0001f469\u200d\U0001f4bb\ufe0f \U0001f3fd \U0001f1e9".encode(),
    "\U000e0041\ue000\u0378".encode(),
)
"""Text that has bitten a program before."""

Value = int | bytes
Event = Mapping[str, Value | Sequence[bytes]]


def make(program: str, events: Sequence[Event]) -> Batch:
    """A batch of *events*: fields by name (the rest 0), text fields as bytes, ``argv`` as bytes or a list of arguments
    (which sets ``argc`` unless given)."""
    schema = SCHEMAS[program]
    rows = np.zeros(len(events), schema.dtype)
    tails = bytearray()
    for row, event in zip(rows, events, strict=True):
        row["tail"] = len(tails)
        for name, value in event.items():
            if name in schema.tail:
                continue
            row[name] = value
        for name in schema.tail:
            value = event.get(name, b"")
            if not isinstance(value, bytes | int):
                if "argc" not in event:
                    row["argc"] = len(value)
                value = b"".join(arg + b"\0" for arg in value)
            assert isinstance(value, bytes)
            row[f"{name}_len"] = len(value)
            tails += value
    return Batch(program, rows, bytes(tails))


def texts(limit: int = 40) -> st.SearchStrategy[bytes]:
    """Text without a NUL, at most *limit* bytes: ordinary, nasty or any."""
    ordinary = st.sampled_from([b"/tmp/a", b"/tmp/b.txt", b"nginx", b"sh", b"-c", b"", b"a b", b"x"])
    anything = st.binary(max_size=limit).map(lambda b: b.replace(b"\0", b"?"))
    unicode = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=limit // 4)
    return st.one_of(ordinary, st.sampled_from(NASTY), unicode.map(str.encode), anything).map(lambda b: b[:limit])


def comms() -> st.SearchStrategy[bytes]:
    """What the kernel keeps as a comm: at most 15 bytes."""
    return st.one_of(st.sampled_from([b"nginx", b"sh", b"bash", b"a" * 15, b""]), texts(15))


def _numbers(bits: int, signed: bool = False) -> st.SearchStrategy[int]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return st.one_of(st.integers(max(low, -5), 5), st.integers(low, high))


_IDS = st.one_of(_numbers(32), st.just(UNKNOWN))
_TIMES = st.integers(0, 1 << 50)
_SPECIAL: dict[str, st.SearchStrategy[Value]] = {
    "ts": _TIMES,
    "seq": _numbers(48),
    "cgroup": _numbers(48),
    "tail": st.just(0),
    "latency": st.one_of(st.integers(0, 20), st.sampled_from([500_000, 500_001, 10_000_000]), _TIMES),
    "cpu": st.integers(0, 8),
    "op": st.integers(0, 2),
    "preempted": st.integers(0, 1),
    "others_share": st.integers(0, 100),
    "status": st.one_of(st.sampled_from([0, 1, -9, -11, -34, -37]), _numbers(16, signed=True)),
    "core": st.integers(0, 1),
    "ran": _TIMES,
    "age": _TIMES,
    "truncated": st.integers(0, 1),
    "ret": st.one_of(st.sampled_from([0, -2, -13]), _numbers(32, signed=True)),
    "dfd": st.one_of(st.just(-100), _numbers(32, signed=True)),
}


def events(program: str) -> st.SearchStrategy[dict[str, Value | list[bytes]]]:
    """One event for ``make``."""
    schema = SCHEMAS[program]
    parts: dict[str, st.SearchStrategy[Value | list[bytes]]] = {}
    for name in schema.dtype.names or ():
        if name.startswith("_") or name.endswith("_len") or name == "argc":
            continue
        if schema.dtype[name].kind == "S":
            parts[name] = comms()
        else:
            parts[name] = _SPECIAL.get(name, _IDS if schema.dtype[name].itemsize > 1 else st.integers(0, 255))
    for name in schema.tail:
        parts[name] = st.lists(texts(), max_size=4) if name == "argv" else texts()
    return st.fixed_dictionaries(parts)


def batches(program: str | None = None, max_size: int = 8) -> st.SearchStrategy[Batch]:
    """Batches of *program*, or of any."""
    names = st.just(program) if program else st.sampled_from(list(SCHEMAS))
    return names.flatmap(lambda n: st.lists(events(n), max_size=max_size).map(lambda e: make(n, e)))

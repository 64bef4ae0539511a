"""What is fuzzed: each target takes any bytes, and nothing may come of them but what it is written to give.

This file is the program of one fuzzer: ``python -m tests.fuzz.targets NAME [FOLDER] [FLAGS OF LIBFUZZER]``.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import atheris
import zstandard

with atheris.instrument_imports(include=["ringtop", "tomllib"]):
    from ringtop.bpf import filter as language
    from ringtop.bpf import stream
    from ringtop.bpf.event.schema import SCHEMAS
    from ringtop.bpf.filter.capture import compile_capture
    from ringtop.bpf.stream.frames import LENGTH
    from ringtop.tui.cli.exporting import Export
    from ringtop.tui.lines.lines import FORMATS as LINES
    from ringtop.tui.lines.lines import writer
    from ringtop.tui.lines.part import Part, Told
    from ringtop.tui.lines.top_records import TopCsv, TopJson
    from ringtop.tui.lines.top_table import TopTable
    from ringtop.tui.settings import config, state, themes, toml
    from ringtop.tui.source.recording import read
    from ringtop.tui.text.text import safe
    from ringtop.tui.top.report import START
    from ringtop.tui.top.top import Top
    from tests.bpf.filter.test_capture import kept
    from tests.bpf.stream.test_stream import read_anyhow
    from tests.safety import assert_safe
    from tests.samples import NASTY, make
    from tests.tui.source.recordings import hello, messages
    from tests.tui.source.test_hostile_streams import (
        FEW,
        look,
        play,
        test_well_formed_messages_of_any_content_are_shown,
    )

_WHOLE, _PACKED = 1, 2
_FOLDER = Path(tempfile.mkdtemp(prefix="ringtop-fuzz-", dir="/dev/shm"))
_COMM = [{"comm": text[:15], "pid": i, "ret": -i, "latency": i * 1000} for i, text in enumerate(NASTY)]
_BATCHES = [
    make(program, [{name: value for name, value in event.items() if name in schema.dtype.names} for event in _COMM])
    for program, schema in SCHEMAS.items()
]


def _file(name: str, data: bytes) -> Path:
    file = _FOLDER / name
    file.write_bytes(data)
    return file


def _stream(data: bytes) -> Path:
    """A file with a stream. The first byte says whether it is compressed, and whether the rest is cut into whole
    messages, which come after a ``Hello``: few changes of a length leave any."""
    how, rest = data[:1] or b"\0", data[1:]
    if how[0] & _WHOLE:
        bodies, rest = rest, stream.encode(hello())
        while len(bodies) > 2:
            size = int.from_bytes(bodies[:2], "little")
            body, bodies = bodies[2 : 2 + size], bodies[2 + size :]
            rest += LENGTH.pack(len(body)) + body
    raw = stream.MAGIC + rest
    return _file("a.ringtop", zstandard.ZstdCompressor().compress(raw) if how[0] & _PACKED else raw)


def recording(data: bytes) -> None:
    """A stream is read up to its damage, and all of it can be shown."""
    file = _stream(data)
    reading = read(file)
    messages = list(reading)
    if reading.damage is not None:
        assert_safe(safe(str(reading.damage)))
    look(messages)
    if messages:
        play(file)


class _Memory(io.BytesIO):
    """Takes the place of an ``OutputFile``."""

    path = None
    taken = None

    def discard(self) -> None:
        """Nothing is left of it anyway."""


def lines(data: bytes) -> None:
    """A stream is printed in all formats: a line is one line, and JSON is JSON."""
    programs, top, offset_ns = list(SCHEMAS), Top(), 0
    parquet: Any = {program: _Memory() for program in programs}
    exports = [Export("parquet", parquet, programs), Export("perfetto", {"": _Memory()}, programs)]  # type: ignore[dict-item]
    for message in read(_stream(data)):
        top.hear(message)
        for export in exports:
            export.hear(message)
        if isinstance(message, stream.Hello | stream.Stats):
            offset_ns = message.wall_offset_ns
        if not isinstance(message, stream.Round):
            continue
        batches = [stream.batch(rows) for rows in message.batches]
        for export in exports:
            export.put([Part(batch, offset_ns) for batch in batches])
        for style, batch in product(LINES, batches):
            for line in writer(style, programs).lines(batch, offset_ns):
                assert style != "table" or assert_safe(line) is None
                assert "\n" not in line
                assert style != "json" or json.loads(line)
    reports = [top.report(program, START, "", 20) for program in programs]
    for ranked in (TopTable(), TopCsv(), TopJson()):
        said = ranked.lines(reports, offset_ns)
        assert not isinstance(ranked, TopJson) or all(map(json.loads, said))
    for export in exports:
        export.close([Told(None)])


def control(data: bytes) -> None:
    """Frames in pieces, with and without the beginning of a stream."""
    read_anyhow(data[1:], [data[0], 3 * data[0]] if data else [], magic=False)
    read_anyhow(stream.MAGIC + data[1:], [data[0]] if data else [], magic=True)


def _contents(name: str, data: bytes) -> toml.Contents:
    return toml.Contents(Path(name), data)


def config_file(data: bytes) -> None:
    """A config file is read, or refused with one safe line."""
    try:
        config.load(_file("config.toml", data))
    except config.ConfigError as e:
        assert_safe(str(e))


def theme_file(data: bytes) -> None:
    """A theme is one that Textual takes, or refused with one safe line."""
    try:
        theme = themes.load(_contents("mine.toml", data))
    except themes.ThemeError as e:
        assert_safe(str(e))
        return
    theme.to_color_system().generate()


def state_file(data: bytes) -> None:
    """The remembered state is read, or lost with one safe line."""
    found, why = state.load(_file("state.json", data))
    assert_safe(why)
    state.resume(found, config.Config())


def filter_text(data: bytes) -> None:
    """A filter matches, completes and compiles for the kernel, which keeps the same events; or it is refused."""
    text = data.decode(errors="surrogateescape")
    with contextlib.suppress(language.FilterError):
        for cursor in {0, len(text) // 2, len(text)}:
            language.complete(text, cursor)
    try:
        expr = language.parse(text)
    except language.FilterError as e:
        assert 0 <= e.column <= len(text)
        assert_safe(safe(str(e)))
        return
    for batch in _BATCHES:
        found = language.match(expr, batch)
        with contextlib.suppress(language.FilterError):
            assert kept(compile_capture(expr, SCHEMAS[batch.program]).pack(), batch) == found.tolist()


def _bodies() -> Iterator[bytes]:
    """The shortest message of each kind in the demo, and some that it lacks."""
    shortest: dict[type, bytes] = {}
    for message in [*FEW, *messages(1, 1)]:
        body = stream.encode(message)[LENGTH.size :]
        if len(body) < len(shortest.get(type(message), body + b"1")):
            shortest[type(message)] = body
    for body in shortest.values():
        yield len(body).to_bytes(2, "little") + body


@dataclass(frozen=True)
class Target:
    """Something that is fuzzed, and inputs to begin with."""

    take: Callable[[bytes], object]
    seeds: Iterable[bytes]


TARGETS = {
    "recording": Target(
        recording,
        [
            bytes((_WHOLE,)) + b"".join(_bodies()),
            bytes((_PACKED,)) + b"".join(map(stream.encode, messages(1, 1))),
            *(bytes((_WHOLE,)) + body for body in _bodies()),
        ],
    ),
    "lines": Target(lines, [bytes((_WHOLE,)) + b"".join(_bodies()), *(bytes((_WHOLE,)) + body for body in _bodies())]),
    "messages": Target(
        test_well_formed_messages_of_any_content_are_shown.hypothesis.fuzz_one_input, [bytes(range(256)) * 8]
    ),
    "control": Target(
        control,
        [
            b"\x05" + stream.encode(message)
            for message in (
                stream.SetCapture("pid=1"),
                stream.Follow([1]),
                stream.Retune("ringbuf", 4096, "batch:3", ["execsnoop"]),
                stream.Compare(1.5),
                stream.Measure(True),
                stream.Stop(),
            )
        ],
    ),
    "config": Target(
        config_file,
        [
            b'theme = "mine"\nprograms = ["execsnoop"]\nhistory = "128 MiB"\nmin_us = 500\nfps = 1.5\nmouse = false\n'
            b'capture = "uid>=1000"\nfilter = \'comm~"a"\'\n[keys]\nquit = "q,ctrl+q"\n[columns]\nexecsnoop = ["pid"]\n'
        ],
    ),
    "theme": Target(theme_file, [file.read_bytes() for file in sorted(themes.folder().glob("*.toml"))]),
    "state": Target(
        state_file,
        [
            b'{"theme":"dark","chosen_columns":{"execsnoop":["pid"]},"shows":{"a":"top"},"filters":["a"],"over":{"time":1}}'
        ],
    ),
    "filter": Target(
        filter_text,
        [
            b"comm=nginx and (latency>500us or ret!=0)",
            b'full~"^/tmp/" and not pid=1',
            b"command=\"git add ..\" or argv~'a|b'",
            b"ret=ENOENT and preempted or op=unlink and ppid=unknown",
        ],
    ),
}


def main() -> None:
    """Fuzz until libFuzzer's flags say that it is enough, or until something is found."""
    name, *flags = sys.argv[1:]
    warnings.simplefilter("error")
    atheris.Setup([sys.argv[0], *flags], TARGETS[name].take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

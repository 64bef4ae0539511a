"""The objects that are compiled beforehand: made of today's sources, and no more in them than libbpf needs."""

from __future__ import annotations

import pytest

from ringtop.bpf.kernel import source
from ringtop.bpf.kernel.objects import Object, objects

OBJECTS = pytest.mark.parametrize("built", list(objects()), ids=lambda built: built.name)


@OBJECTS
def test_an_object_is_made_of_todays_sources(built: Object) -> None:
    assert built.made_of == built.digest, "a source, a flag or the compiler changed: make objects"


def test_no_object_is_left_of_what_is_made_no_more() -> None:
    assert {path.name for path in (source.HOME / "objects").iterdir()} == {built.path.name for built in objects()}


def test_a_change_of_a_header_a_flag_or_the_compiler_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(objects())
    digests = {first.digest, Object(first.name, first.program, (*first.flags, "-DMORE")).digest}
    text = source.text(first.program)
    with monkeypatch.context() as patched:
        patched.setattr("ringtop.bpf.kernel.objects.text", lambda program: text + b"\n")
        digests.add(first.digest)
    monkeypatch.setattr("ringtop.bpf.kernel.objects.compiler", lambda: "ziglang==0.0.0")
    digests.add(first.digest)
    assert len(digests) == 4
    assert b"struct counts" in text, "headers are in the text"


@OBJECTS
def test_an_object_tells_nothing_of_where_it_was_made(built: Object) -> None:
    data = built.path.read_bytes()
    assert b"/" + built.program.encode() + b".bpf.c" in data
    assert not [word for word in (b"/tmp", b"/home", b"/root", b"/usr", b".debug_") if word in data]

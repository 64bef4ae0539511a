"""Memory shared with the kernel, on machines that reorder what is read from it."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator

import pytest

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.kernel import memory
from ringtop.bpf.transport.setting import Setting


@pytest.fixture
def no_libatomic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An arm64 without it."""

    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(ctypes, "CDLL", missing)
    memory._fence.cache_clear()
    yield
    memory._fence.cache_clear()


@pytest.mark.usefixtures("no_libatomic")
@pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
def test_without_libatomic_no_buffer_is_opened_and_the_package_is_named(transport: Transport) -> None:
    with pytest.raises(CannotTrace) as told:
        Setting(transport, 1 << 12, "timer").open("runqslower")
    assert "libatomic1" in told.value.cure

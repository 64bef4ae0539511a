"""What a collector is asked for: the one place where each of its options is described."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ringtop.bpf.common.loaders import LOADERS
from ringtop.bpf.common.sizes import DEFAULT, EMITS, Emit, human
from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.options.kinds import BufferSize, CaptureFilter, Choice, Number, Wakeup
from ringtop.bpf.options.option import option, options, read_words

MIN_US = 10_000
"""Shortest wait that runqslower reports, unless told otherwise."""
WINDOW_MS = 5
"""How long an event may take from its time stamp to its place in the buffer: microseconds, unless the machine is a
virtual one whose CPU is taken away in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorOptions:
    """The options of a collector, each checked by whoever made it from texts."""

    programs: tuple[str, ...] = option(lambda: tuple(SCHEMAS), Choice(SCHEMAS), "Only these programs.", many=True)
    transport: Literal["auto", "ringbuf", "perfbuf"] = option(
        "auto",
        Choice(("auto", *TRANSPORTS)),
        "How events leave the kernel. auto: the ring buffer where the kernel has it, else perf buffers.",
    )
    buffer: int = option(
        0,
        BufferSize(),
        "Size of a program's ring buffer, or of each CPU's perf buffer.",
        shown=f"{human(DEFAULT['ringbuf'])}, or {human(DEFAULT['perfbuf'])} a CPU",
    )
    """Bytes; 0 for the default of the transport."""
    wakeup: str = option(
        "timer",
        Wakeup(),
        "When the kernel wakes the reader: timer (never, but for a buffer half full), adaptive, every, batch:N.",
    )
    capture: str = option("", CaptureFilter(), "Capture filter: what the kernel sends.")
    merge_ms: int = option(
        WINDOW_MS,
        Number(int, 0, 1000),
        "Hold events so long to put them in time order over all CPUs. 0: order only what is read together.",
    )
    min_us: int | None = option(
        None,
        Number(int, 0, 10**9),
        "runqslower: shortest wait to report, in microseconds.",
        shown=f"{MIN_US}, unless the capture filter speaks of latency",
    )
    emit: Emit = option(
        "output",
        Choice(EMITS),
        "How events get into the ring buffer (not perf buffers): at their true length; or reserved, in sizes that are "
        "powers of two. +query: a full ring is not tried.",
    )
    loader: Literal["auto", "core", "bcc"] = option(
        "auto",
        Choice(("auto", *LOADERS)),
        "How programs get into the kernel. core: compiled beforehand, loaded by libbpf, which takes a kernel with BTF. "
        "bcc: compiled here, by bcc. auto: core where it can.",
    )
    exclude: tuple[int, ...] = option(
        (), Number(int, 1, 1 << 22), "Process whose events are not wanted.", many=True, only="collector"
    )
    """Processes that are ringtop's own, besides the collector."""

    def arguments(self) -> list[str]:
        """The command line that ``parse`` reads: the programs, and what is not as it would be anyway."""
        words = list(self.programs)
        for name, one in options(CollectorOptions).items():
            if name != "programs" and (value := getattr(self, name)) != one.default:
                words += one.write(value)
        return words

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> CollectorOptions:
        """The options of a command line. Raises ValueError, whose text names the option and says what is possible."""
        known = options(cls)
        programs = known.pop("programs")
        values, names = read_words(known.values(), arguments)
        return cls(**values, **({"programs": programs.read(names)} if names else {}))

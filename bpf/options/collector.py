"""The options of a collector; each is described here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ringtop.bpf.common.loaders import LOADERS
from ringtop.bpf.common.sizes import DEFAULT, EMITS, Emit, human
from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.event.schema import SCHEMAS, usual
from ringtop.bpf.options.kinds import BufferSize, CaptureFilter, Choice, Flag, Name, Number, Wakeup
from ringtop.bpf.options.option import option, options, read_words

MIN_US = 10_000
"""The shortest wait in microseconds that runqslower reports by default."""
WINDOW_MS = 5
"""The longest time in milliseconds that an event may take from its time stamp to its place in the buffer. Usually it
takes microseconds; longer when the CPU of a virtual machine is taken away in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorOptions:
    """The options of a collector. The code that reads them from texts has checked each value."""

    programs: tuple[str, ...] = option(usual, Choice(SCHEMAS), "Run only this program. Repeatable.", many=True)
    transport: Literal["auto", "ringbuf", "perfbuf"] = option(
        "auto",
        Choice(("auto", *TRANSPORTS)),
        "How events leave the kernel. auto: by the ring buffer if the kernel has it, otherwise by perf buffers.",
    )
    buffer: int = option(
        0,
        BufferSize(),
        "Size of a program's ring buffer, or of each CPU's perf buffer.",
        shown=f"{human(DEFAULT['ringbuf'])}, or {human(DEFAULT['perfbuf'])} a CPU",
    )
    """The size in bytes; 0 for the transport's default."""
    wakeup: str = option(
        "timer",
        Wakeup(),
        "When the kernel wakes the reader. timer: only when a buffer is half full. adaptive: when an empty ring buffer "
        "gets an event. every: for each event. batch:N: for every Nth event.",
    )
    capture: str = option("", CaptureFilter(), "Capture filter: which events the kernel sends.")
    merge_ms: int = option(
        WINDOW_MS,
        Number(int, 0, 1000),
        "Hold events for so many milliseconds to sort them by time over all CPUs. 0: sort only events that are read "
        "together.",
    )
    min_us: int | None = option(
        None,
        Number(int, 0, 10**9),
        "runqslower: shortest wait to report, in microseconds.",
        shown=f"{MIN_US}, unless the capture filter has a term on latency",
    )
    emit: Emit = option(
        "output",
        Choice(EMITS),
        "How programs write to the ring buffer (perf buffers have only one way). output: records of exact size. "
        "reserve: records whose size is a power of two. +query: ask for free space first.",
    )
    histogram: bool = option(
        True, Flag("no-histogram"), "runqslower: count all waits by their length, including those too short to report."
    )
    loader: Literal["auto", "core", "bcc"] = option(
        "auto",
        Choice(("auto", *LOADERS)),
        "How programs get into the kernel. core: compiled beforehand and loaded by libbpf, on kernels with BTF. bcc: "
        "compiled here by bcc. auto: core if possible, otherwise bcc.",
    )
    follow: tuple[int, ...] = option(
        (),
        Number(int, 1, 1 << 22),
        "Only the events of this process, of what it has started (except what detached from it) and of what it starts "
        "from now on. Repeatable.",
        many=True,
        only="flag",
    )
    unit: str = option(
        "",
        Name("UNIT"),
        "Only the events of this systemd unit. .service may be left out. A unit that is restarted is followed on.",
        only="flag",
    )
    container: str = option(
        "", Name("CONTAINER"), "Only the events of this container: its name, or how its id begins.", only="flag"
    )
    exclude: tuple[int, ...] = option(
        (), Number(int, 1, 1 << 22), "Leave out the events of this process. Repeatable.", many=True, only="collector"
    )
    """Ids of ringtop's own processes other than the collector."""
    launched: int = option(
        0,
        Number(int, 1, 1 << 22),
        "Only the events of this process, which waits to become a command, and of what it starts.",
        only="collector",
    )

    def arguments(self) -> list[str]:
        """Return the command line that ``parse`` reads: the programs, and every option that is not at its default."""
        words = list(self.programs)
        for name, one in options(CollectorOptions).items():
            if name != "programs" and (value := getattr(self, name)) != one.default:
                words += one.write(value)
        return words

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> CollectorOptions:
        """Read the options from a command line. Raises ValueError, which names the option and its possible values."""
        known = options(cls)
        programs = known.pop("programs")
        values, names = read_words(known.values(), arguments)
        return cls(**values, **({"programs": programs.read(names)} if names else {}))

"""A program in the kernel: compiled for one rung of its ladder, attached, configured, counted, taken out again."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.sizes import Emit
from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.kernel import parents, syscall
from ringtop.bpf.kernel.features import Kernel, possible_cpus
from ringtop.bpf.kernel.headers import write_tree
from ringtop.bpf.kernel.ladder import FOLLOW_FORKS, Hook, Rung, Variant, ladder
from ringtop.bpf.kernel.layout import COUNTERS, Counters, ProgramConfig

_CURE = "`ringtop doctor` tells what this kernel lacks."
_SOURCES = Path(__file__).parents[1]
_CAN_ATTACH = {
    "raw tracepoint": "RAW_TRACEPOINT",
    "tracepoint": "TRACEPOINT",
    "kprobe": "KPROBE",
    "kretprobe": "KPROBE",
}


def import_bcc() -> Any:
    """The bcc module of the distribution. Raises CannotTrace when it is missing or is another project of that name."""
    cure = (
        "Install the distribution's package (Debian, Ubuntu: apt-get install python3-bpfcc; Fedora: dnf install "
        "python3-bcc; Arch: pacman -S python-bcc) and use a virtual environment made with the system's interpreter: "
        "/usr/bin/python3 -m venv --system-site-packages. `make setup` does both."
    )
    try:
        import bcc
    except ImportError as e:
        raise CannotTrace("bcc is missing", str(e), cure) from e
    if not hasattr(bcc, "BPF"):
        why = f"{getattr(bcc, '__file__', 'the module found')} is another project called bcc"
        raise CannotTrace("the wrong bcc is installed", why, "Remove it (pip uninstall bcc). " + cure)
    return bcc


@contextmanager
def _stderr_kept() -> Iterator[list[str]]:
    """bcc and clang write to file descriptor 2: keep it for our own messages."""
    kept: list[str] = []
    saved = os.dup(2)
    with os.fdopen(os.memfd_create("stderr"), "w+b") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield kept
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            kept.append(file.read(1 << 20).decode(errors="replace"))


def source(program: str) -> bytes:
    """The program's C text with our own includes put in: bcc rewrites map accesses in the main file only."""
    seen: set[str] = set()

    def text(path: Path) -> str:
        def include(found: re.Match[str]) -> str:
            name = found[1]
            if name in seen:
                return ""
            seen.add(name)
            return text(_SOURCES / "include" / name)

        return re.sub(r'^#include "(\w+\.h)"$', include, path.read_text(), flags=re.MULTILINE)

    return text(_SOURCES / "programs" / f"{program}.bpf.c").encode()


@dataclass
class LoadedByBcc:
    """A program that bcc put into the kernel, not yet attached."""

    program: str
    rung: Rung
    variant: Variant
    bpf: Any
    tried: list[str] = field(default_factory=list)
    """The rungs and variants before this one, each with why it was not used."""

    def __post_init__(self) -> None:
        self._attached = False
        self.unreported = np.zeros(possible_cpus(), np.int64)
        self._ledger = np.zeros((possible_cpus(), 2 + 3 * len(COUNTERS)), np.uint64)

    @property
    def hook(self) -> str:
        """The rung, and the variant where it is not the best."""
        best = self.variant == self.rung.variants[0]
        return self.rung.name if best else f"{self.rung.name} ({self.variant.name})"

    @property
    def without(self) -> str:
        """What rung and variant leave out."""
        return "; ".join(filter(None, (self.rung.without, self.variant.without)))

    def map_fd(self, name: str) -> int:
        """File descriptor of one of the program's maps."""
        fd: int = self.bpf[name.encode()].map_fd
        return fd

    def configure(self, config: ProgramConfig) -> None:
        """Replace the configuration, in place: of what is more than a word, an event that is being handled may see
        both the old and the new."""
        syscall.map_update(self.map_fd("config"), 0, config.pack())

    def exclude(self, ids: set[int], now: set[int]) -> None:
        """Replace the process and thread *ids* whose events are not wanted by those of *now*."""
        fd = self.map_fd("ours")
        for one in now - ids:
            with suppress(OSError):
                syscall.map_update(fd, one, b"\1")
        for one in ids - now:
            with suppress(OSError):
                syscall.map_delete(fd, one)

    def counters(self) -> Counters:
        """The ledger as the kernel has it now."""
        syscall.map_lookup(self.map_fd("ledger"), 0, self._ledger)
        values = self._ledger.copy()
        by = values[:, 2:].reshape(len(values), 3, len(COUNTERS))
        by[:, TRANSPORTS.index("perfbuf"), COUNTERS.index("full")] += self.unreported.astype(np.uint64)
        return Counters(values[:, 0], values[:, 1].view(np.int64), by, not self._attached)

    def missed(self) -> int:
        """Times the kernel skipped a function because it was already running on that CPU."""
        return sum(syscall.program_misses(f.fd) for f in self.bpf.funcs.values())

    def wait_for_runs(self) -> None:
        """Return when every run of the program that began before this call has ended. Raises OSError."""
        syscall.wait_for_programs()

    def attach(self) -> None:
        """From now on the hooks run. Raises CannotTrace."""
        self._attached = True
        for hook in self.rung.hooks:
            told: list[str] = []
            try:
                with _stderr_kept() as told:
                    self._attach(hook)
            except Exception as e:
                what = f"{self.program} could not be attached to {hook.target}"
                raise CannotTrace(what, f"{hook.target}: {_reason(e, told)}", _CURE) from e

    def _attach(self, hook: Hook) -> None:
        target, function = hook.target.encode(), hook.function.encode()
        match hook.kind:
            case "raw tracepoint":
                self.bpf.attach_raw_tracepoint(tp=target, fn_name=function)
            case "tracepoint":
                self.bpf.attach_tracepoint(tp=target, fn_name=function)
            case "kprobe":
                self.bpf.attach_kprobe(event=target, fn_name=function)
            case "kretprobe":
                self.bpf.attach_kretprobe(event=target, fn_name=function)

    def know_parents(self) -> None:
        """Tell a program that follows forks of the processes that are there already."""
        if FOLLOW_FORKS in self.rung.defines:
            parents.seed(self.map_fd("parents"))

    def detach(self) -> None:
        """From now on no hook runs; returns when those that ran have ended. Maps and counters stay.

        In the opposite order, entries before exits: calls on their way can still leave.
        """
        for hook in reversed(self.rung.hooks):
            target = hook.target.encode()
            with _stderr_kept(), suppress(Exception):  # not attached
                match hook.kind:
                    case "raw tracepoint":
                        self.bpf.detach_raw_tracepoint(tp=target)
                    case "tracepoint":
                        self.bpf.detach_tracepoint(tp=target)
                    case "kprobe":
                        self.bpf.detach_kprobe(event=target)
                    case "kretprobe":
                        self.bpf.detach_kretprobe(event=target)
        self.wait_for_runs()
        self._attached = False

    def close(self) -> None:
        """Take the program out of the kernel."""
        with _stderr_kept():
            self.bpf.cleanup()


def _reason(error: Exception, told: list[str]) -> str:
    """The line of the verifier or compiler that says most."""
    lines = [line for text in told for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line] or lines[-2:]
    return f"{error}" + "".join(f" | {line.strip()}" for line in errors[:3])


def _compile(program: str, rung: Rung, variant: Variant, kernel: Kernel, ringbuf: bool, emit: Emit) -> Any:
    bcc = import_bcc()
    flags = [f"-D{name}={value}" for name, value in (kernel.helpers | rung.defines | variant.defines).items()]
    if ringbuf:
        flags += ["-DRINGBUF", *(f"-DEMIT_{way.upper()}" for way in emit.split("+"))]
    told: list[str] = []
    bpf: Any = None
    try:
        with tempfile.TemporaryDirectory(prefix="ringtop-") as tree:
            write_tree(Path(tree), kernel.release)
            os.environ["BCC_KERNEL_SOURCE"] = tree
            with _stderr_kept() as told:
                bpf = bcc.BPF(text=source(program), cflags=flags)
                for name, kind in {h.function: h.kind for h in rung.hooks}.items():
                    bpf.load_func(name.encode(), getattr(bcc.BPF, _CAN_ATTACH[kind]))
    except Exception as e:
        if bpf is not None:
            bpf.cleanup()  # else its maps stay
        raise CannotTrace(f"{program} could not be loaded", _reason(e, told), _CURE) from e
    finally:
        os.environ.pop("BCC_KERNEL_SOURCE", None)
    return bpf


def load(
    program: str, kernel: Kernel, ringbuf: bool, emit: Emit = "output", failed: Mapping[str, str] | None = None
) -> LoadedByBcc:
    """Load *program* by the first rung, and its first variant, that the kernel takes; with the ring buffer in it only
    if *ringbuf*. *failed*: names of rungs that could not be attached, and why. Raises CannotTrace."""
    tried: list[str] = []
    for rung in ladder(program, kernel):
        if why := rung.missing or (failed or {}).get(rung.name, ""):
            tried.append(f"{rung.name}: {why}")
            continue
        for variant in rung.variants:
            try:
                bpf = _compile(program, rung, variant, kernel, ringbuf, emit)
            except CannotTrace as e:
                tried.append(f"{', '.join(filter(None, (rung.name, variant.name)))}: {e.why}")
            else:
                return LoadedByBcc(program, rung, variant, bpf, tried)
    raise CannotTrace(f"{program} cannot run here", "; ".join(tried), _CURE)

"""Brings a program into the kernel, by the best rung of its ladder that works and the best loader for that rung."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.loaders import Loader
from ringtop.bpf.common.sizes import Emit
from ringtop.bpf.common.threads import side_by_side
from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.event.waits import BUCKETS
from ringtop.bpf.kernel import info, parents, syscall
from ringtop.bpf.kernel.features import Kernel, possible_cpus
from ringtop.bpf.kernel.handle import CannotLoad, Handle, NoLoader
from ringtop.bpf.kernel.ladder import FOLLOW_FORKS, Hook, Rung, Variant, ladder
from ringtop.bpf.kernel.layout import COUNTERS, Counters, ProgramConfig
from ringtop.bpf.kernel.marks import Marks

_CURE = "`ringtop doctor` shows what this kernel lacks."


@dataclass
class LoadedProgram:
    """A program that a loader brought into the kernel, not yet attached (``Loaded``)."""

    program: str
    rung: Rung
    variant: Variant
    loader: Loader
    handle: Handle
    tried: list[str] = field(default_factory=list)
    no_core: str = ""
    histogram: bool = False
    """Whether it counts all waits."""

    def __post_init__(self) -> None:
        self._attached = False
        self._sees_failures = True
        self.unreported = np.zeros(possible_cpus(), np.int64)
        self._ledger = np.zeros((possible_cpus(), 2 + 3 * len(COUNTERS)), np.uint64)

    @property
    def hook(self) -> str:
        """The rung, and the variant where it is not the best."""
        best = self.variant == self.rung.variants[0]
        name = self.rung.name if self._sees_failures else self.rung.base
        return name + ("" if best else f" ({self.variant.name})")

    @property
    def without(self) -> str:
        """What the rung and the variant leave out, and the failures while they are not wanted."""
        failures = "" if self._sees_failures else "failures, which the capture filter keeps out: they are not counted"
        return "; ".join(filter(None, (self.rung.without, self.variant.without, failures)))

    def map_fd(self, name: str) -> int:
        """File descriptor of one of the program's maps."""
        return self.handle.map_fd(name)

    def configure(self, config: ProgramConfig) -> None:
        """Replace the configuration in place. An event that is being handled may see old and new values mixed, where
        they are more than one word."""
        syscall.map_update(self.map_fd("config"), 0, config.pack())

    def counters(self) -> Counters:
        """The ledger as the kernel has it now."""
        syscall.map_lookup(self.map_fd("ledger"), 0, self._ledger)
        values = self._ledger.copy()
        by = values[:, 2:].reshape(len(values), 3, len(COUNTERS))
        by[:, TRANSPORTS.index("perfbuf"), COUNTERS.index("full")] += self.unreported.astype(np.uint64)
        return Counters(values[:, 0], values[:, 1].view(np.int64), by, not self._attached)

    def functions(self) -> dict[str, int]:
        """File descriptors of the functions that hooks run, by name."""
        return self.handle.program_fds()

    def waits(self) -> NDArray[np.uint64] | None:
        """The waits that runqslower counted on each CPU (``struct waits`` of its source): those at least as long as the
        threshold, then the BUCKETS. Shape (cpus, 1 + BUCKETS). None where it does not count them."""
        if not self.histogram:
            return None
        counted = np.zeros((possible_cpus(), 1 + BUCKETS), np.uint64)
        syscall.map_lookup(self.map_fd("waits"), 0, counted)
        return counted

    def missed(self) -> int:
        """Times the kernel skipped a function because it was already running on that CPU."""
        return sum(map(info.misses, self.handle.program_fds().values()))

    def wait_for_runs(self) -> None:
        """Return when every run of the program that began before this call has ended. Raises OSError."""
        syscall.wait_for_programs()

    def attach(self) -> None:
        """Attach: from now on the hooks run. Raises CannotTrace."""
        self._attached = True
        self._attach(h for h in self.rung.hooks if self._sees_failures or h not in self.rung.failures)

    def _attach(self, hooks: Iterable[Hook]) -> None:
        for hook in hooks:
            try:
                self.handle.attach(hook)
            except CannotLoad as e:
                what = f"{self.program} could not be attached to {hook.target}"
                raise CannotTrace(what, f"{hook.target}: {e}", _CURE) from e

    def _detach(self, hooks: tuple[Hook, ...]) -> None:
        """Detach in the opposite order, entries before exits, so that calls in flight can still return. For each hook
        the kernel waits for its grace periods; these waits overlap."""
        side_by_side(partial(self.handle.detach, hook) for hook in reversed(hooks))
        self.wait_for_runs()

    def see_failures(self, wanted: bool) -> None:
        """Attach the hooks that see failures alone, or detach them: they make every system call of the machine slower.
        Raises CannotTrace, and then they are detached."""
        if not self.rung.failures or wanted == self._sees_failures:
            return
        self._sees_failures = wanted
        if not self._attached:
            return
        if wanted:
            try:
                self._attach(self.rung.failures)
            except CannotTrace:
                self.see_failures(False)
                raise
        else:
            self._detach(self.rung.failures)
            # Calls may have entered whose return is not seen. A later one must not be taken for such a return.
            syscall.map_clear(self.map_fd("requests"))

    def know_parents(self) -> None:
        """Give a program that follows forks the parents of the processes that exist already."""
        if FOLLOW_FORKS in self.rung.defines:
            parents.seed(self.map_fd("parents"))

    def detach(self) -> None:
        """Detach: from now on no hook runs. Returns when the runs that had begun have ended. Maps and counters stay."""
        self._detach(self.rung.hooks)
        self._attached = False

    def forget(self) -> None:
        """Begin anew, with all counters at 0. Must not be called while attached."""
        syscall.map_update(self.map_fd("ledger"), 0, bytes(self._ledger.nbytes))
        if FOLLOW_FORKS in self.rung.defines:
            syscall.map_clear(self.map_fd("parents"))

    def close(self) -> None:
        """Take the program out of the kernel."""
        self.handle.close()


def _load(
    loader: Loader, program: str, rung: Rung, variant: Variant, kernel: Kernel, parameters: Mapping[str, int]
) -> Handle:
    """Load by *loader*, of which only the needed one is imported. Raises CannotLoad."""
    if loader == "core":
        from ringtop.bpf.kernel.core_loader import CoreProgram

        return CoreProgram(rung, kernel, parameters)
    from ringtop.bpf.kernel.bcc_loader import BccProgram

    return BccProgram(program, rung, variant, kernel, parameters)


def _loaders(variant: Variant, loader: Loader | Literal["auto"]) -> list[Loader]:
    """The loaders for *variant*, best first, of those that are asked for."""
    able: list[Loader] = ["bcc"] if variant.defines else ["core", "bcc"]
    return [one for one in able if loader in ("auto", one)]


def load(
    program: str,
    kernel: Kernel,
    ringbuf: bool,
    emit: Emit = "output",
    failed: Mapping[str, str] | None = None,
    loader: Loader | Literal["auto"] = "auto",
    histogram: bool = True,
    marks: Marks | None = None,
) -> LoadedProgram:
    """Load *program* by the first rung that the kernel accepts, and by *loader*; ``auto`` prefers ``core`` to ``bcc``.
    The ring buffer is in it only if *ringbuf*, and runqslower's count of all waits only if *histogram*. *failed* are
    the names of rungs that could not be attached, and why. Without *marks*, no task is marked. Raises CannotTrace."""
    if marks is None:
        with closing(Marks(kernel)) as marks:  # the program keeps it
            return load(program, kernel, ringbuf, emit, failed, loader, histogram, marks)
    tried: list[str] = []
    gone: dict[Loader, NoLoader] = {}
    asked = {f"EMIT_{way.upper()}": int(way in emit.split("+")) for way in ("reserve", "query")}
    asked |= {"RINGBUF": int(ringbuf), "HISTOGRAM": int(histogram)}
    asked |= {"MARKS_SHIFT": marks.shift, "marks_fd": marks.fd, "origins_fd": marks.origins.fd}
    asked |= {"scope_fd": marks.group.fd, "CONTROLLER": kernel.controller}
    for rung in ladder(program, kernel):
        if why := rung.missing or (failed or {}).get(rung.name, ""):
            tried.append(f"{rung.name}: {why}")
            continue
        no_core = ""
        for variant in rung.variants:
            parameters = rung.parameters | variant.parameters | asked
            refused: dict[Loader, str] = {}
            for by in _loaders(variant, loader):
                if by in gone:
                    continue
                try:
                    handle = _load(by, program, rung, variant, kernel, parameters)
                except NoLoader as e:
                    gone[by] = e
                except CannotLoad as e:
                    refused[by] = str(e)
                else:
                    no_core = "" if by == "core" else refused.get("core") or no_core or str(gone.get("core", ""))
                    counts = histogram and "latency" in SCHEMAS[program]
                    return LoadedProgram(program, rung, variant, by, handle, tried, no_core, counts)
            no_core = refused.get("core", no_core)
            if refused:
                why = "; ".join(f"{by}: {reason}" if by == "core" else reason for by, reason in refused.items())
                tried.append(f"{', '.join(filter(None, (rung.name, variant.name)))}: {why}")
    tried += [str(e) for e in gone.values() if not any(str(e) in one for one in tried)]
    cure = next((e.cure for e in gone.values() if e.cure), _CURE)
    raise CannotTrace(f"{program} cannot run here", "; ".join(tried), cure)

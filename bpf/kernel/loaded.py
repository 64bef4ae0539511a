"""A program in the kernel, as the rooms above use it, whichever loader loaded it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.loaders import Loader
from ringtop.bpf.kernel.ladder import Rung
from ringtop.bpf.kernel.layout import Counters, ProgramConfig


class Loaded(Protocol):
    """A program in the kernel, not yet attached."""

    @property
    def program(self) -> str:
        """The program's name in ``SCHEMAS``."""

    @property
    def rung(self) -> Rung:
        """The rung by which it is attached."""

    @property
    def hook(self) -> str:
        """The name of the rung, with what is attached for failures, and of the variant where it is not the best."""

    @property
    def without(self) -> str:
        """What the rung and the variant leave out compared with the best ones."""

    @property
    def tried(self) -> list[str]:
        """The rungs and variants before this one, each with why it was not used."""

    @property
    def loader(self) -> Loader:
        """The loader that loaded it."""

    @property
    def no_core(self) -> str:
        """Why the loader is not ``core``; empty where it is, or where ``core`` was not tried."""

    unreported: NDArray[np.int64]
    """Events, by CPU, that found no room in a perf buffer without the kernel reporting it. The code that finds them
    adds them here, and the counters include them as ``full``."""

    def map_fd(self, name: str) -> int:
        """File descriptor of one of the program's maps."""

    def configure(self, config: ProgramConfig) -> None:
        """Replace the configuration in place. An event that is being handled may see old and new values mixed, where
        they are more than one word."""

    def counters(self) -> Counters:
        """The ledger as the kernel has it now."""

    def functions(self) -> dict[str, int]:
        """File descriptors of the functions that hooks run, by name."""

    def waits(self) -> NDArray[np.uint64] | None:
        """The waits that runqslower counted on each CPU: those at least as long as the threshold, then the BUCKETS.
        Shape (cpus, 1 + BUCKETS). None where it does not count them."""

    def missed(self) -> int:
        """Times the kernel skipped a function because it was already running on that CPU."""

    def wait_for_runs(self) -> None:
        """Return when every run of the program that began before this call has ended. Raises OSError."""

    def attach(self) -> None:
        """Attach: from now on the hooks run. Raises CannotTrace."""

    def see_failures(self, wanted: bool) -> None:
        """Attach the hooks that see failures alone, or detach them. Raises CannotTrace, and then they are detached."""

    def know_parents(self) -> None:
        """Give a program that follows forks the parents of the processes that exist already."""

    def detach(self) -> None:
        """Detach: from now on no hook runs. Returns when the runs that had begun have ended. Maps and counters stay."""

    def forget(self) -> None:
        """Begin anew, with all counters at 0. Must not be called while attached."""

    def close(self) -> None:
        """Take the program out of the kernel."""

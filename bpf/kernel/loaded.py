"""A program in the kernel, as everything above this room knows it, whoever loaded it."""

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
        """Its name in SCHEMAS."""

    @property
    def rung(self) -> Rung:
        """How it is attached."""

    @property
    def hook(self) -> str:
        """The rung, and the variant where it is not the best."""

    @property
    def without(self) -> str:
        """What rung and variant leave out of what the best ones tell."""

    @property
    def tried(self) -> list[str]:
        """The rungs and variants before this one, each with why it was not used."""

    @property
    def loader(self) -> Loader:
        """Who loaded it."""

    @property
    def no_core(self) -> str:
        """Why that was not ``core``; empty where it was, or where nobody asked it."""

    unreported: NDArray[np.int64]
    """Events, by CPU, that found no room in a perf buffer and that the kernel did not report: whoever finds them adds
    them here, and the counters have them as ``full``."""

    def map_fd(self, name: str) -> int:
        """File descriptor of one of the program's maps."""

    def configure(self, config: ProgramConfig) -> None:
        """Replace the configuration, in place: of what is more than a word, an event that is being handled may see
        both the old and the new."""

    def exclude(self, ids: set[int], now: set[int]) -> None:
        """Replace the process and thread *ids* whose events are not wanted by those of *now*."""

    def counters(self) -> Counters:
        """The ledger as the kernel has it now."""

    def missed(self) -> int:
        """Times the kernel skipped a function because it was already running on that CPU."""

    def wait_for_runs(self) -> None:
        """Return when every run of the program that began before this call has ended. Raises OSError."""

    def attach(self) -> None:
        """From now on the hooks run. Raises CannotTrace."""

    def know_parents(self) -> None:
        """Tell a program that follows forks of the processes that are there already."""

    def detach(self) -> None:
        """From now on no hook runs; returns when those that ran have ended. Maps and counters stay."""

    def forget(self) -> None:
        """Not attached: it begins anew, with all counters at 0."""

    def close(self) -> None:
        """Take the program out of the kernel."""

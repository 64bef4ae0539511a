"""The machine on which the viewer runs; the header shows it when the events come from it."""

from __future__ import annotations

import os
import time
from typing import Protocol


class Host(Protocol):
    """The facts that the header needs about a machine."""

    def load(self) -> tuple[float, float, float]:
        """The load averages over 1, 5 and 15 minutes."""

    def uptime(self) -> int:
        """The seconds since the machine started."""


class LocalHost:
    """The machine on which the viewer runs."""

    def load(self) -> tuple[float, float, float]:
        """This machine's load averages over 1, 5 and 15 minutes."""
        return os.getloadavg()

    def uptime(self) -> int:
        """The seconds since this kernel started."""
        return int(time.clock_gettime(time.CLOCK_BOOTTIME))

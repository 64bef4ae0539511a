"""The machine the viewer runs on; shown where the events are its own."""

from __future__ import annotations

import os
import time
from typing import Protocol


class Host(Protocol):
    """What the header asks for."""

    def load(self) -> tuple[float, float, float]:
        """Load averages."""

    def uptime(self) -> int:
        """Seconds since the start."""


class LocalHost:
    """This machine."""

    def load(self) -> tuple[float, float, float]:
        """Load averages over 1, 5 and 15 minutes."""
        return os.getloadavg()

    def uptime(self) -> int:
        """Seconds since the kernel started."""
        return int(time.clock_gettime(time.CLOCK_BOOTTIME))

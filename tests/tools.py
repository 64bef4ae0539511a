"""Programs that the set-up for the tests brings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

_DEBIAN = Path("/etc/debian_version")


def tool(name: str, path: str | None = None) -> str:
    """Where the program *name* is. The set-up installs all that Debian and its kin have, so only elsewhere may one be
    missing, and the test is skipped."""
    found = shutil.which(name, path=path)
    if found is None:
        assert not _DEBIAN.exists(), f"no {name}: run .ci/setup test as root"
        pytest.skip(f"no {name} here")
    return found

"""Programs that the set-up for the tests brings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

_DEBIAN = Path("/etc/debian_version")


def tool(name: str, path: str | None = None) -> str:
    """Where the program *name* is. On Debian and its kin the set-up installs all of them, so a missing one fails the
    test. Elsewhere some are not packaged (see .ci/setup), and tests that need one of those are skipped."""
    found = shutil.which(name, path=path)
    if found is None:
        assert not _DEBIAN.exists(), f"no {name}: run .ci/setup test as root"
        pytest.skip(f"this distribution does not package {name}")
    return found

"""How many examples the property tests try: few where somebody waits (`make check`), many where there is time.

And a locale with UTF-8 for all that asks when it is imported, whatever the machine has."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Without deadlines: a busy machine is no bug.
settings.register_profile("check", max_examples=10, deadline=None)
# The same examples each time, so that a change is judged by what it changes; make check draws new ones.
settings.register_profile("thorough", max_examples=150, deadline=None, derandomize=True)
settings.load_profile("thorough")  # unless --hypothesis-profile says otherwise

for name in ("LC_ALL", "LC_CTYPE"):
    os.environ.pop(name, None)
os.environ["LANG"] = "C.UTF-8"
# What these tests start gets SIGHUP even where nohup started them, and SIGINT even where a shell did in the background.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder where every user may write, as what root starts runs as others."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is about the machine and needs it for itself."""
    machine = {Path(__file__).parent / room for room in ("kernel", "link", "ssh")}
    for item in items:
        if machine & set(item.path.parents) and item.get_closest_marker("beside") is None:
            item.add_marker("alone")

"""Fuzz all that ringtop decodes, guided by coverage: ``make fuzz``, or ``python -m tests.fuzz [TARGET…]``.

Each target runs in a process of its own. What it learns stays in ``.fuzz``, where the next run goes on; an input that
breaks something is named, and ``python -m tests.fuzz.targets TARGET FILE`` repeats it. Every input found so becomes a
test of its own near what it broke.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

_LEARNT = Path(".fuzz")
_MOST_FILES = 1000
_LIMITS = ("-max_len=4096", "-timeout=10", "-rss_limit_mb=700")
"""An input may be so many bytes long, and take so many seconds and so much memory, some 300 MiB of which are ours."""


def _fuzz(name: str, seconds: int) -> bool:
    """Whether nothing was found."""
    corpus = _LEARNT / name
    corpus.mkdir(parents=True, exist_ok=True)
    for learnt in sorted(corpus.iterdir(), key=lambda file: file.stat().st_size)[_MOST_FILES:]:
        learnt.unlink()
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    flags = [*_LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={_LEARNT / name}-"]
    command = [sys.executable, "-m", "tests.fuzz.targets", name, str(corpus), *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = done.stdout.splitlines()
    if done.returncode == 0:
        print(f"{name}: {lines[-1]}", flush=True)
        return True
    print(f"{name}: found something:", *lines[-60:], sep="\n", flush=True)
    return False


def main() -> int:
    """Return the exit status: 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together (default: %(default)s)")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    found = [name for name in names if not _fuzz(name, options.seconds // len(names))]
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

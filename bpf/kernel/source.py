"""The C source of the programs."""

from __future__ import annotations

import re
from pathlib import Path

HOME = Path(__file__).parents[1]
"""The folder bpf/."""


def text(program: str) -> bytes:
    """The source of a program with ringtop's includes inlined, because bcc rewrites map accesses in the main file
    only."""
    seen: set[str] = set()

    def one(path: Path) -> str:
        def include(found: re.Match[str]) -> str:
            name = found[1]
            if name in seen:
                return ""
            seen.add(name)
            return one(HOME / "include" / name)

        return re.sub(r'^#include "([\w/]+\.h)"$', include, path.read_text(), flags=re.MULTILINE)

    return one(HOME / "programs" / f"{program}.bpf.c").encode()

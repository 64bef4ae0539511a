"""What the terminal can show, as the locale in the environment tells."""

from __future__ import annotations

import os
from collections.abc import Mapping


def utf8(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale's encoding is UTF-8, or none is named.

    Read from the environment: Python itself answers UTF-8 in the C locale. LC_CTYPE=C.UTF-8 is what Python sets there.
    """
    ctype = environ.get("LC_CTYPE", "")
    name = environ.get("LC_ALL") or ("" if ctype == "C.UTF-8" else ctype) or environ.get("LANG") or "UTF-8"
    return "utf8" in name.lower().replace("-", "")

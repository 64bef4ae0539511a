"""The terminal's encoding, as the locale in the environment names it."""

from __future__ import annotations

import os
from collections.abc import Mapping


def utf8(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the locale's encoding is UTF-8, or no encoding is named.

    The environment is read because Python itself reports UTF-8 in the C locale. There Python sets LC_CTYPE=C.UTF-8, so
    that value is ignored.
    """
    ctype = environ.get("LC_CTYPE", "")
    name = environ.get("LC_ALL") or ("" if ctype == "C.UTF-8" else ctype) or environ.get("LANG") or "UTF-8"
    return "utf8" in name.lower().replace("-", "")

"""Libraries that not everybody needs: extras of ringtop bring them."""

from __future__ import annotations

import importlib.util
import sys

from ringtop.bpf.common.errors import CannotTrace


def need(module: str, extra: str, what: str) -> None:
    """Raise CannotTrace unless the library *module*, which the *extra* of ringtop brings, is there for *what*."""
    if importlib.util.find_spec(module) is None:
        cure = f"To install it: {sys.executable} -m pip install 'ringtop[{extra}]'"
        if importlib.util.find_spec("pip") is None:
            cure += "\nThat takes pip (Debian, Ubuntu: apt-get install python3-pip)."
        raise CannotTrace(f"no {what}", f"it needs the Python package {module}, which is not installed.", cure)

"""``ringtop --version``: what a report of a fault should tell."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import click


def show(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Print the versions and end, if *asked*; the callback of a flag."""
    if not asked or context.resilient_parsing:
        return
    for name, version in versions().items():
        click.echo(f"{name:<9}{version}")
    context.exit()


def versions() -> dict[str, str]:
    """The version of ringtop and of what it stands on; both libraries that load BPF programs are optional."""
    from importlib import metadata  # takes long to import, and other commands need not wait for it

    return {
        "ringtop": metadata.version("ringtop"),
        "python": platform.python_version(),
        "kernel": f"{platform.release()} {platform.machine()}",
        "textual": metadata.version("textual"),
        "numpy": metadata.version("numpy"),
        "libbpf": _libbpf(),
        "bcc": _bcc(),
    }


def _libbpf() -> str:
    from ringtop.bpf.kernel.libbpf import Libbpf, NoLibbpf  # only here: commands need not wait for it

    try:
        return Libbpf().version
    except NoLibbpf as e:
        return f"none: {e}"


def _bcc() -> str:
    """From its file: importing it loads a compiler."""
    from importlib.util import find_spec

    spec = find_spec("bcc")
    if spec is None or spec.origin is None:
        return "none"
    try:
        found = re.search(r"""__version__ = ['"]([\w.+-]+)""", Path(spec.origin).with_name("version.py").read_text())
    except OSError:
        found = None
    return found[1] if found else "unknown version"

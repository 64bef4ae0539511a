"""Makes the objects that are compiled beforehand (``make objects``), byte for byte the same on every machine.

Each object holds the digest of its source, its compiler and its flags. So a check whether it is up to date needs no
compiler.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import requires, version
from pathlib import Path
from tempfile import TemporaryDirectory

from ringtop.bpf.kernel.source import HOME, text

_FLAGS = (
    *("-target", "bpfel-freestanding", "-mcpu=v2", "-O2", "-Wall", "-Wno-unused", "-Werror"),
    "-ffunction-sections",  # a program for libbpf is a section
    "-gcodeview",  # BTF without DWARF: LLVM writes DWARF as well, unless asked for Windows' format
    "-fdebug-compilation-dir=.",  # an object holds the name of its source
    "-fno-ident",  # so that the digest is alone in its section
    *("-DCORE", "-DBTF_OFFSETS"),
)
_MACHINES = ("x86_64", "aarch64")


@dataclass(frozen=True, slots=True)
class Object:
    """An object that is compiled beforehand."""

    name: str
    program: str
    flags: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The path of the object."""
        return HOME / "objects" / f"{self.name}.bpf.o"

    @property
    def digest(self) -> str:
        """The digest of the source, compiler and flags as they are now."""
        parts = (text(self.program), compiler().encode(), *(flag.encode() for flag in self.flags))
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    @property
    def made_of(self) -> str:
        """The digest that it holds."""
        found = re.search(rb"\0ringtop ([0-9a-f]{64})\0", self.path.read_bytes())
        return found[1].decode() if found else ""

    def make(self) -> None:
        """Compile the object. Raises subprocess.CalledProcessError, after the compiler has printed why."""
        code = text(self.program) + f'__asm__(".ident \\"ringtop {self.digest}\\"");\n'.encode()
        self.path.parent.mkdir(exist_ok=True)
        with TemporaryDirectory() as folder:
            (source := Path(folder, f"{self.program}.bpf.c")).write_bytes(code)
            command = [sys.executable, "-m", "ziglang", "cc", *self.flags, "-c", source.name, "-o", str(self.path)]
            subprocess.run(command, cwd=folder, env=os.environ | {"ZIG_GLOBAL_CACHE_DIR": folder}, check=True)


def objects() -> Iterator[Object]:
    """All objects, for all machines."""
    for name, program, *flags in (
        ("runqslower", "runqslower"),
        ("execsnoop", "execsnoop"),
        ("exitsnoop", "exitsnoop"),
        ("unlinksnoop-syscalls", "unlinksnoop", "-DHAS_UNLINK"),
    ):
        yield Object(name, program, (*_FLAGS, *flags))
    for machine in _MACHINES:  # programs that read registers
        flags = ["-DKERNEL_FUNCTIONS", f"-D__TARGET_ARCH_{machine}"]
        yield Object(f"unlinksnoop-kprobes.{machine}", "unlinksnoop", (*_FLAGS, *flags))


def compiler() -> str:
    """The compiler as pip names it: 'ziglang==0.17.1'."""
    wanted = (one.partition(";")[0].strip() for one in requires("ringtop") or ())
    return next(one for one in wanted if one.startswith("ziglang"))


def main() -> None:
    """Make all objects, by the compiler that the project requires."""
    if compiler() != (found := f"ziglang=={version('ziglang')}"):
        sys.exit(f"ringtop: the objects are to be made by {compiler()}, and {found} is installed")
    for one in objects():
        one.make()
        print(f"{one.path.stat().st_size:7} {one.path.name}")


if __name__ == "__main__":
    main()

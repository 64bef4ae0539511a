"""Loader ``bcc``: compiles the program on this machine. It needs no BTF, but a second of CPU and 100 MiB of memory."""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import source
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.handle import CannotLoad, NoLoader
from ringtop.bpf.kernel.headers import write_tree
from ringtop.bpf.kernel.ladder import Hook, Rung, Variant
from ringtop.bpf.kernel.tracepoints import Tracepoints

_CAN_ATTACH = {
    "raw tracepoint": "RAW_TRACEPOINT",
    "tracepoint": "TRACEPOINT",
    "kprobe": "KPROBE",
    "kretprobe": "KPROBE",
}

_bcc = threading.RLock()
"""Held by the thread that uses bcc: it changes the process's folder, environment and standard error."""


def import_bcc() -> Any:
    """The bcc module of the distribution. Raises CannotTrace when it is missing or is another project of that name."""
    cure = (
        "Install the distribution's package (Debian, Ubuntu: apt-get install python3-bpfcc; Fedora: dnf install "
        "python3-bcc; Arch: pacman -S python-bcc) and use a virtual environment made with the system's interpreter: "
        "/usr/bin/python3 -m venv --system-site-packages. `make setup` does both."
    )
    # This call releases the GIL while LLVM is read from the disk; `import` would let no other thread run.
    ctypes.CDLL(None).dlopen(b"libbcc.so.0", os.RTLD_NOW)
    try:
        import bcc
    except ImportError as e:
        raise CannotTrace("bcc is missing", str(e), cure) from e
    except Exception as e:
        raise CannotTrace("bcc is broken", f"{type(e).__name__}: {e}", cure) from e
    if not hasattr(bcc, "BPF"):
        why = f"{getattr(bcc, '__file__', 'the module found')} is another project called bcc"
        raise CannotTrace("the wrong bcc is installed", why, "Remove it (pip uninstall bcc). " + cure)
    return bcc


@contextmanager
def _stderr_kept() -> Iterator[list[str]]:
    """Collect what bcc and clang write to file descriptor 2, for ringtop's own messages."""
    kept: list[str] = []
    with _bcc, os.fdopen(os.memfd_create("stderr"), "w+b") as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield kept
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            kept.append(file.read(1 << 20).decode(errors="replace"))


class BccProgram:
    """A *program* in the kernel, compiled for a *variant* of a *rung* with *parameters* by name. Raises CannotLoad."""

    def __init__(
        self, program: str, rung: Rung, variant: Variant, kernel: Kernel, parameters: Mapping[str, int]
    ) -> None:
        if foreign := {hook.kind for hook in rung.hooks} - _CAN_ATTACH.keys():
            raise CannotLoad(f"bcc is not used for a {foreign.pop()}")
        self._tracepoints = Tracepoints(rung.hooks, kernel)
        with _bcc:
            self._load(program, rung, variant, kernel, parameters)

    def _load(self, program: str, rung: Rung, variant: Variant, kernel: Kernel, parameters: Mapping[str, int]) -> None:
        try:
            bcc = import_bcc()
        except CannotTrace as e:
            raise NoLoader(f"{e.what} ({e.why})", e.cure) from e
        entries = {f"{name}_entries": number for name, number in rung.entries.items()}
        defines = kernel.helpers | rung.defines | variant.defines | entries | dict(parameters)
        flags = [f"-D{name}={value}" for name, value in defines.items()]
        output: list[str] = []
        self.bpf: Any = None
        try:
            with tempfile.TemporaryDirectory(prefix="ringtop-") as tree:
                write_tree(Path(tree), kernel.release)
                os.environ["BCC_KERNEL_SOURCE"] = tree
                with _stderr_kept() as output:
                    self.bpf = bcc.BPF(text=source.text(program), cflags=flags)
                    for name, kind in {h.function: h.kind for h in rung.hooks}.items():
                        self.bpf.load_func(name.encode(), getattr(bcc.BPF, _CAN_ATTACH[kind]))
        except Exception as e:
            if self.bpf is not None:
                self.close()  # else its maps stay
            raise CannotLoad(_reason(e, output)) from e
        finally:
            os.environ.pop("BCC_KERNEL_SOURCE", None)

    def map_fd(self, name: str) -> int:
        """File descriptor of one of the maps."""
        fd: int = self.bpf[name.encode()].map_fd
        return fd

    def program_fds(self) -> dict[str, int]:
        """File descriptors of the functions, by name."""
        return {name.decode(): function.fd for name, function in self.bpf.funcs.items()}

    def attach(self, hook: Hook) -> None:
        """Attach the hook. Raises CannotLoad."""
        target, function = hook.target.encode(), hook.function.encode()
        output: list[str] = []
        try:
            with _stderr_kept() as output:
                match hook.kind:
                    case "raw tracepoint":
                        self.bpf.attach_raw_tracepoint(tp=target, fn_name=function)
                    case "tracepoint":
                        self._tracepoints.attach(hook, self.bpf.funcs[function].fd)
                    case "kprobe":
                        self.bpf.attach_kprobe(event=target, fn_name=function)
                    case "kretprobe":
                        self.bpf.attach_kretprobe(event=target, fn_name=function)
        except Exception as e:
            raise CannotLoad(_reason(e, output)) from e

    def detach(self, hook: Hook) -> None:
        """Detach the hook. It need not be attached."""
        self._tracepoints.detach(hook)
        target = hook.target.encode()
        with _stderr_kept(), suppress(Exception):
            match hook.kind:
                case "raw tracepoint":
                    self.bpf.detach_raw_tracepoint(tp=target)
                case "kprobe":
                    self.bpf.detach_kprobe(event=target)
                case "kretprobe":
                    self.bpf.detach_kretprobe(event=target)

    def close(self) -> None:
        """Take the program out of the kernel."""
        self._tracepoints.close()
        with _stderr_kept():
            self.bpf.cleanup()


def _reason(error: Exception, output: list[str]) -> str:
    """The lines of the verifier or the compiler that explain most."""
    lines = [line for text in output for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line] or lines[-2:]
    return f"{error}" + "".join(f" | {line.strip()}" for line in errors[:3])

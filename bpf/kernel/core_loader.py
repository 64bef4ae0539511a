"""Loader ``core``: an object that was compiled beforehand. libbpf relocates it for the running kernel (CO-RE) and loads
it."""

from __future__ import annotations

import platform
import struct
import threading
from collections.abc import Mapping
from pathlib import Path

from ringtop.bpf.kernel.btf import BTF
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.handle import CannotLoad, NoLoader
from ringtop.bpf.kernel.ladder import Hook, Rung
from ringtop.bpf.kernel.libbpf import LibbpfError, NoLibbpf, libbpf
from ringtop.bpf.kernel.source import HOME
from ringtop.bpf.kernel.tracepoints import Tracepoints

_TYPES = {"kprobe": 2, "kretprobe": 2, "tracepoint": 5, "raw tracepoint": 17, "BTF tracepoint": 26}
"""``enum bpf_prog_type``."""
_TRACE_RAW_TP = 23
"""Of ``enum bpf_attach_type``: what makes a program of type 26 one for a tracepoint."""
_loads = threading.Lock()
"""Held while libbpf loads an object: it then has a copy of the kernel's BTF of its own, which takes 11 MiB."""


class CoreProgram:
    """The object of a *rung* in the kernel, with *parameters* by name. Raises CannotLoad."""

    def __init__(self, rung: Rung, kernel: Kernel, parameters: Mapping[str, int]) -> None:
        if isinstance(kernel.btf, str):
            raise NoLoader(kernel.btf)
        path = _object(rung.object)
        try:
            self._lib = libbpf()
        except NoLibbpf as e:
            raise NoLoader(str(e)) from e
        self._links: dict[Hook, int] = {}
        self._tracepoints = Tracepoints(rung.hooks, kernel)
        try:
            self._object = self._lib.call("bpf_object__open_file", bytes(path), None)
        except LibbpfError as e:
            raise CannotLoad(_reason(e)) from e
        try:
            with _loads:
                self._load(path, rung, kernel, parameters)
        except LibbpfError as e:
            self.close()
            raise CannotLoad(_reason(e)) from e
        except CannotLoad:
            self.close()
            raise

    def _load(self, path: Path, rung: Rung, kernel: Kernel, parameters: Mapping[str, int]) -> None:
        lib, types = self._lib, BTF(self._lib, self._lib.call("bpf_object__btf", self._object))
        for hook in rung.hooks:
            _compare(hook, types, kernel)
        if not parameters["RINGBUF"]:
            if not lib.has("bpf_map__set_autocreate"):
                raise CannotLoad("the kernel has no ring buffer, and libbpf is older than 0.8")
            lib.call("bpf_map__set_autocreate", self._map("ringbuf"), False)
        for shared in ("marks", "origins", "scope"):
            lib.call("bpf_map__reuse_fd", self._map(shared), parameters[f"{shared}_fd"])
        for name, entries in rung.entries.items():
            lib.call("bpf_map__set_max_entries", self._map(name), entries)
        self._set_parameters(path, types.variables(".rodata"), parameters)
        hooks = {hook.function: hook for hook in rung.hooks}
        self._programs: dict[str, int] = {}
        for program in self._all_programs():
            name = lib.bpf_program__name(program).decode()
            if name not in hooks:
                lib.call("bpf_program__set_autoload", program, False)
                continue
            self._programs[name] = program
            lib.bpf_program__set_type(program, _TYPES[hooks[name].kind])
            if hooks[name].kind == "BTF tracepoint":
                lib.bpf_program__set_expected_attach_type(program, _TRACE_RAW_TP)
                lib.call("bpf_program__set_attach_target", program, 0, hooks[name].target.encode())
        lib.call("bpf_object__load", self._object)

    def _all_programs(self) -> list[int]:
        lib, last = self._lib, None
        programs: list[int] = []
        while True:
            if lib.has("bpf_object__next_program"):
                last = lib.bpf_object__next_program(self._object, last)
            else:
                last = lib.bpf_program__next(last, self._object)
            if not last:
                return programs
            programs.append(last)

    def _set_parameters(self, path: Path, variables: dict[str, tuple[int, int]], values: Mapping[str, int]) -> None:
        """Set the variables of the section ``.rodata``, all of which are parameters of 4 bytes."""
        data = bytearray(sum(size for _, size in variables.values()))
        for name, (offset, _) in variables.items():
            struct.pack_into("=I", data, offset, values[name])
        name = ".rodata"
        # Before 0.8 libbpf knows it only by its name in the kernel: 15 characters, beginning with the file's name.
        names = (name, path.name.partition(".")[0][: 15 - len(name)] + name)
        section = next(filter(None, (self._lib.bpf_object__find_map_by_name(self._object, n.encode()) for n in names)))
        self._lib.call("bpf_map__set_initial_value", section, bytes(data), len(data))

    def _map(self, name: str) -> int:
        found: int = self._lib.call("bpf_object__find_map_by_name", self._object, f"{name}_".encode())
        return found

    def map_fd(self, name: str) -> int:
        """File descriptor of one of the maps."""
        fd: int = self._lib.call("bpf_map__fd", self._map(name))
        return fd

    def program_fds(self) -> dict[str, int]:
        """File descriptors of all functions that were loaded, by name."""
        return {name: self._lib.call("bpf_program__fd", program) for name, program in self._programs.items()}

    def attach(self, hook: Hook) -> None:
        """Attach the hook. Raises CannotLoad."""
        program, target = self._programs[hook.function], hook.target.encode()
        try:
            match hook.kind:
                case "BTF tracepoint":
                    link = self._lib.call("bpf_program__attach_trace", program)
                case "raw tracepoint":
                    link = self._lib.call("bpf_program__attach_raw_tracepoint", program, target)
                case "tracepoint":
                    self._tracepoints.attach(hook, self._lib.call("bpf_program__fd", program))
                    return
                case "kprobe" | "kretprobe":
                    returns = hook.kind == "kretprobe"
                    link = self._lib.call("bpf_program__attach_kprobe", program, returns, target)
        except LibbpfError as e:
            raise CannotLoad(_reason(e)) from e
        self._links[hook] = link

    def detach(self, hook: Hook) -> None:
        """Detach the hook. It need not be attached."""
        self._tracepoints.detach(hook)
        if link := self._links.pop(hook, None):
            self._lib.bpf_link__destroy(link)

    def close(self) -> None:
        """Detach all hooks, and take the program out of the kernel."""
        self._tracepoints.close()
        for hook in list(self._links):
            self.detach(hook)
        self._lib.bpf_object__close(self._object)


def _object(name: str) -> Path:
    """The path of the object called *name*, or of the one for this machine. Raises CannotLoad."""
    for stem in (name, f"{name}.{platform.machine()}"):
        if (path := HOME / "objects" / f"{stem}.bpf.o").exists():
            return path
    raise CannotLoad("no object is compiled for this hook")


def _compare(hook: Hook, types: BTF, kernel: Kernel) -> None:
    """Raises CannotLoad where a tracepoint's fields are not where the object looks for them."""
    if hook.kind != "tracepoint":
        return
    category, event = hook.target.split(":")
    here = kernel.tracepoint_fields(category, event)
    for name, place in types.fields(f"tracepoint__{category}__{event}").items():
        if here.get(name) != place:
            raise CannotLoad(f"the tracepoint {hook.target} has another format than the one compiled in ({name})")


def _reason(error: LibbpfError) -> str:
    """The lines of libbpf that explain most: the first, and the verifier's last before its statistics."""
    lines = [line for line in error.lines if "BEGIN PROG LOAD LOG" not in line and not line.startswith("processed ")]
    return f"{error.strerror}" + "".join(f" | {line.strip()}" for line in lines[:1] + lines[1:][-2:])

"""BTF, the types of the kernel or of an object, as libbpf reads it: offsets of fields, and arguments of tracepoints.

Layouts of ``struct btf_type`` and the data behind it: include/uapi/linux/btf.h.
"""

from __future__ import annotations

import ctypes as ct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringtop.bpf.kernel.libbpf import Libbpf, LibbpfError, NoLibbpf, libbpf

VMLINUX = Path("/sys/kernel/btf/vmlinux")

_PTR, _STRUCT, _UNION, _ENUM, _TYPEDEF, _FUNC, _FUNC_PROTO, _DATASEC = 2, 4, 5, 6, 8, 12, 13, 15
_MODIFIERS = (8, 9, 10, 11)  # typedef, volatile, const, restrict


class _Type(ct.Structure):
    _fields_ = (("name_off", ct.c_uint32), ("info", ct.c_uint32), ("size_or_type", ct.c_uint32))

    @property
    def kind(self) -> int:
        return int(self.info >> 24 & 0x1F)

    @property
    def vlen(self) -> int:
        return int(self.info & 0xFFFF)


class _Member(ct.Structure):
    _fields_ = (("name_off", ct.c_uint32), ("type", ct.c_uint32), ("offset", ct.c_uint32))


class _Enumerator(ct.Structure):
    _fields_ = (("name_off", ct.c_uint32), ("value", ct.c_int32))


class _Variable(ct.Structure):
    _fields_ = (("type", ct.c_uint32), ("offset", ct.c_uint32), ("size", ct.c_uint32))


class NoBTF(Exception):
    """This kernel's types cannot be read; the text says why."""


class BTF:
    """The types at the address *btf*, which *lib* has loaded."""

    def __init__(self, lib: Libbpf, btf: int) -> None:
        self._lib, self._btf = lib, btf
        self._offsets: dict[str, dict[str, int]] = {}
        """Byte offset of each member of the structs that were asked for: the kernel's task has some 250."""

    def _type(self, number: int) -> _Type:
        return _Type.from_address(self._lib.btf__type_by_id(self._btf, number))

    def _name(self, offset: int) -> str:
        name: bytes = self._lib.btf__name_by_offset(self._btf, offset)
        return name.decode()

    def _find(self, name: str, kind: int) -> _Type | None:
        number = self._lib.btf__find_by_name_kind(self._btf, name.encode(), kind)
        return self._type(number) if number > 0 else None

    def _members(self, struct: _Type, base: int = 0) -> Iterator[tuple[str, int, int]]:
        """Name, byte offset and type of each member. Anonymous structs and unions are replaced by their members."""
        members = (_Member * struct.vlen).from_address(ct.addressof(struct) + ct.sizeof(_Type))
        bits = 0xFFFFFF if struct.info >> 31 else 0xFFFFFFFF
        for m in members:
            offset = base + (m.offset & bits) // 8
            if name := self._name(m.name_off):
                yield name, offset, m.type
                continue
            inner = self._type(m.type)
            while inner.kind in _MODIFIERS:
                inner = self._type(inner.size_or_type)
            if inner.kind in (_STRUCT, _UNION):
                yield from self._members(inner, offset)

    def offset(self, struct: str, *names: str) -> int | None:
        """Byte offset of the first of *names* that *struct* has; None when it has none of them."""
        if struct not in self._offsets:
            found = self._find(struct, _STRUCT)
            self._offsets[struct] = {name: offset for name, offset, _ in self._members(found)} if found else {}
        offsets = self._offsets[struct]
        return next((offsets[n] for n in names if n in offsets), None)

    def number(self, enum: str, name: str) -> int | None:
        """The number that *enum* gives to *name*; None when it has no such name."""
        found = self._find(enum, _ENUM)
        if found is None:
            return None
        names = (_Enumerator * found.vlen).from_address(ct.addressof(found) + ct.sizeof(_Type))
        return next((int(one.value) for one in names if self._name(one.name_off) == name), None)

    def fields(self, struct: str) -> dict[str, tuple[int, int]]:
        """Byte offset and size of each field of *struct*; empty when the struct is unknown."""
        found = self._find(struct, _STRUCT)
        if found is None:
            return {}
        return {n: (at, self._lib.btf__resolve_size(self._btf, kind)) for n, at, kind in self._members(found)}

    def variables(self, section: str) -> dict[str, tuple[int, int]]:
        """Byte offset and size of each variable of an object's *section*; empty when there is no such section."""
        found = self._find(section, _DATASEC)
        if found is None:
            return {}
        variables = (_Variable * found.vlen).from_address(ct.addressof(found) + ct.sizeof(_Type))
        return {self._name(self._type(v.type).name_off): (v.offset, v.size) for v in variables}

    def argument(self, function: str, number: int) -> str:
        """Name of the struct to which an argument of *function*, counted from 0, points; empty when it is unknown or
        there is none."""
        found = self._find(function, _FUNC)
        proto = self._type(found.size_or_type) if found else None
        if proto is None or number >= proto.vlen:
            return ""
        parameter = ct.addressof(proto) + ct.sizeof(_Type) + 8 * number  # struct btf_param: u32 name_off, type
        pointer = self._type(ct.c_uint32.from_address(parameter + 4).value)
        struct = self._type(pointer.size_or_type)
        return self._name(struct.name_off) if (pointer.kind, struct.kind) == (_PTR, _STRUCT) else ""

    def tracepoint_args(self, event: str) -> int:
        """Number of arguments of a raw tracepoint (without the leading data pointer); 0 when unknown."""
        found = self._find(f"btf_trace_{event}", _TYPEDEF)
        if found is None:
            return 0
        pointer = self._type(found.size_or_type)
        proto = self._type(pointer.size_or_type)
        return proto.vlen - 1 if pointer.kind == _PTR and proto.kind == _FUNC_PROTO else 0


@contextmanager
def vmlinux() -> Iterator[BTF]:
    """The running kernel's types. Raises NoBTF."""
    if not VMLINUX.exists():
        raise NoBTF(f"the kernel has no BTF ({VMLINUX} is missing: CONFIG_DEBUG_INFO_BTF)")
    try:
        lib = libbpf()
        load = "btf__load_vmlinux_btf" if lib.has("btf__load_vmlinux_btf") else "libbpf_find_kernel_btf"
        address = lib.call(load)
    except NoLibbpf as e:
        raise NoBTF(str(e)) from e
    except LibbpfError as e:
        raise NoBTF(f"libbpf {lib.version} could not read the kernel's BTF ({e.strerror})") from e
    try:
        yield BTF(lib, address)
    finally:
        lib.btf__free(address)

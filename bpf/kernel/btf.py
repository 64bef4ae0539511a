"""Field offsets of kernel structs, from the kernel's own BTF.

libbpf (on which bcc depends) reads ``/sys/kernel/btf/vmlinux``; only the handful of functions used is declared.
Layouts of ``struct btf_type`` and its followers: include/uapi/linux/btf.h.
"""

from __future__ import annotations

import ctypes as ct
from collections.abc import Iterator
from pathlib import Path

VMLINUX = Path("/sys/kernel/btf/vmlinux")

_STRUCT, _UNION, _TYPEDEF, _PTR, _FUNC_PROTO = 4, 5, 8, 2, 13
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


class NoBTF(Exception):
    """This kernel's types cannot be read; the text says why."""


class BTF:
    """The running kernel's types."""

    def __init__(self) -> None:
        if not VMLINUX.exists():
            raise NoBTF(f"the kernel has no BTF ({VMLINUX} is missing: CONFIG_DEBUG_INFO_BTF)")
        try:
            lib = ct.CDLL("libbpf.so.1")
        except OSError:
            try:
                lib = ct.CDLL("libbpf.so.0")
            except OSError as e:
                raise NoBTF(f"libbpf is not installed ({e})") from e
        load = getattr(lib, "btf__load_vmlinux_btf", None) or lib.libbpf_find_kernel_btf
        load.restype = ct.c_void_p
        for name, restype, argtypes in (
            ("btf__find_by_name_kind", ct.c_int32, (ct.c_void_p, ct.c_char_p, ct.c_uint32)),
            ("btf__type_by_id", ct.POINTER(_Type), (ct.c_void_p, ct.c_uint32)),
            ("btf__name_by_offset", ct.c_char_p, (ct.c_void_p, ct.c_uint32)),
        ):
            function = getattr(lib, name)
            function.restype, function.argtypes = restype, argtypes
        self._lib = lib
        self._btf = load()
        if not self._btf or self._btf > 2**64 - 4096:
            raise NoBTF("libbpf could not read the kernel's BTF")

    def _type(self, number: int) -> _Type:
        found: _Type = self._lib.btf__type_by_id(self._btf, number).contents
        return found

    def _find(self, name: str, kind: int) -> _Type | None:
        number = self._lib.btf__find_by_name_kind(self._btf, name.encode(), kind)
        return self._type(number) if number > 0 else None

    def _members(self, struct: _Type, base: int = 0) -> Iterator[tuple[str, int]]:
        """Names and byte offsets; anonymous structs and unions are opened."""
        members = (_Member * struct.vlen).from_address(ct.addressof(struct) + ct.sizeof(_Type))
        bits = 0xFFFFFF if struct.info >> 31 else 0xFFFFFFFF
        for m in members:
            offset = base + (m.offset & bits) // 8
            name = self._lib.btf__name_by_offset(self._btf, m.name_off)
            if name:
                yield name.decode(), offset
                continue
            inner = self._type(m.type)
            while inner.kind in _MODIFIERS:
                inner = self._type(inner.size_or_type)
            if inner.kind in (_STRUCT, _UNION):
                yield from self._members(inner, offset)

    def offset(self, struct: str, *names: str) -> int | None:
        """Byte offset of the first of *names* that *struct* has; None when it has none of them."""
        found = self._find(struct, _STRUCT)
        offsets = dict(self._members(found)) if found else {}
        return next((offsets[n] for n in names if n in offsets), None)

    def tracepoint_args(self, event: str) -> int:
        """Number of arguments of a raw tracepoint (without the leading data pointer); 0 when unknown."""
        found = self._find(f"btf_trace_{event}", _TYPEDEF)
        if found is None:
            return 0
        pointer = self._type(found.size_or_type)
        proto = self._type(pointer.size_or_type)
        return proto.vlen - 1 if pointer.kind == _PTR and proto.kind == _FUNC_PROTO else 0

"""The distribution's libbpf (0.3 to 1.x) by ctypes: only what is needed to load an object and to read types."""

from __future__ import annotations

import ctypes as ct
import errno
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

_POINTER, _INT, _TEXT = ct.c_void_p, ct.c_int, ct.c_char_p
_SIGNATURES: dict[str, tuple[type | None, ...]] = {
    "bpf_object__open_file": (_POINTER, _TEXT, _POINTER),
    "bpf_object__load": (_INT, _POINTER),
    "bpf_object__close": (None, _POINTER),
    "bpf_object__btf": (_POINTER, _POINTER),
    "bpf_object__find_map_by_name": (_POINTER, _POINTER, _TEXT),
    "bpf_map__fd": (_INT, _POINTER),
    "bpf_map__reuse_fd": (_INT, _POINTER, ct.c_int),
    "bpf_map__set_max_entries": (_INT, _POINTER, ct.c_uint32),
    "bpf_map__set_initial_value": (_INT, _POINTER, _TEXT, ct.c_size_t),
    "bpf_program__name": (_TEXT, _POINTER),
    "bpf_program__fd": (_INT, _POINTER),
    "bpf_program__set_type": (_INT, _POINTER, _INT),
    "bpf_program__set_autoload": (_INT, _POINTER, ct.c_bool),
    "bpf_program__set_expected_attach_type": (_INT, _POINTER, _INT),
    "bpf_program__set_attach_target": (_INT, _POINTER, _INT, _TEXT),
    "bpf_program__attach_trace": (_POINTER, _POINTER),
    "bpf_program__attach_raw_tracepoint": (_POINTER, _POINTER, _TEXT),
    "bpf_program__attach_kprobe": (_POINTER, _POINTER, ct.c_bool, _TEXT),
    "bpf_link__destroy": (_INT, _POINTER),
    "btf__free": (None, _POINTER),
    "btf__find_by_name_kind": (ct.c_int32, _POINTER, _TEXT, ct.c_uint32),
    "btf__type_by_id": (_POINTER, _POINTER, ct.c_uint32),
    "btf__name_by_offset": (_TEXT, _POINTER, ct.c_uint32),
    "btf__resolve_size": (ct.c_int64, _POINTER, ct.c_uint32),
}
_SINCE: dict[str, tuple[type | None, ...]] = {
    "btf__load_vmlinux_btf": (_POINTER,),  # 0.5; before: libbpf_find_kernel_btf
    "libbpf_find_kernel_btf": (_POINTER,),
    "bpf_object__next_program": (_POINTER, _POINTER, _POINTER),  # 0.6; before: bpf_program__next
    "bpf_program__next": (_POINTER, _POINTER, _POINTER),
    "bpf_map__set_autocreate": (_INT, _POINTER, ct.c_bool),  # 0.8
    "libbpf_version_string": (_TEXT,),  # 0.6
    "libbpf_set_strict_mode": (_INT, _INT),  # 0.5
}
"""Functions that not every version has."""
_DIRECT_ERRORS = 0x03  # LIBBPF_STRICT_CLEAN_PTRS | LIBBPF_STRICT_DIRECT_ERRS of libbpf_legacy.h
_WARN = 0
_PRINT = ct.CFUNCTYPE(ct.c_int, ct.c_int, ct.c_char_p, ct.c_void_p)
_libc = ct.CDLL(None)
_once = threading.Lock()
_libc.vsnprintf.argtypes = (ct.c_char_p, ct.c_size_t, ct.c_char_p, ct.c_void_p)


class NoLibbpf(Exception):
    """libbpf is not installed, or too old; the text says why."""


class LibbpfError(OSError):
    """libbpf or the kernel refused. ``lines`` holds the lines that libbpf printed, including the verifier's."""

    def __init__(self, number: int, lines: list[str]) -> None:
        super().__init__(number, os.strerror(number))
        self.lines = lines


class _Warnings(threading.local):
    """Collects libbpf's warnings in this thread while ringtop calls it. Warnings that bcc causes in the same process go
    to standard error, as they would without ringtop."""

    def __init__(self) -> None:
        self.lines: list[str] | None = None

    def hear(self, level: int, form: bytes, arguments: int) -> int:
        """The callback libbpf_print_fn_t: *arguments* is a va_list."""
        if level == _WARN:
            text = ct.create_string_buffer(64 << 10)
            _libc.vsnprintf(text, len(text), form, arguments)
            if self.lines is None:
                os.write(2, text.value)
            else:
                self.lines += [line for line in text.value.decode(errors="replace").splitlines() if line.strip()]
        return 0


class Libbpf:
    """The library, whose functions are attributes. Raises NoLibbpf."""

    def __init__(self) -> None:
        try:
            self._library = ct.CDLL("libbpf.so.1", use_errno=True)
        except OSError:
            try:
                self._library = ct.CDLL("libbpf.so.0", use_errno=True)
            except OSError as e:
                raise NoLibbpf(f"libbpf is not installed ({e})") from e
        for name in _SIGNATURES:
            if not self.has(name):
                raise NoLibbpf(f"libbpf is older than 0.3: it has no {name}")
        for name, (result, *arguments) in {**_SIGNATURES, **_SINCE}.items():
            if self.has(name):
                function = getattr(self._library, name)
                function.restype, function.argtypes = result, arguments
        if self.has("libbpf_set_strict_mode"):
            self._library.libbpf_set_strict_mode(_DIRECT_ERRORS)
        self._warnings = _Warnings()
        self._print = _PRINT(self._warnings.hear)  # kept: libbpf holds only its address
        self._library.libbpf_set_print(self._print)

    def has(self, name: str) -> bool:
        """Whether this version has the function."""
        return hasattr(self._library, name)

    @property
    def version(self) -> str:
        """The version, as in '1.1'."""
        if not self.has("libbpf_version_string"):
            return "older than 0.6"
        return str(self._library.libbpf_version_string().decode()).removeprefix("v")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The function, without a check of its result."""
        function: Callable[..., Any] = getattr(self._library, name)
        return function

    def call(self, name: str, *arguments: Any) -> Any:
        """Call the function and return its result. Raises LibbpfError where the result is an error: a negative number,
        or a pointer that is NULL (1.x) or an error number (0.x)."""
        function = getattr(self._library, name)
        lines = self._warnings.lines = []
        ct.set_errno(0)
        result = function(*arguments)
        number = ct.get_errno()
        self._warnings.lines = None
        if function.restype is _POINTER:
            if result and result <= 2**64 - 4096:
                return result
            number = 2**64 - result if result else number
        elif result >= 0:
            return result
        raise LibbpfError(number or -result or errno.EINVAL, lines)


@cache
def _loaded() -> Libbpf:
    return Libbpf()


def libbpf() -> Libbpf:
    """The library, loaded once. May be called from any thread. Raises NoLibbpf."""
    with _once:
        return _loaded()

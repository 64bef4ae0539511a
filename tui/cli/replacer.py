"""A file that is replaced whole, again and again, with the rights of who asked for it.

When root starts ringtop, a process of its own replaces the file: ringtop itself continues as a user who may not write
where root may. That process holds no capabilities, and knows only this one file.
"""

from __future__ import annotations

import errno
import os
import signal
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from ringtop.bpf.common import privilege
from ringtop.bpf.common.signals import ENDING
from ringtop.tui.cli.account import become, chosen
from ringtop.tui.settings.files import folder_of

_SIZE = struct.Struct("<q")
"""Before a content: its length. The answer: 0 or the errno."""
_MODE = 0o644
"""Permissions of the file: who reads it is another user."""


class Replacer:
    """Replaces the file *path*. Forks where root starts it: call it before threads are started, and before root is
    given up. Raises OSError when no file can be made in its folder."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._requests: BinaryIO | None = None
        if (account := chosen()) is not None:
            request, requests = os.pipe2(os.O_CLOEXEC)
            answer, answers = os.pipe2(os.O_CLOEXEC)
            if os.fork() == 0:
                os.close(requests)
                os.close(answer)
                try:
                    if account.person:
                        become(account)
                    else:
                        privilege.drop((), 0, 0)
                    self._serve(os.fdopen(request, "rb"), answers)
                finally:
                    os._exit(1)
            os.close(request)
            os.close(answers)
            self._requests, self._answers = os.fdopen(requests, "wb"), os.fdopen(answer, "rb")
        self._ask(-1, b"")

    def replace(self, content: bytes) -> None:
        """Replace the file by one with *content*; readers find the one or the other, whole. Raises OSError."""
        self._ask(len(content), content)

    def _ask(self, size: int, content: bytes) -> None:
        if self._requests is None:
            error = self._do(size, content)
        else:
            try:
                self._requests.write(_SIZE.pack(size) + content)
                self._requests.flush()
                (error,) = _SIZE.unpack(self._answers.read(_SIZE.size))
            except (BrokenPipeError, struct.error):
                error = errno.EPIPE  # the process is gone
        if error:
            raise OSError(error, os.strerror(error), str(self._path))

    def _serve(self, requests: BinaryIO, answers: int) -> NoReturn:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)  # it ends with ringtop
        with suppress(OSError):
            Path("/proc/self/comm").write_text("ringtop textfile")
        while head := requests.read(_SIZE.size):
            (size,) = _SIZE.unpack(head)
            os.write(answers, _SIZE.pack(self._do(size, requests.read(max(size, 0)))))
        os._exit(0)

    def _do(self, size: int, content: bytes) -> int:
        """Replace the file, or only try to make one beside it for a *size* of -1. Returns 0 or the errno."""
        try:
            with folder_of(self._path) as folder:
                self._write(Path(f"/proc/self/fd/{folder}"), size, content)
        except OSError as e:
            return e.errno or errno.EIO
        return 0

    def _write(self, folder: Path, size: int, content: bytes) -> None:
        fd, beside = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                os.fchmod(fd, _MODE)
            if size >= 0:
                Path(beside).replace(folder / self._path.name)
        finally:
            Path(beside).unlink(missing_ok=True)

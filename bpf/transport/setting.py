"""A setting is one way for events to leave the kernel: the transport, the size of its buffers, and when the kernel
wakes the reader."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from ringtop.bpf.common import sizes
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter.capture import Capture
from ringtop.bpf.kernel.features import online_cpus, possible_cpus
from ringtop.bpf.kernel.layout import ProgramConfig
from ringtop.bpf.kernel.limits import open_files
from ringtop.bpf.kernel.marks import HOST, Scope
from ringtop.bpf.kernel.memory import ensure_free, fence
from ringtop.bpf.transport.perfbuf import PerfBuffers
from ringtop.bpf.transport.reader import Reader
from ringtop.bpf.transport.ringbuf import RingBuffer

_SMALLER = "Use smaller buffers (--buffer), or raise a limit: ulimit -l, ulimit -v, the cgroup's memory."
_CURES = {
    **dict.fromkeys((errno.ENOMEM, errno.EPERM, errno.E2BIG, errno.EINVAL), _SMALLER),
    errno.ENFILE: "Raise the limit of open files of the whole system: sysctl fs.file-max.",
}
_NO_CURE = "`ringtop doctor` shows what this kernel lacks."


@dataclass(frozen=True, slots=True)
class Setting:
    """A transport, its buffer size and its wakeup mode."""

    transport: Transport
    buffer: int
    """Bytes of the ring, or of each CPU's perf buffer."""
    wakeup: str

    def in_kernel(self, capture: Capture, scope: Scope = HOST, copies: Reader | None = None) -> ProgramConfig:
        """The configuration that the program reads. *copies* is the reader that gets a copy of each event."""
        ring = copies.size if copies is not None and copies.transport == "ringbuf" else self.buffer
        wakeup = sizes.kernel_wakeup(self.wakeup, ring)
        return ProgramConfig(self.transport, *wakeup, capture, copies is not None, scope)

    @property
    def text(self) -> str:
        """The setting in words, as in 'a ring buffer of 1M'."""
        if self.transport == "ringbuf":
            return f"a ring buffer of {sizes.human(self.buffer)}"
        return f"a perf buffer of {sizes.human(self.buffer)} for each CPU"

    def open(self, program: str) -> Reader:
        """Open its buffers for events of *program*. Raises CannotTrace when they cannot be opened."""
        reader: Reader
        if self.transport == "ringbuf":
            reader, whole = RingBuffer(SCHEMAS[program], self.buffer, possible_cpus()), self.buffer
        else:
            online, wakeup = online_cpus(), sizes.perf_wakeup(self.wakeup, self.buffer)
            reader = PerfBuffers(SCHEMAS[program], self.buffer, possible_cpus(), online, wakeup)
            whole = self.buffer * len(online)
        fence()  # a missing libatomic is reported now, not when the first event is read
        try:
            ensure_free(whole)
            reader.open()
        except OSError as e:
            raise self.refused(program, e) from e
        return reader

    def refused(self, program: str, error: OSError) -> CannotTrace:
        """The error that *program* could not have this setting, with the cause and the cure."""
        why = error.strerror or os.strerror(error.errno or 0)
        cure = _CURES.get(error.errno or 0, _NO_CURE)
        if error.errno == errno.EMFILE:
            files = open_files()
            cure = f"Raise the hard limit of open files, which is {files} (ulimit -Hn), or use the ring buffer."
        return CannotTrace(f"{program} could not allocate {self.text}", why, cure)

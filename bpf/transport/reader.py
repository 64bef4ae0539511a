"""The reader of a transport: ``open``, ``drain``, ``stats`` and ``close``, whichever transport it is."""

from __future__ import annotations

from ringtop.bpf.transport.perfbuf import PerfBuffers
from ringtop.bpf.transport.ringbuf import RingBuffer

Reader = RingBuffer | PerfBuffers

"""A user's changes while events flow: the capture filter and, one at a time, the transport, its size and its
wakeups."""

from __future__ import annotations

from ringtop.bpf import stream
from ringtop.bpf.change.capture import CaptureInForce
from ringtop.bpf.change.comparison import Comparison
from ringtop.bpf.change.handover import Handover
from ringtop.bpf.change.ways import Way, Ways
from ringtop.bpf.common import sizes
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import MOST_SECONDS, OTHER
from ringtop.bpf.event.batch import Rows
from ringtop.bpf.filter.capture import FIELDS
from ringtop.bpf.kernel.layout import Counters
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.kernel.probe import PERF_CURE
from ringtop.bpf.stream import Changed, Compared, Level
from ringtop.bpf.transport.reader import Reader
from ringtop.bpf.transport.setting import Setting


class Changes:
    """Applies a user's changes to the *ways* of a loaded program. The *capture* filter is put in force at once.

    *size* is the buffer size in bytes that the user asks of any transport, or 0 for the defaults. *no_ringbuf* says why
    there can be no ring buffer, and is empty when there can.
    """

    def __init__(self, loaded: Loaded, ways: Ways, capture: CaptureInForce, size: int, no_ringbuf: str) -> None:
        self.news: list[Changed | Compared | stream.Notice] = []
        """Results and notices for the stream. The code that reads them empties the list."""
        self._loaded, self._ways, self._no_ringbuf = loaded, ways, no_ringbuf
        self.no_perfbuf = ""
        """Why no perf buffers can be opened any more, since root was given up; empty when they can."""
        self._sizes = {transport: size or default for transport, default in sizes.DEFAULT.items()}
        """Buffer size in bytes of each transport: the one it has, had last, or would get first."""
        self._change: Handover | Comparison | None = None
        self.capture = capture
        """The filter that is in force."""
        self.set_capture(capture)

    @property
    def changing(self) -> bool:
        """Whether a change is under way; the next one has to wait."""
        return self._change is not None and self._change.changing

    @property
    def comparing(self) -> bool:
        """Whether the transports are being compared: copies of the events go over the other one."""
        return isinstance(self._change, Comparison)

    def set_capture(self, capture: CaptureInForce) -> None:
        """Put a filter in force. Must not be called while ``changing``. Raises CannotTrace, and then the old one stays
        in force."""
        failures = capture.compiled.may_pass("ret", FIELDS["ret"][0], -1)
        if failures:
            self._loaded.see_failures(True)
        self._configure(capture, self._change.new.reader if isinstance(self._change, Comparison) else None)
        if not failures:
            self._loaded.see_failures(False)
        self.capture = capture

    def _configure(self, capture: CaptureInForce, copies: Reader | None) -> None:
        self._loaded.configure(self._ways.used.setting.in_kernel(capture.compiled, capture.scope, copies))

    def retune(self, asked: stream.Retune) -> bool:
        """Begin a change. Returns False when there is nothing to change. Must not be called while ``changing``. Raises
        ValueError or CannotTrace, and then everything stays as it is."""
        if self.comparing:
            raise ValueError("nothing can be changed while the transports are compared")
        used = self._ways.used
        old = used.setting
        transport = OTHER[old.transport] if asked.transport == "other" else asked.transport or old.transport
        self._must_be_able(transport)
        buffer = sizes.checked(asked.buffer_bytes or self._sizes[transport])
        setting = Setting(transport, buffer, asked.wakeup or old.wakeup)
        sizes.parse_wakeup(setting.wakeup)
        if setting == old:
            self.tell("info", f"it already has {old.text} and the wakeup mode {old.wakeup}")
            return False
        new = self._ways.open(setting, self._loaded.counters())
        before, config = (s.in_kernel(self.capture.compiled, self.capture.scope) for s in (old, setting))
        self._change = Handover(self._loaded, used, new, before, config)
        return True

    def compare(self, seconds: float) -> None:
        """Begin a comparison. Must not be called while ``changing``. Raises ValueError or CannotTrace."""
        if self.comparing:
            raise ValueError("the transports are being compared already")
        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(f"a comparison must take more than 0 and at most {MOST_SECONDS} seconds")
        used = self._ways.used
        transport = OTHER[used.transport]
        self._must_be_able(transport)
        setting = Setting(transport, self._sizes[transport], used.setting.wakeup)
        new = self._ways.open(setting, self._loaded.counters(), copies=True)
        self._change = Comparison(self._loaded, used, new, seconds, self._copy)

    def _copy(self, to: Reader | None) -> None:
        self._configure(self.capture, to)

    def _must_be_able(self, transport: str) -> None:
        if transport == "ringbuf" and self._no_ringbuf:
            raise CannotTrace("the ring buffer cannot be used", self._no_ringbuf, "The perf buffers stay in use.")
        if transport == "perfbuf" and self.no_perfbuf:
            raise CannotTrace("no perf buffers can be opened any more", self.no_perfbuf, PERF_CURE)

    def step(self) -> bool:
        """Advance the change under way, before a drain. Returns whether it can be finished after that drain."""
        return self._change is not None and self._change.step()

    def saw(self, way: Way, rows: Rows) -> None:
        """Let the change under way record *rows*, which *way* has just drained."""
        if self._change is not None:
            self._change.saw(way, rows)

    def finish(self, counters: Counters) -> None:
        """Finish the change under way, after the drain that followed the ``step`` that returned True. *counters* are
        the kernel's, read after that step."""
        change, self._change = self._change, None
        assert change is not None
        try:
            self.news.append(change.result(counters))
        except OSError as e:
            self._ways.close(change.new)
            self._failed(change, e)
            return
        if isinstance(change, Comparison):
            self._ways.close(change.new)
            return
        self._ways.close(change.old)
        self._ways.use(change.new, counters)
        self._sizes[change.new.transport] = change.new.setting.buffer

    def _failed(self, change: Handover | Comparison, error: OSError) -> None:
        if isinstance(change, Comparison):
            self.tell("error", f"the transports could not be compared: {error.strerror}")
        else:
            stays = f"{self._ways.used.setting.text} stays in use"
            self.tell("error", f"could not switch to {change.new.setting.text}: {error.strerror}; {stays}")

    def tell(self, level: Level, text: str) -> None:
        """Add a notice to the news."""
        self.news.append(stream.Notice(level, text, self._loaded.program))

    def settle(self) -> None:
        """End the change under way: the next drain completes it. A change that never began is dropped."""
        if self._change is not None and not self._change.settle():
            self._ways.close(self._change.new)
            self._change = None

"""One program at work: loaded, its events on their way to whoever reads, its ledger kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ringtop.bpf import filter as language
from ringtop.bpf.change.transports import Transports
from ringtop.bpf.collector.identify import resolve
from ringtop.bpf.collector.order import InOrder
from ringtop.bpf.common import sizes
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter.capture import Capture, compile_capture
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.layout import Counters
from ringtop.bpf.kernel.loader import load
from ringtop.bpf.ledger.ledger import Ledger
from ringtop.bpf.options.collector import MIN_US, CollectorOptions
from ringtop.bpf.stream import ProgramStats, State
from ringtop.bpf.transport.reader import Reader
from ringtop.bpf.transport.setting import Setting

TICK_NS = 100_000_000
"""The buffers are drained this often, whatever the wake-up mode."""
_CHANGE_NS = 1_000_000
"""And this often during a change, so that it is over soon."""


class Tracer:
    """A program in the kernel with its readers, as *options* say; *transport* is which of the two to begin with.
    Raises CannotTrace when it cannot be."""

    def __init__(
        self, program: str, kernel: Kernel, options: CollectorOptions, transport: Transport = "ringbuf"
    ) -> None:
        self.program = program
        self.schema = SCHEMAS[program]
        self._options, self._kernel, self._first = options, kernel, transport
        self._window_ns = options.merge_ms * 1_000_000
        self._excluded: set[int] = set()
        self._order = InOrder(program)
        self._audited: Counters | None = None
        self._load({})

    def _load(self, failed: dict[str, str]) -> None:
        """By the best rung but those that *failed*, by name, and why."""
        program, kernel, options = self.program, self._kernel, self._options
        self._loaded = load(program, kernel, not kernel.no_ringbuf, options.emit, failed)
        try:
            self._capture = self._compiled(options.capture)
            setting = Setting(self._first, options.buffer or sizes.DEFAULT[self._first], options.wakeup)
            self.ways = Transports(self._loaded, setting, kernel.no_ringbuf, options.buffer)
        except language.FilterError as e:
            self._loaded.close()
            cure = "`ringtop trace --help` tells what the capture filter takes."
            raise CannotTrace(f"{program} cannot have this capture filter", str(e), cure) from e
        except CannotTrace:
            self._loaded.close()
            raise

    @property
    def transport(self) -> Transport:
        """Where the events go."""
        return self.ways.setting.transport

    @property
    def reader(self) -> Reader:
        """Where they come from."""
        return self.ways.reader

    @property
    def ledger(self) -> Ledger:
        """What came."""
        return self.ways.ledger

    def _compiled(self, capture: str) -> Capture:
        expr = language.parse(capture)  # so that an error points into what the user wrote
        said = expr is not None and language.mentions(expr, "latency")
        least = self._options.min_us if self._options.min_us is not None or said else MIN_US
        texts = [f"latency>={least}us"] if self.schema.field("latency") and least is not None else []
        texts += [f"({capture})"] if capture.strip() else []
        if expr is not None:
            compile_capture(expr, self.schema, self._loaded.rung.knows)
        return compile_capture(language.parse(" and ".join(texts)), self.schema, self._loaded.rung.knows)

    def attach(self) -> None:
        """Events flow from now on. Raises CannotTrace, and then the program is out of the kernel again."""
        failed: dict[str, str] = {}
        while True:
            self.ways.configure(self._capture)
            try:
                self._loaded.attach()
                return
            except CannotTrace as e:
                failed[self._loaded.rung.name] = e.why
                self.close()
            self._load(failed)  # by the next rung; what is to be kept out is told again, every second
            self._loaded.exclude(set(), self._excluded)

    def set_capture(self, text: str) -> None:
        """Replace the capture filter. Raises FilterError and leaves the old one in force."""
        self._capture = self._compiled(text)
        self.ways.configure(self._capture)

    def exclude(self, pids: list[int]) -> None:
        """Keep ringtop's own processes out. Where the hook does not know processes, their threads are named."""
        now = set(pids) if not self._kernel.inner_pids else set()  # else they would be others'
        if now and "pid" not in self._loaded.rung.knows:
            for pid in pids:
                with suppress(OSError):  # it has ended
                    now |= {int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()}
        self._loaded.exclude(self._excluded, now)
        self._excluded = now

    def drain(self, before_ns: int, audit: bool = False) -> Batch:
        """The events stamped before *before_ns* (about now), in time order; all that arrived is in the ledger.

        For an *audit* the kernel's counters are read before the buffers: what they say was emitted is then here or
        dropped, but for events just being written; and what is here without being in them is known by its numbers.
        """
        self._audited = self._loaded.counters() if audit else None
        arrived = self.ways.drain(self._audited)
        return self._order.push(arrived if self._kernel.inner_pids else resolve(arrived), before_ns)

    def skip(self) -> None:
        """Not drained this time: the events stay in the buffers."""
        self._audited = None

    @property
    def patience_ns(self) -> int:
        """How long the next drain may wait if the kernel does not ask for it.

        It asks when a buffer gets half full (timer), or holds its first event (the other modes): not for one that was
        so already when the last drain ended.
        """
        if self.ways.changing:
            return _CHANGE_NS
        if self.ways.waiting:
            return 0
        return self._window_ns if self._order.holding and self.ways.setting.wakeup != "timer" else TICK_NS

    def stop(self) -> None:
        """Detach: nothing is emitted any more. A drain completes what was under way."""
        self.ways.settle()
        self._loaded.detach()

    def close(self) -> None:
        """Free the buffers and take the program out of the kernel."""
        self.ways.close()
        self._loaded.close()

    def state(self, capture: str) -> State:
        """What a user is told of it."""
        setting = self.ways.setting
        return State(
            program=self.program,
            state="running",
            transport=setting.transport,
            hook=self._loaded.rung.name,
            tried=self._loaded.tried,
            buffer_bytes=setting.buffer,
            wakeup=setting.wakeup,
            capture=capture,
            comparing=self.ways.comparing,
        )

    def stats(self) -> list[ProgramStats]:
        """The ledger of each transport that was ever in use, the one that is now last."""
        return self.ways.stats(self._audited, self._order.late)

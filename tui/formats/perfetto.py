"""Events as a Perfetto trace, for https://ui.perfetto.dev.

Waits for a CPU are slices on the tracks of that CPU, from runnable to running. All other events are on the track of
their process. The end of a process is a slice from its exec to its end, with the name of that exec; it begins with the
fork where no exec was seen. Everything else is an instant, also an exec whose end is not known. Failures have
``errno``. Lost events are slices on a track of their own, from the ledger before to the one that counts them; at the
end of that track stand the ledger's sums. Times are the wall clock's. Each event has its fields as annotations, except
those that are unknown or false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.formats.formats import File
from ringtop.tui.formats.names import titles
from ringtop.tui.formats.packets import Packets, Slice
from ringtop.tui.formats.processes import Processes
from ringtop.tui.formats.tracks import Lanes, Tracks
from ringtop.tui.lines.part import Part, Told
from ringtop.tui.lines.values import columns, names


class Perfetto:
    """Writes one trace of all streams; a ``Writer``."""

    def __init__(self, files: Mapping[str, File]) -> None:
        (self._file,) = files.values()
        self._streams: dict[int, _Stream] = {}

    def hear(self, message: stream.AnyMessage, number: int = 0) -> None:
        """Take a message. Raises CannotWrite."""
        if isinstance(message, stream.Hello):
            if number in self._streams:  # the collector was started again
                self._streams[number].close({})
            self._streams[number] = _Stream(Packets(self._file, number), message.programs)
        elif isinstance(message, stream.Stats):
            self._streams[number].begin(message.ts_ns, message.wall_offset_ns)
            self._streams[number].losses.count(message)

    def put(self, parts: Sequence[Part]) -> None:
        """Take events. Raises CannotWrite."""
        for part in parts:
            if len(part.batch):
                self._streams[part.number].begin(int(part.batch.rows["ts"][0]), part.wall_offset_ns)
                self._streams[part.number].put(part)

    def close(self, streams: Sequence[Told]) -> None:
        """Write the execs whose end is not known, and the ledgers. Raises CannotWrite."""
        for number, one in self._streams.items():
            one.close(streams[number].ledger)


class _Stream:
    """The part of the trace that is of one stream."""

    def __init__(self, packets: Packets, programs: Sequence[str]) -> None:
        self.packets, self._tracks = packets, Tracks(packets)
        self.losses = Losses(packets, self._tracks)
        self._lanes = Lanes(self._tracks)
        ends = any(program in SCHEMAS and SCHEMAS[program].runs for program in programs)
        self._processes = Processes(ends, self._instant, self._slice)
        self._begun = False

    def begin(self, monotonic_ns: int, wall_offset_ns: int) -> None:
        """Tell the clocks, before the first time of all."""
        if not self._begun:
            self._begun = True
            self.packets.clock(monotonic_ns + wall_offset_ns, monotonic_ns)

    def put(self, part: Part) -> None:
        """Take events of one program, in time order."""
        batch, schema = part.batch, part.batch.schema
        outcome, starts = schema.outcome, any(field.kind == "args" for field in schema.fields)
        lasting = schema.waits or schema.runs
        lengths = batch.rows[lasting].tolist() if lasting else [0] * len(batch)
        told = names(batch.program)
        rows = zip(*columns(batch, part.wall_offset_ns), strict=True)
        for end, lasted, title, values in zip(part.wall_ns.tolist(), lengths, titles(batch), rows, strict=True):
            fields = dict(zip(told, values, strict=True))
            if outcome is not None and (word := fields[outcome.beside]):
                title = f"{title}: {word}"
            one = Slice(end - lasted, end, title, batch.program, fields)
            if schema.waits:
                self.packets.slice(one, self._lanes.track(fields["cpu"], one))
            elif schema.runs:
                self._processes.ended(one)
            elif starts and not (outcome is not None and outcome.failed(fields[outcome.name])):
                self._processes.began(one)
            else:
                self._instant(one)
        self.packets.flush()

    def close(self, ledger: Mapping[str, Any]) -> None:
        """Write what is still to be written."""
        self._processes.close()
        self.losses.close(ledger)
        self.packets.flush()

    def _instant(self, one: Slice) -> None:
        self.packets.instant(one, self._tracks.process(one.fields))

    def _slice(self, one: Slice) -> None:
        self.packets.slice(one, self._tracks.process(one.fields))


class Losses:
    """The track of the lost events of a stream."""

    def __init__(self, packets: Packets, tracks: Tracks) -> None:
        self._packets, self._track = packets, tracks.losses()
        self._counted: dict[tuple[str, int, str], int] = {}
        self._before_ns: int | None = None

    def count(self, stats: stream.Stats) -> None:
        """Write what was lost since the ledger before this one."""
        end = stats.ts_ns + stats.wall_offset_ns
        begin = end if self._before_ns is None else min(self._before_ns, end)
        self._before_ns = end
        now: dict[tuple[str, int, str], int] = {}
        for program in stats.programs:
            for cpu in program.cpus:
                for reason, dropped in cpu.dropped.items():
                    key = program.program, cpu.cpu, reason
                    now[key] = now.get(key, 0) + dropped
        for key, dropped in now.items():
            lost = dropped - self._counted.get(key, 0)
            if lost > 0:
                fields = dict(zip(("program", "cpu", "reason", "lost"), (*key, lost), strict=True))
                title = f"{lost} of {key[0]} lost on CPU {key[1]}: {key[2]}"
                self._packets.slice(Slice(begin, end, title, key[0], fields), self._track)
        self._counted |= now
        self._packets.flush()

    def close(self, ledger: Mapping[str, Any]) -> None:
        """Write the sums of the ledger."""
        at = self._before_ns or 0
        for program, sums in ledger.items():
            dropped = sum(sums["dropped"].values())
            told = {name: sums[name] for name in ("emitted", "received", "residual")} | {"dropped": dropped}
            title = f"{program}: {told['emitted']} emitted = {told['received']} received + {dropped} dropped"
            self._packets.instant(Slice(at, at, title, program, {"program": program, **told}), self._track)

"""The packets of a Perfetto trace (protos/perfetto/trace/perfetto_trace.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.formats.formats import File
from ringtop.tui.lines.values import names
from ringtop.tui.text.text import PROGRAMS

_HELD = 1 << 12
"""Packets that are held: more are written first, as they take several times the memory of their bytes."""
_TOLD = ("program", "time")
"""Fields of events that stand elsewhere: the category and the time stamp."""
_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time, or a moment, with a name."""

    begin: int
    """Nanoseconds since 1970."""
    end: int
    title: str
    category: str
    fields: Mapping[str, Any]
    """As ``lines.values`` has them: bytes are untrusted text."""


@cache
def _iids() -> dict[str, int]:
    """The numbers by which the names of annotations are told."""
    own = ("reason", "lost", "emitted", "received", "dropped", "residual")
    known = [*own, *(name for program in SCHEMAS for name in names(program))]
    return {name: number for number, name in enumerate(dict.fromkeys(known), 1)}


class Packets:
    """Writes the packets of the stream *number*: a sequence of its own, of a machine of its own."""

    def __init__(self, file: File, number: int) -> None:
        self._file, self.number = file, number
        self._held = proto.Trace()
        self._iids = _iids()
        first = self.packet()
        first.sequence_flags = proto.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        for name, iid in self._iids.items():
            first.interned_data.debug_annotation_names.add(iid=iid, name=name)

    def packet(self) -> Any:
        """The next packet, to be filled in before another one is asked for. Raises CannotWrite."""
        if len(self._held.packet) == _HELD:
            self.flush()
        packet = self._held.packet.add(trusted_packet_sequence_id=self.number + 1)
        if self.number:
            packet.machine_id = self.number
        return packet

    def flush(self) -> None:
        """Write the packets that are held. Raises CannotWrite."""
        if self._held.packet:
            self._file.write(self._held.SerializeToString())
            self._held = proto.Trace()

    def clock(self, wall_ns: int, monotonic_ns: int) -> None:
        """Tell that the trace's times are the wall clock's, and how the kernel's clock goes with it."""
        packet = self.packet()
        packet.clock_snapshot.primary_trace_clock = proto.BUILTIN_CLOCK_REALTIME
        packet.clock_snapshot.clocks.add(clock_id=proto.BUILTIN_CLOCK_REALTIME, timestamp=_time(wall_ns))
        packet.clock_snapshot.clocks.add(clock_id=proto.BUILTIN_CLOCK_MONOTONIC, timestamp=_time(monotonic_ns))

    def slice(self, one: Slice, track: int) -> None:
        """Put a stretch of time on a track."""
        self._event(proto.TrackEvent.TYPE_SLICE_BEGIN, one.begin, track, one)
        self._event(proto.TrackEvent.TYPE_SLICE_END, one.end, track, None)

    def instant(self, one: Slice, track: int) -> None:
        """Put a moment, the end of *one*, on a track."""
        self._event(proto.TrackEvent.TYPE_INSTANT, one.end, track, one)

    def _event(self, kind: int, at: int, track: int, one: Slice | None) -> None:
        packet = self.packet()
        packet.timestamp = _time(at)
        packet.timestamp_clock_id = proto.BUILTIN_CLOCK_REALTIME
        packet.sequence_flags = proto.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        event = packet.track_event
        event.type, event.track_uuid = kind, track
        if one is not None:
            event.name = one.title
            event.categories.append(one.category)
            for name, value in one.fields.items():
                if value is not None and value is not False and name not in _TOLD:
                    _annotate(event.debug_annotations.add(name_iid=self._iids[name]), value)


def _annotate(annotation: Any, value: Any) -> None:
    match value:
        case bool():
            annotation.bool_value = value
        case int():
            if value > _MAX:
                annotation.uint_value = value
            else:
                annotation.int_value = value
        case float():
            annotation.double_value = value
        case bytes():
            annotation.string_value = PROGRAMS.visible(value)
        case str():
            annotation.string_value = value
        case _:
            for one in value:
                _annotate(annotation.array_values.add(), one)


def _time(ns: int) -> int:
    """A time of a damaged recording may be out of range."""
    return min(max(ns, 0), _MAX)

"""Perfetto traces, read back by the message classes of Perfetto's own package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto

Event = proto.TrackEvent


@dataclass
class Bar:
    """A slice, or an instant, which has no end."""

    track: Any
    name: str
    category: str
    begin: int
    fields: dict[str, Any]
    end: int | None = None


@dataclass
class Trace:
    """What a viewer would draw."""

    bars: list[Bar] = field(default_factory=list)
    tracks: dict[int, Any] = field(default_factory=dict)
    clocks: list[Any] = field(default_factory=list)
    """The packets that tell them."""

    def of(self, program: str) -> list[Bar]:
        """The bars of one program, losses apart."""
        return [bar for bar in self.bars if bar.category == program and not self.lost(bar)]

    def lost(self, bar: Bar) -> bool:
        """Whether it is on the track of lost events."""
        return bool(bar.track.name == "lost events")


def _value(one: Any) -> Any:
    if one.array_values:
        return [_value(part) for part in one.array_values]
    kind = one.WhichOneof("value")
    return getattr(one, kind) if kind else []


def _events(packets: Any, trace: Trace) -> Iterator[tuple[Any, Bar]]:
    names: dict[int, dict[int, str]] = {}
    for packet in packets:
        sequence = packet.trusted_packet_sequence_id
        for name in packet.interned_data.debug_annotation_names:
            names.setdefault(sequence, {})[name.iid] = name.name
        if packet.HasField("track_descriptor"):
            trace.tracks[packet.track_descriptor.uuid] = packet.track_descriptor
        elif packet.HasField("clock_snapshot"):
            trace.clocks.append(packet)
        elif packet.HasField("track_event"):
            assert packet.timestamp_clock_id == trace.clocks[0].clock_snapshot.primary_trace_clock
            event = packet.track_event
            fields = {names[sequence][one.name_iid]: _value(one) for one in event.debug_annotations}
            track = trace.tracks[event.track_uuid]
            yield event, Bar(track, event.name, "".join(event.categories), packet.timestamp, fields)


def trace(data: bytes) -> Trace:
    """What *data* says. Slices of a track must lie within each other or apart, and end."""
    packets = proto.Trace()
    packets.ParseFromString(data)
    found = Trace()
    pairs = sorted(_events(packets.packet, found), key=lambda pair: pair[1].begin)
    open_bars: defaultdict[int, list[Bar]] = defaultdict(list)
    for event, bar in pairs:
        if event.type == Event.TYPE_SLICE_END:
            open_bars[event.track_uuid].pop().end = bar.begin
            continue
        found.bars.append(bar)
        if event.type == Event.TYPE_SLICE_BEGIN:
            open_bars[event.track_uuid].append(bar)
    assert not any(open_bars.values())
    return found


def overlapping(bars: list[Bar]) -> bool:
    """Whether two slices on one track share a moment."""
    latest: dict[int, int] = {}
    for bar in sorted(bars, key=attrgetter("begin")):
        if bar.begin < latest.get(bar.track.uuid, 0):
            return True
        latest[bar.track.uuid] = bar.end or 0
    return False

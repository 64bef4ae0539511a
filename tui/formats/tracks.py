"""The tracks of a Perfetto trace. A track is described when it is first used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto

from ringtop.tui.formats.packets import Packets, Slice
from ringtop.tui.text.text import PROGRAMS

_LOSSES, _WAITS, _CPU, _PROCESS = range(1, 5)
"""The kinds of tracks, a part of their numbers."""
_KNOWN = 1 << 16
"""Tracks that are remembered. Those that were forgotten are described again, which changes nothing."""
_LANES = 1 << 12
_MOST_PID = (1 << 31) - 1


class Tracks:
    """The tracks of one stream; each has a number."""

    def __init__(self, packets: Packets) -> None:
        self._packets = packets
        self._known: OrderedDict[int, None] = OrderedDict()

    def losses(self) -> int:
        """The track of lost events."""
        return self._track(_LOSSES, 0, name="lost events")

    def cpu(self, cpu: int, lane: int) -> int:
        """One of the tracks of waits for a CPU: slices on one must not overlap. They have one name, by which the viewer
        draws them as one."""
        order = proto.TrackDescriptor.EXPLICIT
        parent = self._track(_WAITS, 0, name="waits for a CPU", child_ordering=order)
        which = (cpu & 0xFFFF) << 16 | lane
        return self._track(_CPU, which, parent_uuid=parent, name=f"CPU {cpu}", sibling_order_rank=cpu & 0xFFFF)

    def process(self, fields: Mapping[str, Any]) -> int:
        """The track of the process that has these *fields*; those that a hook does not know share one."""
        pid = fields["pid"]
        if pid is None:
            return self._track(_PROCESS, 1 << 32, name="unknown processes")
        about = proto.ProcessDescriptor(pid=min(pid, _MOST_PID), process_name=PROGRAMS.visible(fields["comm"]))
        return self._track(_PROCESS, pid, process=about)

    def _track(self, kind: int, which: int, **about: Any) -> int:
        uuid = self._packets.number << 48 | kind << 40 | which
        if uuid in self._known:
            self._known.move_to_end(uuid)
            return uuid
        self._known[uuid] = None
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        packet = self._packets.packet()
        packet.track_descriptor.CopyFrom(proto.TrackDescriptor(uuid=uuid, **about))
        return uuid


class Lanes:
    """Puts waits for a CPU, which come in the order of their ends, on tracks on which they do not overlap."""

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks
        self._ends: dict[int, list[int]] = {}

    def track(self, cpu: int, one: Slice) -> int:
        """The track for a wait: that of the latest wait which ended before it began."""
        ends = self._ends.setdefault(cpu, [])
        free = [lane for lane, end in enumerate(ends) if end <= one.begin]
        if free:
            lane = max(free, key=ends.__getitem__)
        elif len(ends) < _LANES:
            lane = len(ends)
            ends.append(0)
        else:
            lane = min(range(_LANES), key=ends.__getitem__)
        ends[lane] = one.end
        return self._tracks.cpu(cpu, lane)

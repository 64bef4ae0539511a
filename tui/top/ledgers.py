"""Lost and filtered events, from the ledgers that the collector sends."""

from __future__ import annotations

from collections.abc import Iterator

from ringtop.bpf import stream


class Ledgers:
    """The ledgers of successive collectors. A collector's counters only grow; the differences are the new events."""

    def __init__(self) -> None:
        self.kept_out: dict[str, int] = {}
        """Events that the capture filter kept out, by program, over all collectors."""
        self._lost: dict[tuple[str, int], int] = {}
        self._filtered: dict[str, int] = {}

    def restart(self) -> None:
        """Expect the counters of a new collector, which start at 0."""
        self._lost.clear()
        self._filtered.clear()

    def lost(self, stats: stream.Stats) -> Iterator[tuple[str, int]]:
        """Program and number of the events that were lost on each CPU since the previous ledgers."""
        lost: dict[tuple[str, int], int] = {}
        filtered: dict[str, int] = {}
        for part in stats.programs:
            for cpu in part.cpus:
                key = part.program, cpu.cpu
                lost[key] = lost.get(key, 0) + sum(cpu.dropped.values())
                filtered[part.program] = filtered.get(part.program, 0) + cpu.filtered
        for program, count in filtered.items():
            more = max(0, count - self._filtered.get(program, 0))
            self.kept_out[program] = self.kept_out.get(program, 0) + more
        self._filtered = filtered
        for (program, number), count in lost.items():
            if (more := count - self._lost.get((program, number), 0)) > 0:
                yield program, more
        self._lost = lost

"""What the collector's ledgers tell of events that never came."""

from __future__ import annotations

from collections.abc import Iterator

from ringtop.bpf import stream


class Ledgers:
    """Of one collector after the other. Counters only grow: what is new is the difference."""

    def __init__(self) -> None:
        self.kept_out: dict[str, int] = {}
        """By the capture filter, by program."""
        self._lost: dict[tuple[str, int], int] = {}
        self._filtered: dict[str, int] = {}

    def restart(self) -> None:
        """A new collector counts from 0."""
        self._lost.clear()
        self._filtered.clear()

    def lost(self, stats: stream.Stats) -> Iterator[tuple[str, int, int]]:
        """Program, CPU and number of the events that were lost since the ledgers before."""
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
                yield program, number, more
        self._lost = lost

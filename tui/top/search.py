"""Searches along PATH, told apart from failed execs.

A shell tries one directory of PATH after another: the same thread executes the same name and gets "no such file" until
a directory has it. If an exec of that name succeeds within a second of the first try, the tries count as searched, not
as failed. Undecided tries count as searched, too. If no exec succeeds in time, all tries of the chain count as failed:
one look-up of so many tries.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.hashing import Hashes

WITHIN_NS = 1_000_000_000
_NOT_THERE = (-errno.ENOENT, -errno.ENOTDIR, -errno.EACCES)
_MOST = 1 << 16
"""Most chains that are open at a time; beyond that the oldest fail early."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcomes of the execs of a batch. An exec that neither failed nor is searched has started a program."""

    failed: NDArray[np.bool_]
    searched: NDArray[np.bool_]
    chains: Hashes
    """The chain of each undecided try; 0 for all other events."""
    begins: NDArray[np.bool_]
    """Whether the event is the first try of a look-up."""

    def part(self, at: slice) -> Judged:
        """The outcomes of the execs *at*."""
        return Judged(self.failed[at], self.searched[at], self.chains[at], self.begins[at])


@dataclass(frozen=True, slots=True)
class Decided:
    """Chains that were open until now, by their outcome."""

    found: Hashes
    failed: Hashes


class Searches:
    """The open chains of tries, each with the time and the file of its first try."""

    def __init__(self) -> None:
        self._chains = np.empty(0, np.uint64)
        self._since = np.empty(0, np.int64)
        self._files = np.empty(0, np.uint64)

    def judge(
        self, ret: NDArray[np.int32], ts: NDArray[np.int64], chains: Hashes, files: Hashes
    ) -> tuple[Judged, Decided]:
        """The outcomes of a batch of execs, and the chains of earlier batches that it decides.

        *chains*: hashes of thread and name; *files*: hashes of the name with its directory; *ts*: ns. All have shape
        (n,).
        """
        tries = np.isin(ret, _NOT_THERE)
        order = np.lexsort((ts, chains))
        found = self._found(chains, ts, ret == 0)
        decided = self.expire(int(ts.max()))
        searched = np.zeros(len(ret), np.bool_)
        begins = np.zeros(len(ret), np.bool_)
        open_ = np.zeros(len(ret), np.uint64)
        at = order[tries[order]]
        if len(at):
            searched[at] = _succeeds(chains, ts, ret == 0, at)
            firsts = self._firsts(chains[at], ts[at], files[at])
            begins[at] = files[at] == firsts
            waiting = at[~searched[at] & (ts[at] > ts.max() - WITHIN_NS)]
            open_[waiting] = chains[waiting]
            searched[waiting] = True
            self._open(chains[waiting], ts[waiting], files[waiting])
        return Judged((ret < 0) & ~searched, searched, open_, begins), Decided(found, decided.failed)

    def expire(self, now_ns: int) -> Decided:
        """Close the chains that have not succeeded within a second: they have failed."""
        late = self._since <= now_ns - WITHIN_NS
        if len(late) > _MOST:
            late[np.argsort(self._since)[:-_MOST]] = True
        failed = self._chains[late]
        self._keep(~late)
        return Decided(failed[:0], failed)

    def _found(self, chains: Hashes, ts: NDArray[np.int64], done: NDArray[np.bool_]) -> Hashes:
        """Close and return the open chains that an exec of this batch completes in time."""
        if not len(self._chains) or not done.any():
            return self._chains[:0]
        names, first = np.unique(chains[done], return_index=True)
        place = np.minimum(np.searchsorted(names, self._chains), len(names) - 1)
        when = ts[done][first][place]
        hit = (names[place] == self._chains) & (when <= self._since + WITHIN_NS)
        found: Hashes = self._chains[hit]
        self._keep(~hit)
        return found

    def _firsts(self, chains: Hashes, ts: NDArray[np.int64], files: Hashes) -> Hashes:
        """For each try, sorted by chain and time, the file that its chain began with."""
        new = np.ones(len(chains), np.bool_)
        new[1:] = (chains[1:] != chains[:-1]) | (ts[1:] - ts[:-1] > WITHIN_NS)
        firsts: Hashes = files[np.flatnonzero(new)][np.cumsum(new) - 1]
        if len(self._chains):
            place = np.minimum(np.searchsorted(self._chains, chains), len(self._chains) - 1)
            known = self._chains[place] == chains
            firsts = np.where(known, self._files[place], firsts)
        return firsts

    def _open(self, chains: Hashes, ts: NDArray[np.int64], files: Hashes) -> None:
        names, first = np.unique(chains, return_index=True)
        new = ~np.isin(names, self._chains)
        names, first = names[new], first[new]
        chains = np.concatenate([self._chains, names])
        order = np.argsort(chains)
        self._chains = chains[order]
        self._since = np.concatenate([self._since, ts[first]])[order]
        self._files = np.concatenate([self._files, files[first]])[order]

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        self._chains, self._since, self._files = self._chains[kept], self._since[kept], self._files[kept]


def _succeeds(
    chains: Hashes, ts: NDArray[np.int64], done: NDArray[np.bool_], at: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each of the tries *at* is followed in this batch by an exec of its chain that succeeds in time."""
    if not done.any():
        return np.zeros(len(at), np.bool_)
    names, of = np.unique(chains, return_inverse=True)
    base = int(ts.min())
    span = int(ts.max()) - base + 1
    if span > (1 << 62) // len(names):  # impossible times of a damaged stream
        return np.zeros(len(at), np.bool_)
    when = of * span + (ts - base)
    ends = np.sort(when[done])
    place = np.searchsorted(ends, when[at])
    after = ends[np.minimum(place, len(ends) - 1)]
    found: NDArray[np.bool_] = (place < len(ends)) & (after // span == of[at]) & (after - when[at] <= WITHIN_NS)
    return found

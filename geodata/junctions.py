"""Shortest ways between places on the chains of a contracted street graph."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.chains import Chains

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SOURCES_AT_ONCE = 64


@dataclass(frozen=True)
class Places:
    """Places on chains.

    Attributes
    ----------
    chain
        Shape (n,), chain of each place.
    before, after
        Shape (n,), cost from the chain's start to the place, and from the place to its end.
    """

    chain: Ints
    before: Floats
    after: Floats

    def __len__(self) -> int:
        return len(self.chain)

    def __getitem__(self, chosen: Ints) -> "Places":
        return Places(self.chain[chosen], self.before[chosen], self.after[chosen])


class JunctionGraph:
    """Junctions and chains with one cost, metres or seconds, the same in both directions.

    Parameters
    ----------
    chains
        The contracted graph.
    per_edge
        Shape (e,), cost of each edge, >= 0.
    """

    def __init__(self, chains: Chains, per_edge: Floats) -> None:
        self.chains = chains
        self.per_edge = per_edge
        self.total, self.before_edge = chains.totals(per_edge)

    def places(self, edge: Ints, fraction: Floats) -> Places:
        """Place points, given by edge and fraction of its length, on the chains; shape (n,)."""
        walked = np.where(self.chains.forward[edge], fraction, 1.0 - fraction)
        chain = self.chains.chain[edge]
        before = self.before_edge[edge] + walked * self.per_edge[edge]
        # Sums in another order may exceed the total by a rounding error.
        return Places(chain, before, np.maximum(self.total[chain] - before, 0.0))

    def matrix(self, places: Places) -> Floats:
        """Return the least cost between each two places, shape (n, n); infinite where none."""
        start, end = self.chains.start[places.chain], self.chains.end[places.chain]
        matrix = np.empty((len(places), len(places)))
        for first in range(0, len(places), _SOURCES_AT_ONCE):
            chosen = np.arange(first, min(first + _SOURCES_AT_ONCE, len(places)))
            reached, _ = self._reach(places[chosen])
            by_start = reached[:, start] + places.before
            matrix[chosen] = np.minimum(by_start, reached[:, end] + places.after)
        same = places.chain[:, None] == places.chain[None, :]
        direct = np.abs(places.before[:, None] - places.before[None, :])
        matrix = np.where(same, np.minimum(matrix, direct), matrix)
        # The two directions differ only by the order of additions.
        return np.minimum(matrix, matrix.T)

    def way(self, pair: Places) -> list[tuple[int, bool]] | None:
        """Find the least costly way between two places.

        Parameters
        ----------
        pair
            Two places, start and end.

        Returns
        -------
        list or None
            Chains in walking order, each with whether it is walked from its start to its end: the
            first is left from the place on it, the last is walked up to the place on it, those
            between whole. One chain alone means along it, with no junction between. None when
            nothing connects the two.
        """
        reached, previous = self._reach(pair[np.array([0])])
        chain = int(pair.chain[1])
        cost_by_start = reached[0, self.chains.start[chain]] + pair.before[1]
        cost_by_end = reached[0, self.chains.end[chain]] + pair.after[1]
        by_junctions = min(cost_by_start, cost_by_end)
        if pair.chain[0] == chain and abs(pair.before[0] - pair.before[1]) <= by_junctions:
            return [(chain, bool(pair.before[0] <= pair.before[1]))]
        if not np.isfinite(by_junctions):
            return None
        forward = bool(cost_by_start <= cost_by_end)
        goal = int(self.chains.start[chain] if forward else self.chains.end[chain])
        return [*self._way_to(goal, previous[0], pair), (chain, forward)]

    @cached_property
    def _arcs(self) -> tuple[Ints, Ints, Ints]:
        """Return the cheapest chain between each two junctions, both ways: from, to, chain."""
        chains = self.chains
        tail = np.concatenate([chains.start, chains.end])
        head = np.concatenate([chains.end, chains.start])
        chain = np.tile(np.arange(len(self.total)), 2)
        order = np.lexsort([chain, self.total[chain], head, tail])
        order = order[tail[order] != head[order]]
        pair = tail[order] * chains.junction_count + head[order]
        best = order[np.diff(pair, prepend=-1) != 0]
        return tail[best], head[best], chain[best]

    @cached_property
    def _chain_of(self) -> dict[tuple[int, int], int]:
        tail, head, chain = (column.tolist() for column in self._arcs)
        return dict(zip(zip(tail, head, strict=True), chain, strict=True))

    def _reach(self, sources: Places) -> tuple[Floats, Ints]:
        """Return cost and predecessor from each source to every node, shape (sources, nodes)."""
        tail, head, chain = self._arcs
        node = self.chains.junction_count + np.arange(len(sources))
        start, end = self.chains.start[sources.chain], self.chains.end[sources.chain]
        is_open = start != end
        # A sparse array adds up duplicate entries: a closed chain gets one arc, the cheaper way.
        to_start = np.where(is_open, sources.before, np.minimum(sources.before, sources.after))
        rows = np.concatenate([tail, node, node[is_open]])
        columns = np.concatenate([head, start, end[is_open]])
        costs = np.concatenate([self.total[chain], to_start, sources.after[is_open]])
        size = self.chains.junction_count + len(sources)
        graph = csr_array((costs, (rows, columns)), shape=(size, size))
        reached, previous = dijkstra(graph, indices=node, return_predecessors=True)
        return np.asarray(reached), np.asarray(previous, dtype=np.int64)

    def _way_to(self, goal: int, previous: Ints, pair: Places) -> list[tuple[int, bool]]:
        """Return the chains from the first place to a junction, from the table of predecessors."""
        nodes = [goal]
        while nodes[-1] < self.chains.junction_count:
            nodes.append(int(previous[nodes[-1]]))
        junctions = nodes[-2::-1]
        way = [self._first_step(pair, junctions[0])]
        for tail, head in pairwise(junctions):
            chain = self._chain_of[tail, head]
            way.append((chain, bool(self.chains.start[chain] == tail)))
        return way

    def _first_step(self, pair: Places, junction: int) -> tuple[int, bool]:
        """Return how the first chain is left towards a junction at one of its ends."""
        chain = int(pair.chain[0])
        if self.chains.start[chain] == self.chains.end[chain]:
            return chain, bool(pair.after[0] < pair.before[0])
        return chain, bool(self.chains.end[chain] == junction)

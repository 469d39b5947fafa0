"""Contracting a street graph: runs of edges through nodes of degree two become one chain each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chains:
    """A graph whose nodes are junctions and whose links are chains of whole edges.

    Attributes
    ----------
    junction_count
        Number of junctions: dead ends, crossings, and one node of each closed ring.
    start, end
        Shape (c,), junction at either end of a chain; equal for a chain that closes on itself.
    edges
        Shape (e,), edge indices, chain after chain, in walking order from ``start`` to ``end``.
    first
        Shape (c + 1,), where each chain begins in ``edges``.
    chain, place, forward
        Shape (e,), by edge: its chain, its position in ``edges``, and whether it is walked in its
        own direction when the chain is walked from ``start`` to ``end``.
    """

    junction_count: int
    start: Ints
    end: Ints
    edges: Ints
    first: Ints
    chain: Ints
    place: Ints
    forward: NDArray[np.bool_]

    def totals(self, per_edge: Floats) -> tuple[Floats, Floats]:
        """Sum a quantity of edges along the chains.

        Parameters
        ----------
        per_edge
            Shape (e,), for example metres.

        Returns
        -------
        tuple
            Shape (c,), the total of each chain; shape (e,), by edge, what lies before it in its
            chain.
        """
        running = np.concatenate([[0.0], np.cumsum(per_edge[self.edges])])
        base = running[self.first[:-1]]
        before = np.empty(len(per_edge))
        before[self.edges] = running[:-1] - base[self.chain[self.edges]]
        return running[self.first[1:]] - base, before


def contract(start: Ints, end: Ints, *, node_count: int) -> Chains:
    """Contract every run of edges through nodes of degree two into one chain.

    Parameters
    ----------
    start, end
        Shape (e,), node at either end of each undirected edge; loops and parallels are welcome.
    node_count
        Number of nodes.

    Returns
    -------
    Chains
        Every edge is in exactly one chain; a ring without any junction becomes a chain that closes
        on the first node of its lowest edge. No edges give no chains.
    """
    runs = _runs(start, end, node_count)
    sizes = np.fromiter((len(run) for run in runs), dtype=np.int64, count=len(runs))
    halves = np.fromiter((half for run in runs for half in run), dtype=np.int64, count=len(start))
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    edges = halves >> 1
    forward = np.empty(len(start), dtype=bool)
    forward[edges] = (halves & 1) == 0
    chain = np.empty(len(start), dtype=np.int64)
    chain[edges] = np.repeat(np.arange(len(runs)), sizes)
    place = np.empty(len(start), dtype=np.int64)
    place[edges] = np.arange(len(start))
    tails = _tails(start, end)
    ends = np.concatenate([tails[halves[first[:-1]]], tails[halves[first[1:] - 1] ^ 1]])
    nodes, number = np.unique(ends, return_inverse=True)
    return Chains(
        junction_count=len(nodes),
        start=number[: len(runs)].astype(np.int64),
        end=number[len(runs) :].astype(np.int64),
        edges=edges,
        first=first,
        chain=chain,
        place=place,
        forward=forward,
    )


def _tails(start: Ints, end: Ints) -> Ints:
    """Return the node each half-edge leaves: edge e is half 2e forward and 2e + 1 backward."""
    tails = np.empty(2 * len(start), dtype=np.int64)
    tails[0::2] = start
    tails[1::2] = end
    return tails


def _followers(tails: Ints, node_count: int) -> Ints:
    """Return the half-edge that goes on where each one arrives, -1 where that is a junction."""
    degree = np.bincount(tails, minlength=node_count)
    leaving_sum = np.bincount(tails, weights=np.arange(len(tails)), minlength=node_count)
    halves = np.arange(len(tails))
    heads = tails[halves ^ 1]
    # Of two half-edges leaving a node the other one is their sum less the known one.
    other = leaving_sum[heads].astype(np.int64) - (halves ^ 1)
    return np.where(degree[heads] == 2, other, -1)


def _runs(start: Ints, end: Ints, node_count: int) -> list[list[int]]:
    """Return the half-edges of each chain: first those between junctions, then closed rings."""
    tails = _tails(start, end)
    followers = _followers(tails, node_count)
    is_junction = np.bincount(tails, minlength=node_count) != 2
    at_junctions = np.flatnonzero(is_junction[tails]).tolist() if len(tails) else []
    follow = followers.tolist()
    taken = bytearray(len(start))
    runs = []
    for first in [*at_junctions, *range(0, len(tails), 2)]:
        if taken[first >> 1]:
            continue
        run = []
        half = first
        while half >= 0 and not taken[half >> 1]:
            taken[half >> 1] = 1
            run.append(half)
            half = follow[half]
        runs.append(run)
    return runs

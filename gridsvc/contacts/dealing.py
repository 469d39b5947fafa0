"""Dealing a handful of stairwells out again at best: exact, in a millisecond.

A block is a dozen stairwells; all others stay with their members and only take up room. What a
member carries costs more the fuller the member is, so the price of one more stairwell at the load
reached so far never falls later: the sum of the cheapest such prices bounds what is still to come,
and a depth-first search behind it is short.

References
----------
A. H. Land, A. G. Doig, Econometrica 28 (1960) 497-520, doi:10.2307/1910129 (branch and bound).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit

from gridsvc.contacts.candidates import Candidates
from gridsvc.contacts.problem import Bools, ContactProblem, Ints, Policy

BLOCK = 12
_NODE_LIMIT = 5_000


@dataclass(frozen=True)
class Deal:
    """The best assignment of a block.

    Attributes
    ----------
    saved
        What it costs less than the present one, >= 0.
    pair
        Shape (k,), the pair of each stairwell of the block, in its order; the present ones where
        nothing is saved.
    is_best
        The search came to its end; else a better one may exist.
    """

    saved: int
    pair: Ints
    is_best: bool


class Dealer:
    """An assignment along known pairs, whose blocks can be dealt out again.

    ``cost``, ``usable``, ``room`` and ``most`` may be written to, to ask what would be if.

    Attributes
    ----------
    pairs
        The pairs; stairwells without any cannot be dealt.
    cost, usable
        Shape (e,), price of each pair, and whether it may be taken.
    at
        Shape (n,), the pair each stairwell has; -1 for none.
    load, count
        Shape (m,), households and stairwells of each member, of all stairwells.
    room, most
        Shape (m,), households and stairwells that each can carry.
    """

    def __init__(
        self,
        problem: ContactProblem,
        pairs: Candidates,
        policy: Policy,
        *,
        member: Ints,
        usable: Bools,
    ) -> None:
        self.pairs = pairs
        self.policy = policy
        self.households = problem.grid_households.copy()
        self.cost = pairs.cost.copy()
        self.usable = usable.copy()
        self.room = problem.member_capacity_households.copy()
        self.most = problem.member_capacity_stairwells.copy()
        self.at = np.full(problem.grid_count, -1)
        taken = np.flatnonzero(pairs.member == member[pairs.grid])
        self.at[pairs.grid[taken]] = taken
        led = np.flatnonzero(member >= 0)
        self.load = np.zeros(problem.member_count, dtype=np.int64)
        np.add.at(self.load, member[led], self.households[led])
        self.count = np.bincount(member[led], minlength=problem.member_count).astype(np.int64)
        order = led[np.argsort(member[led], kind="stable")]
        bounds = np.searchsorted(member[order], np.arange(problem.member_count + 1))
        self._held = [set(order[begin:end].tolist()) for begin, end in pairwise(bounds.tolist())]

    def held(self, member: int) -> list[int]:
        """Return the stairwells of a member that have pairs, ascending."""
        return [grid for grid in sorted(self._held[member]) if self.at[grid] >= 0]

    def fee(self, member: int, *, households: int, stairwells: int) -> int:
        """Return what it costs that a member carries more, or less, by that than now."""
        over = int(self.load[member] - self.room[member])
        beyond = int(self.count[member] - self.most[member])
        more = max(over + households, 0) - max(over, 0)
        further = max(beyond + stairwells, 0) - max(beyond, 0)
        policy = self.policy
        return policy.overload_per_household * more + policy.overload_per_stairwell * further

    def deal(self, block: Sequence[int]) -> Deal:
        """Find the best assignment of a block of stairwells that have a pair each."""
        rows = np.asarray(block, dtype=np.int64)
        rows = rows[np.argsort(-self.households[rows], kind="stable")]
        over, beyond = self.load - self.room, self.count - self.most
        giver = self.pairs.member[self.at[rows]]
        np.subtract.at(over, giver, self.households[rows])
        np.subtract.at(beyond, giver, 1)
        chosen, saved, nodes = _branch(
            rows,
            self.at,
            (self.pairs.first, self.pairs.member, self.cost, self.usable, self.households),
            over,
            beyond,
            (self.policy.overload_per_household, self.policy.overload_per_stairwell),
            _NODE_LIMIT,
        )
        by_grid = dict(zip(rows.tolist(), chosen.tolist(), strict=True))
        pair = np.array([by_grid[grid] for grid in block], dtype=np.int64)
        return Deal(int(saved), pair, bool(nodes <= _NODE_LIMIT))

    def put(self, block: Sequence[int], pair: Ints) -> list[int]:
        """Give stairwells their new pairs; return those whose member is another now."""
        changed = []
        for grid, new in zip(block, pair.tolist(), strict=True):
            old = int(self.at[grid])
            if old == new:
                continue
            changed.append(grid)
            for row, sign in ((old, -1), (new, 1)):
                if row >= 0:
                    member = int(self.pairs.member[row])
                    self.load[member] += sign * self.households[grid]
                    self.count[member] += sign
                    (self._held[member].add if sign > 0 else self._held[member].remove)(grid)
            self.at[grid] = new
        return changed


@njit(cache=True, nogil=True)
def _fee(over: int, beyond: int, households: int, dear: tuple[int, int]) -> int:
    """Price of one more stairwell for a member who is over by that; negative: has room."""
    more = max(over + households, 0) - max(over, 0)
    further = max(beyond + 1, 0) - max(beyond, 0)
    return dear[0] * more + dear[1] * further


@njit(cache=True, nogil=True)
def _expand(
    block: Ints,
    depth: int,
    pairs: tuple[Ints, Ints, Ints, Bools, Ints],
    over: Ints,
    beyond: Ints,
    dear: tuple[int, int],
    option: Ints,
    price: Ints,
) -> tuple[int, int]:
    """List the pairs of one stairwell, cheapest first, and bound what all later ones cost.

    Returns
    -------
    tuple
        How many pairs there are, and the bound.
    """
    first, member, cost, usable, households = pairs
    listed, rest = 0, 0
    for later in range(depth, len(block)):
        grid = block[later]
        least = -1
        for pair in range(first[grid], first[grid + 1]):
            if not usable[pair]:
                continue
            one = member[pair]
            asked = cost[pair] + _fee(over[one], beyond[one], households[grid], dear)
            least = asked if least < 0 else min(least, asked)
            if later == depth:
                slot = listed
                while slot > 0 and price[slot - 1] > asked:
                    price[slot], option[slot] = price[slot - 1], option[slot - 1]
                    slot -= 1
                price[slot], option[slot] = asked, pair
                listed += 1
        if later > depth:
            rest += max(least, 0)
    return listed, rest


@njit(cache=True, nogil=True)
def _branch(
    block: Ints,
    at: Ints,
    pairs: tuple[Ints, Ints, Ints, Bools, Ints],
    over: Ints,
    beyond: Ints,
    dear: tuple[int, int],
    node_limit: int,
) -> tuple[Ints, int, int]:
    """Search depth first; return the pairs of the block, what they save, and the nodes seen.

    ``over`` and ``beyond`` are what each member carries beyond the room, the block not counted.
    """
    first, member, cost, _, households = pairs
    size = len(block)
    present, width = 0, 1
    for grid in block:
        one = member[at[grid]]
        present += cost[at[grid]] + _fee(over[one], beyond[one], households[grid], dear)
        over[one] += households[grid]
        beyond[one] += 1
        width = max(width, first[grid + 1] - first[grid])
    for grid in block:
        over[member[at[grid]]] -= households[grid]
        beyond[member[at[grid]]] -= 1
    best, best_pair = present, at[block]
    option = np.empty((size, width), dtype=np.int64)
    price = np.empty((size, width), dtype=np.int64)
    options = np.zeros(size, dtype=np.int64)
    position = np.zeros(size, dtype=np.int64)
    rest = np.zeros(size, dtype=np.int64)
    spent = np.zeros(size + 1, dtype=np.int64)
    taken = np.full(size, -1, dtype=np.int64)
    depth, nodes, is_new = 0 if size else -1, 0, True
    while depth >= 0:
        grid = block[depth]
        if is_new:
            options[depth], rest[depth] = _expand(
                block, depth, pairs, over, beyond, dear, option[depth], price[depth]
            )
            position[depth] = 0
        elif taken[depth] >= 0:
            over[member[taken[depth]]] -= households[grid]
            beyond[member[taken[depth]]] -= 1
            taken[depth] = -1
        slot = position[depth]
        is_new = False
        if (
            slot == options[depth]
            or spent[depth] + price[depth, slot] + rest[depth] >= best
            or nodes > node_limit
        ):
            depth -= 1
            continue
        position[depth] += 1
        nodes += 1
        taken[depth] = option[depth, slot]
        spent[depth + 1] = spent[depth] + price[depth, slot]
        over[member[taken[depth]]] += households[grid]
        beyond[member[taken[depth]]] += 1
        if depth + 1 < size:
            depth += 1
            is_new = True
        else:
            best, best_pair = spent[size], taken.copy()
    return best_pair, present - best, nodes

"""Improving an assignment: shifts, swaps, ejections, and rebuilding a neighbourhood at a time.

The state is flat columns of whole numbers and the inner loop only indexes and adds, so that a
compiler can take it over as it stands; as plain Python it wants lists, which index faster than
arrays.
"""

import random
from collections.abc import Callable, Iterable

from gridsvc.contacts.candidates import Candidates
from gridsvc.contacts.problem import ContactProblem, Ints, Policy

_RUINED_MEMBERS = 4

Move = tuple[int, int, int, int]
_NO_MOVE: Move = (0, -1, -1, -1)


class Assignment:
    """A contact for each stairwell that has a candidate, and what it costs at any time.

    Attributes
    ----------
    at
        Shape (n,), the candidate pair chosen for each stairwell; -1 for none.
    total
        Cost of the chosen pairs and of all overload.
    """

    def __init__(
        self, problem: ContactProblem, candidates: Candidates, policy: Policy, at: Ints
    ) -> None:
        self.first: list[int] = candidates.first.tolist()
        self.member: list[int] = candidates.member.tolist()
        self.cost: list[int] = candidates.cost.tolist()
        self.households: list[int] = problem.grid_households.tolist()
        self.room: list[int] = problem.member_capacity_households.tolist()
        self.most: list[int] = problem.member_capacity_stairwells.tolist()
        self.policy = policy
        self.per_household = policy.overload_per_household
        self.per_stairwell = policy.overload_per_stairwell
        self.load = [0] * problem.member_count
        self.count = [0] * problem.member_count
        self.held: list[list[int]] = [[] for _ in range(problem.member_count)]
        self.at = [-1] * problem.grid_count
        self.total = 0
        for grid, pair in enumerate(at.tolist()):
            if pair >= 0:
                self.put(grid, pair)

    def fee(self, member: int, households: int, stairwells: int) -> int:
        """Return what it costs that a member carries more by that than now."""
        now = self.load[member] - self.room[member]
        then = now + households
        fee = (then if then > 0 else 0) - (now if now > 0 else 0)
        now = self.count[member] - self.most[member]
        then = now + stairwells
        over = (then if then > 0 else 0) - (now if now > 0 else 0)
        return fee * self.per_household + over * self.per_stairwell

    def put(self, grid: int, pair: int) -> None:
        """Give a stairwell that has nobody the member of a pair."""
        member = self.member[pair]
        self.total += self.cost[pair] + self.fee(member, self.households[grid], 1)
        self.load[member] += self.households[grid]
        self.count[member] += 1
        self.held[member].append(grid)
        self.at[grid] = pair

    def take(self, grid: int) -> int:
        """Take a stairwell from its member; return the pair it had."""
        pair = self.at[grid]
        member = self.member[pair]
        self.total += self.fee(member, -self.households[grid], -1) - self.cost[pair]
        self.load[member] -= self.households[grid]
        self.count[member] -= 1
        self.held[member].remove(grid)
        self.at[grid] = -1
        return pair

    def neighbours(self, grids: Iterable[int]) -> list[int]:
        """Return all stairwells of the members who have these, each once."""
        members = dict.fromkeys(self.member[self.at[grid]] for grid in grids)
        return [held for member in members for held in self.held[member]]

    def best_pair(self, grid: int) -> int:
        """Return the pair by which a stairwell that has nobody costs least now."""
        cost, member, households = self.cost, self.member, self.households[grid]
        least, best = -1, -1
        for pair in range(self.first[grid], self.first[grid + 1]):
            if best >= 0 and cost[pair] >= least:
                break
            price = cost[pair] + self.fee(member[pair], households, 1)
            if best < 0 or price < least:
                least, best = price, pair
        return best

    def best_move(self, grid: int) -> Move:
        """Find the best shift, swap or ejection that gives a stairwell another member.

        Returns
        -------
        tuple
            Change of the total (negative, or 0 for none better), the stairwell's new pair, the
            stairwell that has to leave the new member (-1 for none), and that one's new pair.
        """
        cost, member, fee = self.cost, self.member, self.fee
        own = member[self.at[grid]]
        households = self.households[grid]
        saved = cost[self.at[grid]] - fee(own, -households, -1)
        best = _NO_MOVE
        for pair in range(self.first[grid], self.first[grid + 1]):
            # A dearer pair pays only by what another stairwell gains: that is a move of its own.
            if cost[pair] >= saved:
                break
            other = member[pair]
            if other == own:
                continue
            change = cost[pair] - saved
            extra = fee(other, households, 1)
            if change + extra < best[0]:
                best = (change + extra, pair, -1, -1)
            if extra > 0:
                best = self._best_ejection(grid, pair, change, best)
        return best

    def _best_ejection(self, grid: int, pair: int, change: int, best: Move) -> Move:
        """Return the better of a move and those that push one stairwell out of the new member."""
        first, cost, member, room, most = self.first, self.cost, self.member, self.room, self.most
        load, count, at = self.load, self.count, self.at
        per_household, per_stairwell = self.per_household, self.per_stairwell
        households = self.households[grid]
        own, other = member[at[grid]], member[pair]
        limit = best[0]
        for leaver in self.held[other]:
            leaving = self.households[leaver]
            so_far = change - cost[at[leaver]]
            relief = leaving - households if leaving > households else 0
            if so_far + cost[first[leaver]] - per_household * relief >= limit:
                continue
            so_far += self.fee(other, households - leaving, 0)
            for way_out in range(first[leaver], first[leaver + 1]):
                price = so_far + cost[way_out]
                if price >= limit:
                    break
                third = member[way_out]
                if third == other:
                    continue
                over = load[third] + leaving - room[third]
                number = count[third]
                if third == own:
                    over -= households
                    number -= 1
                if over > 0:
                    price += per_household * (over if over < leaving else leaving)
                if number >= most[third]:
                    price += per_stairwell
                if price < limit:
                    limit = price
                    best = (price, pair, leaver, way_out)
        return best

    def apply(self, grid: int, move: Move) -> list[int]:
        """Make a move; return the stairwells whose best move may have changed with it."""
        _, pair, leaver, way_out = move
        left = self.member[self.take(grid)]
        if leaver >= 0:
            self.take(leaver)
            self.put(leaver, way_out)
        self.put(grid, pair)
        moved = [grid, leaver] if leaver >= 0 else [grid]
        return [*self.held[left], *self.neighbours(moved)]


def settle(assignment: Assignment, grids: Iterable[int], go_on: Callable[[], bool]) -> bool:
    """Make improving moves, from these stairwells outwards, until none is left.

    Returns
    -------
    bool
        False where ``go_on`` stopped it before.
    """
    queue = [grid for grid in grids if assignment.at[grid] >= 0]
    waiting = set(queue)
    position = 0
    while position < len(queue):
        if not go_on():
            return False
        grid = queue[position]
        position += 1
        waiting.discard(grid)
        move = assignment.best_move(grid)
        if move[0] < 0:
            for near in assignment.apply(grid, move):
                if near not in waiting:
                    waiting.add(near)
                    queue.append(near)
    return True


def rebuild_once(assignment: Assignment, grid: int, chance: random.Random) -> bool:
    """Free the stairwells of the members round one, place them anew, and keep it if not worse.

    Returns
    -------
    bool
        The assignment has become cheaper.
    """
    before = assignment.total
    pairs = range(assignment.first[grid], assignment.first[grid + 1])
    pool = chance.sample(pairs, min(len(pairs), _RUINED_MEMBERS))
    members = {assignment.member[assignment.at[grid]], *(assignment.member[p] for p in pool)}
    freed = [held for member in sorted(members) for held in assignment.held[member]]
    known = {held: assignment.take(held) for held in freed}
    chance.shuffle(freed)
    freed.sort(key=lambda held: -assignment.households[held] * chance.uniform(0.7, 1.3))
    for held in freed:
        assignment.put(held, assignment.best_pair(held))
    touched = _settle_recorded(assignment, freed, known)
    if assignment.total > before:
        for held in touched:
            assignment.take(held)
        for held in touched:
            assignment.put(held, known[held])
    return assignment.total < before


def _settle_recorded(assignment: Assignment, freed: list[int], known: dict[int, int]) -> list[int]:
    """Settle once round the freed stairwells, noting in ``known`` the pairs others had before."""
    for grid in freed:
        move = assignment.best_move(grid)
        if move[0] < 0:
            leaver = move[2]
            if leaver >= 0:
                known.setdefault(leaver, assignment.at[leaver])
            assignment.apply(grid, move)
    return list(known)

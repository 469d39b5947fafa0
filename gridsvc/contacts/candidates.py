"""Which member could look after which stairwell, and what each such pair costs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gridsvc.contacts.problem import NEAR_M, Bools, ContactProblem, Floats, Ints, Policy

NEAREST = 12
_MOST_A_GRID, _MOST_A_MEMBER = 16, 12
_SMALL = 10_000


@dataclass(frozen=True)
class Candidates:
    """Pairs of stairwell and member, by stairwell, then cost, then member.

    Attributes
    ----------
    first
        Shape (n + 1,), where each stairwell's pairs begin.
    grid, member, tier, cost
        Shape (e,); cost without overload, whole numbers.
    distance_m
        Shape (e,), metres as the crow flies.
    """

    first: Ints
    grid: Ints
    member: Ints
    tier: Ints
    distance_m: Floats
    cost: Ints

    def __len__(self) -> int:
        return len(self.grid)

    @property
    def has_any(self) -> Bools:
        """Shape (n,), whether a stairwell has a candidate."""
        return np.diff(self.first) > 0

    def only(self, kept: Bools) -> "Candidates":
        """Return some of the pairs, shape (e,)."""
        grid = self.grid[kept]
        return Candidates(
            first=np.searchsorted(grid, np.arange(len(self.first))),
            grid=grid,
            member=self.member[kept],
            tier=self.tier[kept],
            distance_m=self.distance_m[kept],
            cost=self.cost[kept],
        )

    def rows_of(self, other: "Candidates", at: Ints) -> Ints:
        """Return the rows, among these pairs, of those of another that an assignment chose.

        Parameters
        ----------
        other
            Of whose pairs these have all that were chosen.
        at
            Shape (n,), rows of ``other``; -1 for none.
        """
        width = int(self.member.max(initial=0)) + 1
        code = self.grid * width + self.member
        order = np.argsort(code, kind="stable")
        rows = np.full(len(at), -1)
        covered = at >= 0
        sought = other.grid[at[covered]] * width + other.member[at[covered]]
        rows[covered] = order[np.searchsorted(code[order], sought)]
        return rows


def find_candidates(problem: ContactProblem, policy: Policy) -> Candidates:
    """Pair each stairwell with the members who could be its contact.

    They are the nearest members of each stairwell and the nearest stairwells of each member — the
    same again among Party members, where these come first — everybody of the own building and
    compound, and today's contact; less the excluded and unavailable. Of these, the cheapest of
    each stairwell and each member stay. A stairwell that has none gets every allowed member within
    ``max_distance_m``; a pinned one has its pinned member and no other. A small problem gets every
    allowed pair.
    """
    usable = np.flatnonzero(problem.member_available & (problem.member_capacity_stairwells > 0))
    if takes_all_pairs(problem):
        code = _pairs_within(problem, np.arange(problem.grid_count), usable)
        return _priced(problem, policy, keep_allowed(problem, code))
    party = usable[problem.member_is_party[usable]]
    pools = [usable, party] if policy.party_first else [usable]
    codes = [_nearest_pairs(problem, pool) for pool in pools]
    codes.append(_home_pairs(problem, usable, problem.grid_building, problem.member_home_building))
    codes.append(_home_pairs(problem, usable, problem.grid_compound, problem.member_home_compound))
    stays = np.flatnonzero(incumbent_may_stay(problem))
    codes.append(stays * problem.member_count + problem.incumbent[stays])
    pinned = np.flatnonzero(problem.pinned >= 0)
    codes.append(pinned * problem.member_count + problem.pinned[pinned])
    code = keep_allowed(problem, _distinct(codes))
    bare = np.ones(problem.grid_count, dtype=bool)
    bare[code // max(problem.member_count, 1)] = False
    further = keep_allowed(problem, _pairs_within(problem, np.flatnonzero(bare), usable))
    return _cheapest(problem, _priced(problem, policy, _distinct([code, further])))


def takes_all_pairs(problem: ContactProblem) -> bool:
    """Tell whether a problem is so small that every allowed pair is a candidate."""
    return problem.grid_count * problem.member_count <= _SMALL


def _cheapest(problem: ContactProblem, candidates: Candidates) -> Candidates:
    """Keep the cheapest pairs of each stairwell and member, today's, and those far from home.

    The others are within the distance, so that pricing finds them again where they are worth it.
    """
    rank = np.arange(len(candidates)) - candidates.first[candidates.grid]
    order = np.lexsort([candidates.grid, candidates.cost, candidates.member])
    of_member = np.empty_like(order)
    by_member = candidates.member[order]
    of_member[order] = np.arange(len(order)) - np.searchsorted(by_member, by_member)
    kept = (rank < _MOST_A_GRID) | (of_member < _MOST_A_MEMBER)
    kept |= candidates.member == problem.incumbent[candidates.grid]
    return candidates.only(kept | (candidates.distance_m > problem.max_distance_m))


def add_pairs(
    problem: ContactProblem, policy: Policy, candidates: Candidates, code: Ints
) -> Candidates:
    """Add pairs, given as stairwell times number of members plus member."""
    known = candidates.grid * problem.member_count + candidates.member
    return _priced(problem, policy, _distinct([known, code]))


def repriced(problem: ContactProblem, policy: Policy, candidates: Candidates) -> Candidates:
    """Price the same pairs by another policy."""
    return _priced(problem, policy, candidates.grid * problem.member_count + candidates.member)


def incumbent_may_stay(problem: ContactProblem) -> Bools:
    """Tell which stairwells could keep today's contact; shape (n,).

    The contact is available, takes stairwells, is near enough or shares the home, is not excluded,
    and nobody else is pinned. Any other change of contact is forced.
    """
    incumbent = problem.incumbent
    has_one = incumbent >= 0
    if not has_one.any():
        return has_one
    takes = problem.member_available & (problem.member_capacity_stairwells > 0)
    apart = problem.grid_xy_m - problem.member_xy_m[incumbent]
    is_near = np.hypot(apart[:, 0], apart[:, 1]) <= problem.max_distance_m
    building = problem.member_home_building[incumbent]
    compound = problem.member_home_compound[incumbent]
    is_home = (building >= 0) & (building == problem.grid_building)
    is_home |= (compound >= 0) & (compound == problem.grid_compound)
    may = has_one & takes[incumbent] & (is_near | is_home)
    code = np.arange(problem.grid_count) * problem.member_count + incumbent
    excluded = problem.excluded[:, 0] * problem.member_count + problem.excluded[:, 1]
    may &= ~np.isin(code, excluded)
    is_pinned = problem.pinned >= 0
    stays: Bools = np.where(is_pinned, has_one & (problem.pinned == incumbent), may)
    return stays


def uncovered_reasons(problem: ContactProblem, has_any: Bools) -> NDArray[np.str_]:
    """Say why stairwells have no candidate; shape (n,), empty text where they have one."""
    reasons = np.full(problem.grid_count, "", dtype="U16")
    bare = np.flatnonzero(~has_any)
    everybody = np.arange(problem.member_count)
    available = np.flatnonzero(problem.member_available)
    taking = available[problem.member_capacity_stairwells[available] > 0]
    for pool, reason in (
        (taking, "excluded"),
        (available, "full"),
        (everybody, "all_unavailable"),
    ):
        some = np.unique(_pairs_within(problem, bare, pool) // max(problem.member_count, 1))
        reasons[some] = reason
        bare = np.setdiff1d(bare, some)
    reasons[bare] = "no_candidate"
    return reasons


def _nearest_pairs(problem: ContactProblem, pool: Ints) -> Ints:
    """Return codes of the nearest pairs, both ways, within the distance allowed."""
    if not len(pool) or not problem.grid_count:
        return np.empty(0, dtype=np.int64)
    near = min(NEAREST, problem.grid_count)
    metres, found = _query(problem.grid_xy_m, problem.member_xy_m[pool], near)
    ok = metres <= problem.max_distance_m
    member = np.broadcast_to(pool[:, None], found.shape)
    by_member = found[ok] * problem.member_count + member[ok]
    by_grid = _nearest_members(problem, pool, np.arange(problem.grid_count))
    return np.concatenate([by_grid, by_member])


def _nearest_members(problem: ContactProblem, pool: Ints, grids: Ints) -> Ints:
    """Return codes of the pairs of these grids with their nearest members of the pool."""
    if not len(pool) or not len(grids):
        return np.empty(0, dtype=np.int64)
    near = min(NEAREST, len(pool))
    metres, found = _query(problem.member_xy_m[pool], problem.grid_xy_m[grids], near)
    ok = metres <= problem.max_distance_m
    grid = np.broadcast_to(grids[:, None], found.shape)
    code: Ints = grid[ok] * problem.member_count + pool[found[ok]]
    return code


def _distinct(codes: list[Ints]) -> Ints:
    """Return the distinct codes, ascending; np.unique hashes, which takes ten times as long."""
    code = np.sort(np.concatenate(codes).astype(np.int64))
    distinct: Ints = code[np.diff(code, prepend=-1) != 0]
    return distinct


def _query(among: Floats, of: Floats, near: int) -> tuple[Floats, Ints]:
    """Return metres and rows of the nearest places, shape (len(of), near) each."""
    metres, rows = KDTree(among).query(of, k=[*range(1, near + 1)])
    return np.asarray(metres, dtype=np.float64), np.asarray(rows, dtype=np.int64)


def _home_pairs(problem: ContactProblem, pool: Ints, of_grid: Ints, of_member: Ints) -> Ints:
    """Return codes of all pairs whose grid and member share a building or compound."""
    pool = pool[of_member[pool] >= 0]
    pool = pool[np.argsort(of_member[pool], kind="stable")]
    homes = of_member[pool]
    begin = np.searchsorted(homes, of_grid, side="left")
    size = np.where(of_grid >= 0, np.searchsorted(homes, of_grid, side="right") - begin, 0)
    grid = np.repeat(np.arange(problem.grid_count), size)
    within = np.arange(len(grid)) - np.repeat(np.cumsum(size) - size, size)
    code: Ints = grid * problem.member_count + pool[np.repeat(begin, size) + within]
    return code


def _pairs_within(problem: ContactProblem, grids: Ints, pool: Ints) -> Ints:
    """Return codes of all pairs of these grids with members of the pool that may serve them."""
    if not len(grids) or not len(pool):
        return np.empty(0, dtype=np.int64)
    found = KDTree(problem.member_xy_m[pool]).query_ball_point(
        problem.grid_xy_m[grids], problem.max_distance_m, return_sorted=True
    )
    codes: list[Ints] = [
        g * problem.member_count + pool[rows] for g, rows in zip(grids, found, strict=True)
    ]
    is_asked = np.zeros(problem.grid_count, dtype=bool)
    is_asked[grids] = True
    for of_grid, of_member in (
        (problem.grid_building, problem.member_home_building),
        (problem.grid_compound, problem.member_home_compound),
    ):
        home = _home_pairs(problem, pool, of_grid, of_member)
        codes.append(home[is_asked[home // problem.member_count]])
    return _distinct(codes)


def keep_allowed(problem: ContactProblem, code: Ints) -> Ints:
    """Keep the pairs that are not excluded; of pinned stairwells, their pinned pair alone."""
    excluded = problem.excluded[:, 0] * problem.member_count + problem.excluded[:, 1]
    if len(excluded):
        code = code[~np.isin(code, excluded)]
    pinned = np.flatnonzero(problem.pinned >= 0)
    if len(pinned):
        code = code[problem.pinned[code // problem.member_count] < 0]
        code = np.union1d(code, pinned * problem.member_count + problem.pinned[pinned])
    return code


def _priced(problem: ContactProblem, policy: Policy, code: Ints) -> Candidates:
    """Give the pairs their tier, distance and cost, and put them in order."""
    grid, member = code // max(problem.member_count, 1), code % max(problem.member_count, 1)
    apart = problem.grid_xy_m[grid] - problem.member_xy_m[member]
    distance_m = np.hypot(apart[:, 0], apart[:, 1])
    tier = _tiers(problem, grid, member, distance_m)
    cost = np.asarray(policy.tiers, dtype=np.int64)[tier]
    cost += np.minimum(distance_m, policy.metres_cap).astype(np.int64)
    incumbent = problem.incumbent[grid]
    cost += policy.churn * ((incumbent >= 0) & (incumbent != member))
    if policy.party_first:
        cost += policy.not_party * ~problem.member_is_party[member]
    order = np.lexsort([member, cost, grid])
    grid = grid[order]
    return Candidates(
        first=np.searchsorted(grid, np.arange(problem.grid_count + 1)),
        grid=grid,
        member=member[order],
        tier=tier[order],
        distance_m=distance_m[order],
        cost=cost[order],
    )


def _tiers(problem: ContactProblem, grid: Ints, member: Ints, distance_m: Floats) -> Ints:
    home_building = problem.member_home_building[member]
    home_compound = problem.member_home_compound[member]
    conditions = [
        problem.member_home_grid[member] == grid,
        (home_building >= 0) & (home_building == problem.grid_building[grid]),
        (home_compound >= 0) & (home_compound == problem.grid_compound[grid]),
        distance_m <= NEAR_M,
    ]
    return np.select(conditions, [0, 1, 2, 3], default=4).astype(np.int64)

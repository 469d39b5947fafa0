"""Which member could look after which stairwell, and what each such pair costs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gridsvc.contacts.problem import NEAR_M, Bools, ContactProblem, Floats, Ints, Policy

NEAREST = 12

Prices = tuple[Ints, Floats]


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


def find_candidates(problem: ContactProblem, policy: Policy) -> Candidates:
    """Pair each stairwell with the members who could be its contact.

    They are the nearest members of each stairwell and the nearest stairwells of each member — the
    same again among Party members, where these come first — and everybody of the own building and
    compound; less the excluded and unavailable. A stairwell that has none of these gets every
    allowed member within ``max_distance_m``.
    """
    usable = np.flatnonzero(problem.member_available & (problem.member_capacity_stairwells > 0))
    party = usable[problem.member_is_party[usable]]
    pools = [usable, party] if policy.party_first else [usable]
    codes = [_nearest_pairs(problem, pool) for pool in pools]
    codes.append(_home_pairs(problem, usable, problem.grid_building, problem.member_home_building))
    codes.append(_home_pairs(problem, usable, problem.grid_compound, problem.member_home_compound))
    code = _without_excluded(problem, _distinct(codes))
    bare = np.ones(problem.grid_count, dtype=bool)
    bare[code // max(problem.member_count, 1)] = False
    further = _without_excluded(problem, _pairs_within(problem, np.flatnonzero(bare), usable))
    return _priced(problem, policy, _distinct([code, further]))


def widen(
    problem: ContactProblem, policy: Policy, candidates: Candidates, prices: Prices
) -> Candidates:
    """Add members with room to stairwells whose candidates are all taken.

    Where a neighbourhood has too few members the nearest ones are full, and those with room are
    further off. A pair is added only if it costs less than the best the stairwell has at these
    prices, as columns are in column generation.

    Parameters
    ----------
    prices
        Shape (m,) each: what one more stairwell, and one more household, costs each member.

    Returns
    -------
    Candidates
        The same object where nothing was to add.
    """
    if not len(candidates):
        return candidates
    toll, price = prices
    by_load = price[candidates.member] * problem.grid_households[candidates.grid]
    offers = candidates.cost + toll[candidates.member] + by_load
    worth = np.zeros(problem.grid_count)
    served = np.flatnonzero(candidates.has_any)
    worth[served] = np.minimum.reduceat(offers, candidates.first[served])
    # A pair that is not there yet crosses the border of a compound, and costs as much at least.
    dear = np.flatnonzero(worth > policy.tiers[3])
    usable = problem.member_available & (problem.member_capacity_stairwells > 0)
    spare = np.flatnonzero(usable & (toll == 0) & (price == 0))
    pools = [spare, spare[problem.member_is_party[spare]]]
    code = _distinct([_nearest_members(problem, pool, dear) for pool in pools])
    known = candidates.grid * problem.member_count + candidates.member
    new = _priced(problem, policy, _without_excluded(problem, code[~np.isin(code, known)]))
    cheaper = new.cost < worth[new.grid]
    added = (new.grid * problem.member_count + new.member)[cheaper]
    return _priced(problem, policy, _distinct([known, added])) if len(added) else candidates


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


def _without_excluded(problem: ContactProblem, code: Ints) -> Ints:
    excluded = problem.excluded[:, 0] * problem.member_count + problem.excluded[:, 1]
    return code[~np.isin(code, excluded)] if len(excluded) else code


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

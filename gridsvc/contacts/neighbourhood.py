"""Who is near a few stairwells, allowed or not, and cutting a small problem out of a large one."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from gridsvc.contacts.candidates import Candidates, add_pairs
from gridsvc.contacts.problem import NOBODY, ContactProblem, Ints, Policy

NEAREST = 12
# Who is further off than so many times the distance allowed is not near at all.
_REACH = 2.0

# What forbids a pair, as bits.
EXCLUDED = 1
UNAVAILABLE = 2
TAKES_NONE = 4
TOO_FAR = 8
OTHER_PINNED = 16


def near_pairs(
    problem: ContactProblem, grids: Ints, *, also: Sequence[Ints] = (), nearest: int = NEAREST
) -> Ints:
    """Pair stairwells with everybody near, also those who may not or cannot serve them.

    These are the nearest members, the nearest who could be assigned and the nearest Party members
    among those, everybody of the own building and compound, today's contact and the pinned one.

    Parameters
    ----------
    grids
        Shape (k,), rows of stairwells.
    also
        Arrays of shape (n,): one more member for each stairwell; -1 for none.
    nearest
        How many are near, of each kind.

    Returns
    -------
    Ints
        Shape (e,), ``grid * member_count + member``, ascending, each once.
    """
    members = problem.member_count
    if not members or not len(grids):
        return np.empty(0, dtype=np.int64)
    usable = problem.member_available & (problem.member_capacity_stairwells > 0)
    pools = [np.arange(members), np.flatnonzero(usable)]
    pools.append(np.flatnonzero(usable & problem.member_is_party))
    codes = [_nearest(problem, grids, pool, nearest) for pool in pools]
    for of_grid, of_member in (
        (problem.grid_building, problem.member_home_building),
        (problem.grid_compound, problem.member_home_compound),
    ):
        codes.append(_neighbours(grids * members, of_grid[grids], of_member))
    for one in (problem.incumbent, problem.pinned, *also):
        some = grids[one[grids] >= 0]
        codes.append(some * members + one[some])
    code = np.sort(np.concatenate(codes).astype(np.int64))
    distinct: Ints = code[np.diff(code, prepend=-1) != 0]
    return distinct


def price_pairs(problem: ContactProblem, policy: Policy, code: Ints) -> Candidates:
    """Give pairs their tier, distance and cost, whether or not they are allowed."""
    none = np.empty(0, dtype=np.int64)
    first = np.zeros(problem.grid_count + 1, dtype=np.int64)
    nothing = Candidates(first, none, none, none, none.astype(np.float64), none)
    return add_pairs(problem, policy, nothing, code)


def obstacles_of(problem: ContactProblem, pairs: Candidates) -> Ints:
    """Say what forbids each pair; shape (e,), a sum of the bits above, 0 where it is allowed."""
    grid, member = pairs.grid, pairs.member
    code = grid * max(problem.member_count, 1) + member
    excluded = problem.excluded[:, 0] * max(problem.member_count, 1) + problem.excluded[:, 1]
    building, compound = problem.member_home_building, problem.member_home_compound
    is_home = (building[member] >= 0) & (building[member] == problem.grid_building[grid])
    is_home |= (compound[member] >= 0) & (compound[member] == problem.grid_compound[grid])
    pinned = problem.pinned[grid]
    bits = EXCLUDED * np.isin(code, excluded)
    bits += UNAVAILABLE * ~problem.member_available[member]
    bits += TAKES_NONE * (problem.member_capacity_stairwells[member] == 0)
    bits += TOO_FAR * ~(is_home | (pairs.distance_m <= problem.max_distance_m))
    bits += OTHER_PINNED * (pinned >= 0)
    return np.where((pinned >= 0) & (pinned == member), 0, bits).astype(np.int64)


def cut_out(problem: ContactProblem, *, grids: Ints, members: Ints) -> ContactProblem:
    """Make a problem of some stairwells and members alone, in the order given.

    Today's contacts, pins and homes that are not among them become none, and exclusions of them
    are left out.
    """
    new_grid = np.full(problem.grid_count + 1, NOBODY)
    new_grid[grids] = np.arange(len(grids))
    new_member = np.full(problem.member_count + 1, NOBODY)
    new_member[members] = np.arange(len(members))
    changes: dict[str, Any] = {}
    for field in fields(problem):
        rows = grids if field.name.startswith("grid_") else members
        if field.name.startswith(("grid_", "member_")):
            changes[field.name] = getattr(problem, field.name)[rows]
    for name in ("incumbent", "pinned"):
        changes[name] = new_member[getattr(problem, name)[grids]]
    # The row after the last stands for none.
    changes["member_home_grid"] = new_grid[problem.member_home_grid[members]]
    excluded = np.column_stack(
        [new_grid[problem.excluded[:, 0]], new_member[problem.excluded[:, 1]]]
    )
    changes["excluded"] = excluded[(excluded >= 0).all(axis=1)]
    return replace(problem, **changes)


def _nearest(problem: ContactProblem, grids: Ints, pool: Ints, nearest: int) -> Ints:
    """Return codes of the pairs with the nearest members of a pool."""
    if not len(pool):
        return np.empty(0, dtype=np.int64)
    near = [*range(1, min(nearest, len(pool)) + 1)]
    metres, found = KDTree(problem.member_xy_m[pool]).query(
        problem.grid_xy_m[grids], k=near, distance_upper_bound=_REACH * problem.max_distance_m
    )
    row, nth = np.nonzero(np.isfinite(metres))
    code: Ints = grids[row] * problem.member_count + pool[np.asarray(found)[row, nth]]
    return code


def _neighbours(base: Ints, of_grid: Ints, of_member: Ints) -> Ints:
    """Return ``base + member`` of all pairs whose stairwell and member share a number, not -1."""
    order = np.argsort(of_member, kind="stable")
    homes = of_member[order]
    begin = np.searchsorted(homes, of_grid, side="left")
    size = np.searchsorted(homes, of_grid, side="right") - begin
    size[of_grid < 0] = 0
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    code: Ints = np.repeat(base, size) + order[np.repeat(begin, size) + within]
    return code

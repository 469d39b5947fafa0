"""Compounds so small that all their assignments can be tried, priced from the rules alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.contacts.neighbourhood import price_pairs
from gridsvc.contacts.problem import NOBODY, ContactProblem, ContactSolution, Ints, Policy
from gridsvc.contacts.solving.answer import describe

POLICY = Policy()
# Hamlets are this far apart, and nobody may serve another's stairwells.
APART_M = 50_000.0
FORBIDDEN = 10**12

Prices = NDArray[np.int64]


def hamlets(*, count: int, stairwells: int, members: int, seed: int) -> ContactProblem:
    """Make compounds with absences, exclusions, pins and present contacts.

    Each has ``members`` who live there, and a Party member just beyond the distance allowed.
    """
    random = np.random.default_rng(seed)
    n, m = count * stairwells, count * (members + 1)
    compound = np.repeat(np.arange(count), stairwells)
    home_compound = np.repeat(np.arange(count), members + 1)
    is_outsider = np.arange(m) % (members + 1) == members
    centre = np.column_stack([APART_M * np.arange(count), np.zeros(count)])
    grid_xy_m = centre[compound] + random.uniform(0, 400, (n, 2))
    building = compound * 10 + random.integers(0, 3, n)
    home = home_compound * stairwells + random.integers(0, stairwells, m)
    lives_in_one = ~is_outsider & (random.random(m) < 0.7)
    member_xy_m = grid_xy_m[home] + random.integers(0, 40, (m, 2)).astype(float)
    member_xy_m[is_outsider] += [0.0, 2_010.0]
    places = random.integers(1, 5, m)
    own = home_compound[:, None] * stairwells + np.arange(stairwells)
    excluded = np.column_stack([own[:, 0] + random.integers(0, stairwells, m), np.arange(m)])
    today = compound * (members + 1) + random.integers(0, members, n)
    pin = compound * (members + 1) + random.integers(0, members, n)
    return ContactProblem(
        grid_xy_m=grid_xy_m,
        grid_households=random.integers(8, 30, n),
        grid_building=building,
        grid_compound=compound,
        member_xy_m=member_xy_m,
        member_capacity_households=places * random.integers(15, 30, m),
        member_capacity_stairwells=places * (random.random(m) < 0.85),
        member_is_party=is_outsider | (random.random(m) < 0.6),
        member_available=is_outsider | (random.random(m) < 0.8),
        member_home_grid=np.where(lives_in_one, home, -1),
        member_home_building=np.where(lives_in_one, building[home], -1),
        member_home_compound=np.where(is_outsider, -1, home_compound),
        incumbent=np.where(random.random(n) < 0.5, today, NOBODY),
        excluded=excluded[random.random(m) < 0.4],
        pinned=np.where(random.random(n) < 0.08, pin, NOBODY),
    )


def place_price(problem: ContactProblem, grid: int, member: int) -> int:
    """Price where a member is, seen from a stairwell."""
    x, y = problem.grid_xy_m[grid] - problem.member_xy_m[member]
    metres = float(np.hypot(x, y))
    if problem.member_home_grid[member] == grid:
        tier = 0
    elif problem.member_home_building[member] == problem.grid_building[grid]:
        tier = 1
    elif problem.member_home_compound[member] == problem.grid_compound[grid]:
        tier = 2
    else:
        tier = 3 if metres <= 300 else 4
    return POLICY.tiers[tier] + int(min(metres, POLICY.metres_cap))


def pair_price(problem: ContactProblem, grid: int, member: int) -> int:
    """Price a pair by place, Party and change, whether or not it is allowed."""
    price = place_price(problem, grid, member)
    price += 0 if problem.member_is_party[member] else POLICY.not_party
    return price + POLICY.churn * int(problem.incumbent[grid] not in (NOBODY, member))


def is_allowed(problem: ContactProblem, grid: int, member: int) -> bool:
    """Tell from the rules whether a pair may be."""
    if problem.pinned[grid] != NOBODY:
        return bool(problem.pinned[grid] == member)
    if not problem.member_available[member] or problem.member_capacity_stairwells[member] == 0:
        return False
    if ((problem.excluded[:, 0] == grid) & (problem.excluded[:, 1] == member)).any():
        return False
    x, y = problem.grid_xy_m[grid] - problem.member_xy_m[member]
    is_home = problem.grid_compound[grid] == problem.member_home_compound[member]
    return bool(is_home or np.hypot(x, y) <= problem.max_distance_m)


def price_table(problem: ContactProblem, grids: list[int], members: list[int]) -> Prices:
    """Price each pair, shape (k, p + 1); the last column is for nobody."""
    table = np.full((len(grids), len(members) + 1), FORBIDDEN, dtype=np.int64)
    for row, grid in enumerate(grids):
        for column, member in enumerate(members):
            if is_allowed(problem, grid, member):
                table[row, column] = pair_price(problem, grid, member)
        if (table[row] == FORBIDDEN).all():
            table[row, -1] = POLICY.uncovered
    return table


def try_all(
    problem: ContactProblem, grids: list[int], members: list[int], table: Prices
) -> tuple[int, Ints]:
    """Try every assignment; return the least cost and a member each, -1 for nobody."""
    options = [np.flatnonzero(row < FORBIDDEN) for row in table]
    choice = np.stack([one.ravel() for one in np.meshgrid(*options, indexing="ij")], axis=1)
    total = table[np.arange(len(grids)), choice].sum(axis=1)
    for column, member in enumerate(members):
        is_theirs = choice == column
        load = is_theirs @ problem.grid_households[grids]
        over = load - problem.member_capacity_households[member]
        beyond = is_theirs.sum(axis=1) - problem.member_capacity_stairwells[member]
        total = total + POLICY.overload_per_household * np.maximum(over, 0)
        total = total + POLICY.overload_per_stairwell * np.maximum(beyond, 0)
    best = int(total.argmin())
    return int(total[best]), np.array([*members, NOBODY])[choice[best]]


def rows_of(problem: ContactProblem, hamlet: int) -> tuple[list[int], list[int]]:
    """Return the stairwells of a hamlet, and its members with the one beyond."""
    per_hamlet = problem.member_count // (int(problem.grid_compound[-1]) + 1)
    grids = np.flatnonzero(problem.grid_compound == hamlet).tolist()
    return grids, list(range(hamlet * per_hamlet, (hamlet + 1) * per_hamlet))


def best_plan(problem: ContactProblem) -> ContactSolution:
    """Assign every hamlet by trying all, and describe that as the solver does."""
    member = np.full(problem.grid_count, NOBODY)
    for hamlet in range(int(problem.grid_compound[-1]) + 1):
        grids, members = rows_of(problem, hamlet)
        _, member[grids] = try_all(problem, grids, members, price_table(problem, grids, members))
    return described(problem, member)


def described(problem: ContactProblem, member: Ints) -> ContactSolution:
    """Describe an assignment as the solver does."""
    covered = np.flatnonzero(member >= 0)
    pairs = price_pairs(problem, POLICY, covered * problem.member_count + member[covered])
    at = np.full(problem.grid_count, NOBODY)
    at[covered] = np.arange(len(covered))
    return describe(
        problem, pairs, POLICY, at, bound=0, bound_is_global=False, stages_s={}, rounds={}
    )


def with_changes(problem: ContactProblem, **changes: Any) -> ContactProblem:
    """Return the problem with some arrays replaced."""
    given = {name: getattr(problem, name) for name in ContactProblem.__dataclass_fields__}
    return ContactProblem(**{**given, **changes})

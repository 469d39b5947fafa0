"""Pricing the pairs that are not candidates, so that the bound holds for all allowed pairs.

Every allowed pair further off than the distance allowed is a candidate already. A grid of square
cells finds the others in bulk, and of each member's the few are kept that could change what the
member takes at these prices.

References
----------
Column generation: C. Barnhart, E. L. Johnson, G. L. Nemhauser, M. W. P. Savelsbergh, P. H. Vance,
Operations Research 46 (1998) 316-329, doi:10.1287/opre.46.3.316.
"""

from dataclasses import dataclass

import numba
import numpy as np

from gridsvc.contacts.candidates import (
    Candidates,
    add_pairs,
    incumbent_may_stay,
    keep_allowed,
)
from gridsvc.contacts.problem import NEAR_M, Bools, ContactProblem, Floats, Ints, Policy
from gridsvc.contacts.solving.lagrange import Margins

_FLOOD, _FLOOD_AT_LEAST = 4, 100_000


@dataclass(frozen=True)
class _Cells:
    """Stairwells by square cell: those of cell c are ``row[first[c]:first[c + 1]]``."""

    first: Ints
    row: Ints
    columns: int
    rows: int
    side_m: float
    corner: Floats


def find_missing(
    problem: ContactProblem,
    policy: Policy,
    candidates: Candidates,
    margins: Margins,
    worth: Ints,
    *,
    price_of_change: int = 0,
    most_a_member: int | None = None,
) -> Candidates | None:
    """Add the pairs outside the candidates that could lower the bound at these prices.

    Parameters
    ----------
    margins
        Of the candidates, at these prices.
    worth
        Shape (n,), the price of serving each stairwell.
    most_a_member
        Add only so many pairs of each member, those of most worth. Default: all.

    Returns
    -------
    Candidates
        With all, the bound at these prices holds for all allowed pairs. None where they are so
        many that the prices are not worth asking.
    """
    if not len(candidates):
        return candidates
    usable = problem.member_available & (problem.member_capacity_stairwells > 0)
    fixed = np.where(problem.incumbent >= 0, policy.churn, 0)
    fixed = fixed + price_of_change * incumbent_may_stay(problem)
    fee = np.where(problem.member_is_party | (not policy.party_first), 0, policy.not_party)
    by_member = np.argsort(candidates.member, kind="stable")
    every = np.arange(problem.member_count + 1)
    cells = _lay_out(problem.grid_xy_m, problem.max_distance_m)
    code, is_all = _sweep(
        np.flatnonzero(usable), cells.first, cells.row, cells.columns, cells.rows, cells.side_m,
        cells.corner, problem.grid_xy_m, problem.member_xy_m, problem.max_distance_m,
        (problem.pinned < 0) & candidates.has_any, problem.grid_building, problem.grid_compound,
        problem.member_home_grid, problem.member_home_building, problem.member_home_compound,
        problem.grid_households,
        worth - fixed, fee, NEAR_M, np.array(policy.tiers), policy.metres_cap,
        margins.price, margins.toll, margins.slack,
        np.searchsorted(candidates.member[by_member], every), candidates.grid[by_member],
        most_a_member or problem.grid_count, _FLOOD * len(candidates) + _FLOOD_AT_LEAST,
    )  # fmt: skip
    if not is_all:
        return None
    return add_pairs(problem, policy, candidates, keep_allowed(problem, np.sort(code)))


def _lay_out(places: Floats, reach_m: float) -> _Cells:
    """Sort stairwells into square cells, half the reach wide but not too many of them."""
    corner = places.min(axis=0)
    extent = places.max(axis=0) - corner
    side_m = float(max(reach_m / 4, extent.max() / 1000, 1.0))
    column, row = ((places - corner) // side_m).astype(np.int64).T
    columns, rows = int(column.max()) + 1, int(row.max()) + 1
    cell = row * columns + column
    order = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[order], np.arange(columns * rows + 1))
    return _Cells(first, order, columns, rows, side_m, corner)


@numba.njit(cache=True, nogil=True)
def _sweep(  # noqa: C901 - one loop, compiled
    members: Ints, cell_first: Ints, cell_row: Ints, columns: int, rows: int, side_m: float,
    corner: Floats, grid_xy: Floats, member_xy: Floats, reach_m: float, is_open: Bools,
    grid_building: Ints, grid_compound: Ints, home_grid: Ints, home_building: Ints,
    home_compound: Ints, households: Ints, worth: Ints, fee: Ints, near_m: float, tiers: Ints,
    metres_cap: int, price: Ints, toll: Ints, slack: Ints, member_first: Ints, known: Ints,
    most_a_member: int, flood: int,
) -> tuple[Ints, bool]:  # fmt: skip
    """Return the codes of the missing pairs that may matter; False where it gave up."""
    grids = len(grid_xy)
    found, seen = np.empty(1024, dtype=np.int64), 0
    mark = np.full(grids, -1)
    row, value = np.empty(grids, dtype=np.int64), np.empty(grids, dtype=np.int64)
    for j in members:
        for at in range(member_first[j], member_first[j + 1]):
            mark[known[at]] = j
        size, above = 0, 0
        x, y = member_xy[j, 0], member_xy[j, 1]
        left = max(int(np.floor((x - reach_m - corner[0]) / side_m)), 0)
        right = min(int(np.floor((x + reach_m - corner[0]) / side_m)), columns - 1)
        low = max(int(np.floor((y - reach_m - corner[1]) / side_m)), 0)
        high = min(int(np.floor((y + reach_m - corner[1]) / side_m)), rows - 1)
        for line in range(low, high + 1):
            if left > right:
                break
            begin = cell_first[line * columns + left]
            for at in range(begin, cell_first[line * columns + right + 1]):
                i = cell_row[at]
                gain = worth[i] - fee[j]
                if gain <= 0 or mark[i] == j or not is_open[i]:
                    continue
                metres = np.hypot(grid_xy[i, 0] - x, grid_xy[i, 1] - y)
                if metres > reach_m:
                    continue
                if home_grid[j] == i:
                    tier = 0
                elif home_building[j] >= 0 and home_building[j] == grid_building[i]:
                    tier = 1
                elif home_compound[j] >= 0 and home_compound[j] == grid_compound[i]:
                    tier = 2
                else:
                    tier = 3 if metres <= near_m else 4
                gain -= tiers[tier] + min(int(metres), metres_cap)
                if gain <= 0:
                    continue
                row[size] = i
                value[size] = gain - price[j] * households[i] - toll[j]
                above += max(value[size], 0)
                size += 1
        least = -(slack[j] + above)
        if size > most_a_member:
            least = max(least, np.partition(value[:size], size - most_a_member)[-most_a_member])
        for at in range(size):
            if value[at] >= least:
                if seen == flood:
                    return found[:0], False
                if seen == len(found):
                    longer = np.empty(2 * seen, dtype=np.int64)
                    longer[:seen] = found
                    found = longer
                found[seen] = row[at] * len(member_xy) + j
                seen += 1
    return found[:seen], True

"""Where contacts are short, and what one more would save."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gridsvc.contacts.neighbourhood import cut_out, price_pairs
from gridsvc.contacts.problem import NOBODY, ContactProblem, ContactSolution, Ints, Policy
from gridsvc.contacts.solver import solve

_HOMES_TRIED = 2


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """What a compound lacks.

    Attributes
    ----------
    compound
        As in the problem; -1 for stairwells of no compound.
    households_short
        Households of stairwells without a contact, and of those beyond what contacts can carry
        this compound's part.
    stairwells_short
        The same, counted in stairwells.
    people_short
        Contacts who carry as much as the middle one would make up for both.
    """

    compound: int
    households_short: int
    stairwells_short: int
    people_short: int


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What one more contact in a compound saves, found by solving again with and without.

    Attributes
    ----------
    cost
        In the units of the policy, >= 0.
    overload_households
        Households that nobody has to carry beyond what they can; negative where more are carried
        so that a stairwell gets a contact, or a better place is worth it.
    uncovered
        Stairwells that get a contact who had none.
    home_grid
        The stairwell where the person would live, the best of those tried.
    stairwells
        How many the person would have.
    """

    cost: int
    overload_households: int
    uncovered: int
    home_grid: int
    stairwells: int


def shortages(problem: ContactProblem, solution: ContactSolution) -> list[Shortage]:
    """List what is short by compound, compounds that lack nothing left out.

    What a member carries too much is shared among the compounds of the stairwells carried, by
    their households; whole numbers, none lost.
    """
    compound, row = np.unique(problem.grid_compound, return_inverse=True)
    households = np.zeros(len(compound), dtype=np.int64)
    stairwells = np.zeros(len(compound), dtype=np.int64)
    bare = np.flatnonzero(solution.member == NOBODY)
    np.add.at(households, row[bare], problem.grid_households[bare])
    np.add.at(stairwells, row[bare], 1)
    is_over = (solution.overload_households > 0) | (solution.overload_stairwells > 0)
    for member in np.flatnonzero(is_over).tolist():
        held = np.flatnonzero(solution.member == member)
        weight = np.zeros(len(compound), dtype=np.int64)
        np.add.at(weight, row[held], problem.grid_households[held])
        households += _shared(int(solution.overload_households[member]), weight)
        count = np.bincount(row[held], minlength=len(compound)).astype(np.int64)
        stairwells += _shared(int(solution.overload_stairwells[member]), count)
    middle_households, middle_stairwells = _middle(problem)
    return [
        Shortage(
            compound=int(one),
            households_short=int(lacking),
            stairwells_short=int(places),
            people_short=int(
                max(-(-lacking // middle_households), -(-places // middle_stairwells))
            ),
        )
        for one, lacking, places in zip(compound, households, stairwells, strict=True)
        if lacking or places
    ]


def saving_of_one_more(
    problem: ContactProblem,
    solution: ContactSolution,
    *,
    compound: int,
    capacity_households: int | None = None,
    capacity_stairwells: int | None = None,
    is_party: bool = True,
    time_limit_s: float = 3.0,
) -> Saving:
    """Say what one more contact who lives in a compound would save.

    The stairwells of the compound, and those that its contacts and residents have elsewhere, are
    assigned again with and without that person; nobody else is touched, so a new plan for all saves
    at least as much but for what the search misses.

    Parameters
    ----------
    compound
        One that has stairwells.
    capacity_households, capacity_stairwells
        What the person could carry; as much as the middle member when not given.
    is_party
        Whether the person is a Party member.
    time_limit_s
        Wall time, seconds, for three solves. Where each is proven best before, as it mostly is up
        to 60 stairwells, the answer is the same every time.

    Raises
    ------
    ValueError
        No stairwell is in the compound.
    """
    if not (problem.grid_compound == compound).any():
        raise ValueError(f"no stairwell is in compound {compound}")
    middle_households, middle_stairwells = _middle(problem)
    part, grids = _part_of(problem, solution, compound)
    place: dict[str, Any] = {
        "member_capacity_households": capacity_households or middle_households,
        "member_capacity_stairwells": capacity_stairwells or middle_stairwells,
        "member_is_party": is_party,
        "member_available": True,
    }
    policy = solution.policy
    share_s = time_limit_s / (1 + _HOMES_TRIED)

    def solved(asked: ContactProblem) -> ContactSolution:
        return solve(asked, policy=policy, time_limit_s=share_s)

    before = solved(part)
    homes = _likely_homes(part, before, compound, place, policy)
    tried = [(solved(_with_member(part, home, place)), home) for home in homes]
    after, home = min(tried, key=lambda one: (one[0].objective, one[1]))
    return Saving(
        cost=max(before.objective - after.objective, 0),
        overload_households=int(before.overload_households.sum() - after.overload_households.sum()),
        uncovered=before.counts["uncovered"] - after.counts["uncovered"],
        home_grid=int(grids[home]),
        stairwells=int(after.load_stairwells[-1]),
    )


def _shared(amount: int, weight: Ints) -> Ints:
    """Share whole units by weight, the largest remainders first."""
    if not amount:
        return np.zeros(len(weight), dtype=np.int64)
    given: Ints = amount * weight // weight.sum()
    order = np.argsort(-(amount * weight % weight.sum()), kind="stable")
    given[order[: amount - int(given.sum())]] += 1
    return given


def _middle(problem: ContactProblem) -> tuple[int, int]:
    """Return the households and stairwells that the middle member who takes any can carry."""
    takes = problem.member_available & (problem.member_capacity_stairwells > 0)
    takes &= problem.member_capacity_households > 0
    if not takes.any():
        return max(int(problem.grid_households.max(initial=1)), 1), 1
    households = int(np.median(problem.member_capacity_households[takes]))
    return households, int(np.median(problem.member_capacity_stairwells[takes]))


def _part_of(
    problem: ContactProblem, solution: ContactSolution, compound: int
) -> tuple[ContactProblem, Ints]:
    """Cut out a compound with all that its contacts and residents have; return its rows too."""
    inside = np.flatnonzero(problem.grid_compound == compound)
    involved = np.zeros(problem.member_count + 1, dtype=bool)
    involved[solution.member[inside]] = True
    involved[:-1] |= (problem.member_home_compound == compound) & (compound >= 0)
    pinned = problem.pinned[inside]
    involved[pinned] = True
    involved[NOBODY] = False
    grids = np.union1d(inside, np.flatnonzero(involved[solution.member]))
    return cut_out(problem, grids=grids, members=np.flatnonzero(involved)), grids


def _with_member(part: ContactProblem, home: int, place: dict[str, Any]) -> ContactProblem:
    """Add a member who lives in a stairwell."""
    where = {
        "member_xy_m": part.grid_xy_m[home],
        "member_home_grid": home,
        "member_home_building": part.grid_building[home],
        "member_home_compound": part.grid_compound[home],
    }
    added: dict[str, Any] = {}
    for field in fields(part):
        if field.name.startswith("member_"):
            old = getattr(part, field.name)
            new = np.asarray([(place | where)[field.name]], dtype=old.dtype)
            added[field.name] = np.concatenate([old, new])
    return replace(part, **added)


def _likely_homes(
    part: ContactProblem,
    before: ContactSolution,
    compound: int,
    place: dict[str, Any],
    policy: Policy,
) -> Sequence[int]:
    """Return the stairwells where a new member seems to save most, by taking the best in turn."""
    worth = _worths(part, before, policy)
    gains = {}
    for home in np.flatnonzero(part.grid_compound == compound).tolist():
        asked = _with_member(part, home, place)
        newcomer = part.member_count
        code = np.arange(part.grid_count) * asked.member_count + newcomer
        saved = worth - price_pairs(asked, policy, code).cost
        gains[home] = _greedy(part, saved, place)
    return sorted(gains, key=lambda home: (-gains[home], home))[:_HOMES_TRIED]


def _worths(part: ContactProblem, before: ContactSolution, policy: Policy) -> Ints:
    """Return what each stairwell costs now, with the overload that would end without it."""
    worth = np.full(part.grid_count, policy.uncovered)
    led = np.flatnonzero(before.member >= 0)
    member = before.member[led]
    pairs = price_pairs(part, policy, led * part.member_count + member)
    relief = policy.overload_per_household * np.minimum(
        part.grid_households[led], before.overload_households[member]
    )
    relief += policy.overload_per_stairwell * (before.overload_stairwells[member] > 0)
    worth[led] = pairs.cost + relief
    return worth


def _greedy(part: ContactProblem, saved: Ints, place: dict[str, Any]) -> int:
    """Fill a member with the stairwells that save most a household; return what that saves."""
    room, most = place["member_capacity_households"], place["member_capacity_stairwells"]
    rate = saved / np.maximum(part.grid_households, 1)
    total = 0
    for grid in np.argsort(-rate, kind="stable").tolist():
        households = int(part.grid_households[grid])
        if saved[grid] <= 0 or most == 0:
            break
        if households <= room:
            total += int(saved[grid])
            room -= households
            most -= 1
    return total

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from gridsvc.contacts.problem import NOBODY, ContactProblem, ContactSolution, Policy
from gridsvc.contacts.repairing import Repair, repair
from gridsvc.contacts.solver import solve
from tests.bench.contacts_samples import clustered_problem
from tests.gridsvc.contacts.hamlets import best_plan, hamlets, is_allowed, with_changes

STAIRWELLS, MEMBERS = 2_000, 700


@cache
def town() -> tuple[ContactProblem, ContactSolution]:
    """So few members that all of them are nearly full."""
    problem = clustered_problem(stairwells=STAIRWELLS, members=MEMBERS)
    return problem, solve(problem, iterations=2)


@cache
def mended(part: float) -> tuple[ContactProblem, Repair]:
    """Let a part of the members go, and repair."""
    problem, solution = town()
    gone = np.random.default_rng(1).random(MEMBERS) < part
    asked = with_changes(
        problem, member_available=problem.member_available & ~gone, incumbent=solution.member
    )
    return asked, repair(asked, iterations=1)


@pytest.mark.parametrize(("part", "helping_percent"), [(0.02, 1.0), (0.005, 0.5)])
def test_after_members_leave_few_stairwells_change_beside_the_forced(
    part: float, helping_percent: float
) -> None:
    asked, answer = mended(part)
    forced = np.flatnonzero(~asked.member_available[asked.incumbent])
    assert len(forced) > 0
    assert answer.changed[answer.is_forced].tolist() == forced.tolist()
    assert (~answer.is_forced).sum() <= helping_percent / 100 * STAIRWELLS
    assert answer.counts["uncovered"] == 0


def test_a_repair_costs_hardly_more_than_a_new_plan_and_changes_far_less() -> None:
    asked, answer = mended(0.02)
    plan = solve(asked, iterations=1)
    assert answer.objective <= 1.01 * plan.objective
    assert answer.counts["replaced"] <= 0.5 * plan.counts["replaced"]
    assert answer.bound <= min(plan.objective, answer.objective)


@cache
def villages() -> tuple[ContactProblem, Repair]:
    """Compounds whose best plan loses a tenth of its members, some by an exclusion."""
    problem = hamlets(count=40, stairwells=5, members=4, seed=3)
    solution = best_plan(problem)
    chance = np.random.default_rng(2)
    led = np.flatnonzero(solution.member >= 0)
    ruled_out = led[chance.random(len(led)) < 0.05]
    pairs = np.column_stack([ruled_out, solution.member[ruled_out]])
    asked = with_changes(
        problem,
        member_available=problem.member_available & (chance.random(problem.member_count) < 0.9),
        excluded=np.vstack([problem.excluded, pairs]),
        incumbent=solution.member,
    )
    return asked, repair(asked, iterations=2)


def test_the_changes_are_listed_and_each_is_forced_or_helps() -> None:
    asked, answer = villages()
    assert answer.changed.tolist() == np.flatnonzero(answer.member != asked.incumbent).tolist()
    assert (answer.before == asked.incumbent[answer.changed]).all()
    assert (answer.after == answer.member[answer.changed]).all()
    assert len(answer.changed) > 20
    for grid, before, is_forced in zip(
        answer.changed, answer.before, answer.is_forced, strict=True
    ):
        assert is_forced == (before == NOBODY or not is_allowed(asked, grid, before))
    for grid, member in enumerate(answer.member):
        assert member == NOBODY or is_allowed(asked, grid, int(member))


def test_a_repair_is_priced_by_the_policy_and_not_by_the_worth_of_a_change() -> None:
    asked, answer = villages()
    again = solve(with_changes(asked, pinned=answer.member), iterations=1)
    assert answer.objective == again.objective
    assert answer.policy == Policy()
    assert answer.bound <= answer.objective
    assert answer.counts["pinned"] == (asked.pinned >= 0).sum()


@pytest.mark.parametrize("worth", [0, 3_000, 8_000, 30_000])
def test_helping_changes_save_more_than_they_are_worth(worth: int) -> None:
    asked, _ = villages()
    answer = repair(asked, iterations=2, worth=worth)
    forced_only = repair(asked, iterations=2, worth=worth, helping_at_most=0)
    helping = int((~answer.is_forced).sum())
    assert helping > 0
    assert forced_only.objective - answer.objective > worth * helping


def test_nothing_helps_where_no_helping_change_is_allowed() -> None:
    asked, _ = villages()
    answer = repair(asked, iterations=2, worth=0, helping_at_most=0)
    assert answer.is_forced.all()
    assert answer.counts["replaced"] == 0


def test_in_the_strict_mode_only_overload_is_worth_a_helping_change() -> None:
    asked, _ = villages()
    strict = Policy(mode="strict")
    answer = repair(asked, policy=strict, iterations=2)
    still = repair(asked, policy=strict, iterations=2, helping_at_most=0)
    helping = int((~answer.is_forced).sum())
    assert answer.policy.mode == "strict"
    spared = int((still.overload_households - answer.overload_households).sum())
    places = int((still.overload_stairwells - answer.overload_stairwells).sum())
    assert (helping == 0) == (spared + 50 * places == 0)
    assert spared + 50 * places >= helping


def test_where_everybody_stays_nothing_changes() -> None:
    problem = with_changes(
        hamlets(count=6, stairwells=5, members=4, seed=8),
        pinned=np.full(30, NOBODY),
        incumbent=np.full(30, NOBODY),
    )
    solution = best_plan(problem)
    assert (solution.member >= 0).all()
    answer = repair(with_changes(problem, incumbent=solution.member), iterations=2)
    assert len(answer.changed) == 0
    assert answer.objective == solution.objective == answer.bound


def test_the_answer_is_the_same_every_time() -> None:
    asked, answer = villages()
    again = repair(asked, iterations=2)
    assert again.member.tolist() == answer.member.tolist()
    assert replace(again, stages_s={}).objective == answer.objective

from functools import cache

import numpy as np
import pytest

from gridsvc.contacts.dealing import Dealer
from gridsvc.contacts.neighbourhood import near_pairs, obstacles_of, price_pairs
from gridsvc.contacts.problem import ContactProblem
from tests.gridsvc.contacts.hamlets import POLICY, hamlets, price_table, rows_of, try_all


@cache
def many() -> ContactProblem:
    return hamlets(count=60, stairwells=5, members=5, seed=11)


def dealer_of(problem: ContactProblem) -> Dealer:
    """Give every stairwell the cheapest pair that is allowed, whatever the member carries."""
    pairs = price_pairs(problem, POLICY, near_pairs(problem, np.arange(problem.grid_count)))
    usable = obstacles_of(problem, pairs) == 0
    member = np.full(problem.grid_count, -1)
    rows = np.flatnonzero(usable)[::-1]
    member[pairs.grid[rows]] = pairs.member[rows]
    return Dealer(problem, pairs, POLICY, member=member, usable=usable)


def cost_of(dealer: Dealer) -> int:
    """Add up what the present assignment costs."""
    over = np.maximum(dealer.load - dealer.room, 0).sum()
    beyond = np.maximum(dealer.count - dealer.most, 0).sum()
    pairs = dealer.at[dealer.at >= 0]
    overload = POLICY.overload_per_household * over + POLICY.overload_per_stairwell * beyond
    return int(dealer.cost[pairs].sum() + overload)


@pytest.mark.parametrize("hamlet", range(60))
def test_a_block_is_dealt_out_at_the_least_cost_of_all_assignments(hamlet: int) -> None:
    problem = many()
    dealer = dealer_of(problem)
    grids, members = rows_of(problem, hamlet)
    best, _ = try_all(problem, grids, members, price_table(problem, grids, members))
    block = [grid for grid in grids if dealer.at[grid] >= 0]
    best -= POLICY.uncovered * (len(grids) - len(block))
    others = [grid for grid in range(problem.grid_count) if grid not in grids]
    before = cost_of(dealer)
    deal = dealer.deal(block)
    kept = dealer.at[others].copy()
    changed = dealer.put(block, deal.pair)
    assert deal.is_best
    assert before - cost_of(dealer) == deal.saved >= 0
    assert bool(changed) == (deal.saved > 0)
    assert (dealer.at[others] == kept).all()
    theirs = np.isin(np.arange(problem.member_count), members)
    over = np.maximum(dealer.load - dealer.room, 0)[theirs].sum()
    beyond = np.maximum(dealer.count - dealer.most, 0)[theirs].sum()
    cost = dealer.cost[dealer.at[block]].sum()
    cost += POLICY.overload_per_household * over + POLICY.overload_per_stairwell * beyond
    assert cost == best
    assert dealer.deal(block).saved == 0


def test_what_a_member_holds_follows_each_change() -> None:
    problem = many()
    dealer = dealer_of(problem)
    for hamlet in range(60):
        block = [grid for grid in rows_of(problem, hamlet)[0] if dealer.at[grid] >= 0]
        dealer.put(block, dealer.deal(block).pair)
    for member in range(problem.member_count):
        held = [
            g for g, at in enumerate(dealer.at) if at >= 0 and dealer.pairs.member[at] == member
        ]
        assert dealer.held(member) == held
        assert dealer.load[member] == problem.grid_households[held].sum()
        assert dealer.count[member] == len(held)


def test_an_empty_block_saves_nothing() -> None:
    deal = dealer_of(many()).deal([])
    assert (deal.saved, len(deal.pair), deal.is_best) == (0, 0, True)

"""The strict order of wishes: weights so far apart that they are passes, and what each proves.

Annealing cools through the weights one after the other: while it is as hot as a Party member is
worth, overload cannot rise any more and places do not count yet. So each level is settled in a
pass of its own and then holds as a constraint of those that follow.
"""

from dataclasses import replace
from math import gcd

from gridsvc.contacts.candidates import Candidates, repriced
from gridsvc.contacts.problem import ContactProblem, Ints, Level, Policy
from gridsvc.contacts.solving.instance import instance_of
from gridsvc.contacts.solving.lagrange import Knapsacks, find_margins, raise_bound
from gridsvc.contacts.solving.pricing import find_missing
from gridsvc.contacts.solving.relaxation import relax

# So few stairwells that the weights leave no sum of later wishes that pays for an earlier one.
WHOLLY_STRICT = 60
_APART = 10
_ROUNDS = 40


def strict_weights(policy: Policy, *, stairwells: int) -> Policy:
    """Return weights of which each outweighs all later ones of a few stairwells, or of all.

    Up to ``WHOLLY_STRICT`` stairwells, the least sum is the first in the strict order. Beyond that
    it is so for each exchange the search makes: none trades an earlier wish for a later one.
    """
    apart = 2 * stairwells if _APART < 2 * stairwells <= 2 * WHOLLY_STRICT else _APART
    step = gcd(*policy.tiers) or 1
    churn = apart * (policy.metres_cap + 1) if policy.churn else 0
    below = churn + policy.metres_cap + 1
    tiers = [apart * below * (tier // step) for tier in policy.tiers]
    below += max(tiers)
    not_party = apart * below
    below += not_party if policy.party_first else 0
    household = apart * below
    ratio = -(-policy.overload_per_stairwell // max(policy.overload_per_household, 1))
    return replace(
        policy,
        uncovered=max(policy.uncovered, 10 * ratio * household),
        overload_per_household=household,
        overload_per_stairwell=ratio * household,
        not_party=not_party,
        tiers=(tiers[0], tiers[1], tiers[2], tiers[3], tiers[4]),
        churn=churn,
    )


def prove_levels(
    problem: ContactProblem,
    policy: Policy,
    candidates: Candidates,
    at: Ints,
    *,
    is_optimal: bool,
) -> tuple[Level, ...]:
    """Return what each level reached, and what is proven of it.

    Parameters
    ----------
    policy
        Strict weights.
    at
        Shape (n,), the pair of each stairwell; -1 for none.
    is_optimal
        ``at`` is proven the first in the strict order.
    """
    levels: list[Level] = []
    fixed = 0
    for name, unit, weights in _passes(policy):
        pairs = repriced(problem, weights, candidates)
        cost = instance_of(problem, pairs, weights).price(pairs.rows_of(candidates, at))
        reached = (cost - fixed) // unit
        bound = reached if is_optimal else _bound(problem, weights, pairs, fixed, unit, cost)
        levels.append(Level(name, reached, min(max(bound, 0), reached)))
        fixed = cost
    return tuple(levels)


def _passes(policy: Policy) -> list[tuple[str, int, Policy]]:
    """Return each level with the weight of its unit and a policy that stops there."""
    only = replace(policy, not_party=0, tiers=(0, 0, 0, 0, 0), churn=0, metres_cap=0)
    passes = [("overload", policy.overload_per_household, only)]
    if policy.party_first:
        only = replace(only, not_party=policy.not_party)
        passes.append(("party", policy.not_party, only))
    only = replace(only, tiers=policy.tiers)
    passes.append(("place", gcd(*policy.tiers) or 1, only))
    if policy.churn:
        only = replace(only, churn=policy.churn)
        passes.append(("churn", policy.churn, only))
    passes.append(("metres", 1, replace(only, metres_cap=policy.metres_cap)))
    return passes


def _bound(
    problem: ContactProblem, policy: Policy, pairs: Candidates, fixed: int, unit: int, cost: int
) -> int:
    """Return what is proven of a level where all earlier ones are as good as reached."""
    if not len(pairs):
        return 0
    instance = instance_of(problem, pairs, policy)
    worth = relax(problem, pairs, policy).worth(instance)
    bound = raise_bound(
        instance, worth, known_cost=cost, go_on=lambda rounds: rounds < _ROUNDS, threads=2
    )
    margins = find_margins(instance, bound.worth)
    wider = find_missing(problem, policy, pairs, margins, bound.worth)
    if wider is None:
        return 0
    value = Knapsacks(instance_of(problem, wider, policy)).value(bound.worth)
    return -(-(value - fixed) // unit)

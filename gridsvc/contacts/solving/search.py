"""Annealing a whole instance on two threads: who takes part when, how hot, how long."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from gridsvc.contacts.problem import Floats, Ints
from gridsvc.contacts.solving.annealing import State
from gridsvc.contacts.solving.lagrange import Margins

_CHOICES = 8
_ROUNDS = 60
_TURNS_A_ROUND = 20
_LEAST_TURNS = 20_000
_SETTLING, _MANY = 20, 20_000
# Below this many jobs a second thread costs more than it brings.
_WORTH_DIVIDING = 1_000


def choose(margins: Margins, state: State, *, most: int = _CHOICES) -> tuple[Ints, Ints]:
    """Return each job's pairs of least reduced cost: where the better assignments are.

    Returns
    -------
    tuple
        Where each job's choices begin, shape (n + 1,), and the pairs.
    """
    instance = state.instance
    order = np.lexsort([margins.reduced, instance.job])
    rank = np.arange(len(order)) - instance.first[instance.job[order]]
    choice = order[rank < most]
    return np.searchsorted(instance.job[choice], np.arange(instance.job_count + 1)), choice


def anneal(
    state: State,
    margins: Margins,
    *,
    places: Floats,
    hot: float,
    cold: float,
    seed: int,
    turns_per_job: int | None,
    time_left: Callable[[], float],
    report: Callable[[int, int], None],
    change_at_most: int | None = None,
) -> int:
    """Cool an assignment down, keep the best met at the ends of rounds, and settle it.

    Parameters
    ----------
    places
        Shape (m, 2), where the members are; each round cuts them in two parts along another line.
    hot, cold
        First and last temperature.
    turns_per_job
        Turns in all; default: as many as the time allows, the temperature following the time.
    time_left
        Part of the time that is left, 1 to 0 or less; 0 ends the search.

    Returns
    -------
    int
        Turns taken.
    """
    instance = state.instance
    jobs = np.flatnonzero(state.at >= 0)
    first, choice = choose(margins, state)
    is_divided = len(jobs) >= _WORTH_DIVIDING and change_at_most is None
    random = np.random.default_rng(seed)
    per_round = max(len(jobs) * _TURNS_A_ROUND, _LEAST_TURNS)
    if turns_per_job is not None:
        per_round = len(jobs) * turns_per_job // _ROUNDS
    best, best_at, rounds = instance.price(state.at), state.at.copy(), 0
    with ThreadPoolExecutor(2) as pool:
        while True:
            gone = 1 - time_left() if turns_per_job is None else rounds / _ROUNDS
            if gone >= 1 or time_left() <= 0:
                break
            report(int(gone * _ROUNDS), _ROUNDS)
            side = _divide(places, random) if is_divided else np.zeros(len(places), dtype=np.int64)
            of_job = side[instance.member[state.at[jobs]]]
            cool = partial(
                _cool, state, jobs, of_job, side, first, choice, per_round,
                float(hot * (cold / hot) ** gone), random.integers(1, 2**40, 2), change_at_most,
            )  # fmt: skip
            list(pool.map(cool, (0, 1) if is_divided else (0,)))
            rounds += 1
            cost = instance.price(state.at)
            if cost < best:
                best, best_at = cost, state.at.copy()
    changed = np.flatnonzero(state.at != best_at)
    state.reassign(changed, best_at[changed])
    rounds_left = _SETTLING if len(jobs) < _MANY else 1
    state.settle(changes_left=_changes_left(state, change_at_most), rounds=rounds_left)
    return rounds * per_round


def _cool(
    state: State, jobs: Ints, of_job: Ints, side: Ints, first: Ints, choice: Ints, turns: int,
    heat: float, seeds: Ints, change_at_most: int | None, part: int,
) -> None:  # fmt: skip
    """Anneal the jobs of one part at one temperature, each part with turns by its jobs."""
    own = jobs[of_job == part]
    state.anneal(
        own, first, choice, side, turns=turns * len(own) // len(jobs), hot=heat, cold=heat,
        seed=int(seeds[part]), changes_left=_changes_left(state, change_at_most),
    )  # fmt: skip


def _divide(places: Floats, random: np.random.Generator) -> Ints:
    """Cut the members in two by a random straight line; each line has other pairs across it."""
    angle, share = random.uniform(0, np.pi), random.uniform(0.35, 0.65)
    along = places @ np.array([np.cos(angle), np.sin(angle)])
    side: Ints = (along > np.quantile(along, share)).astype(np.int64)
    return side


def _changes_left(state: State, change_at_most: int | None) -> int:
    """Return how many more changes the budget allows."""
    if change_at_most is None:
        return len(state.at)
    return change_at_most - int(state.instance.is_change[state.at[state.at >= 0]].sum())

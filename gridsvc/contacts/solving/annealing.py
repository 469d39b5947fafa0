"""Improving an assignment by simulated annealing: shifts, swaps and ejections, compiled.

The state is flat arrays; a turn only indexes and adds. Jobs are dealt to parts that share no
member, so that several threads anneal at once, and the answer does not depend on their order.

References
----------
S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, Science 220 (1983) 671-680,
doi:10.1126/science.220.4598.671. Ejections in the generalised assignment: M. Yagiura, T. Ibaraki,
F. Glover, INFORMS Journal on Computing 16 (2004) 133-151, doi:10.1287/ijoc.1030.0036. Random
numbers: G. Marsaglia, Journal of Statistical Software 8 (2003) 14, doi:10.18637/jss.v008.i14.
"""

from typing import Any

import numba
import numpy as np

from gridsvc.contacts.problem import Floats, Ints
from gridsvc.contacts.solving.instance import Instance

_STEPS = 4096
_WINDOW = 1024
# How far an uphill step may go, in temperatures: the logarithm of a uniform number, from a table.
_REACHES = -np.log((np.arange(_STEPS) + 0.5) / _STEPS)


class State:
    """A member for each job that has a pair, and what the members carry.

    Attributes
    ----------
    at
        Shape (n,), the pair of each job; -1 for none.
    carried, count
        Shape (m,), load and number of jobs of each member.
    held, place
        Shape (e,) and (n,): the jobs of member j are ``held[member_first[j]:][:count[j]]``, and
        ``place`` is where in it a job stands.
    """

    def __init__(self, instance: Instance, at: Ints) -> None:
        self.instance = instance
        self.at = at.astype(np.int64)
        jobs = np.flatnonzero(self.at >= 0)
        pair = self.at[jobs]
        member = instance.member[pair]
        self.carried = np.zeros(instance.member_count, dtype=np.int64)
        np.add.at(self.carried, member, instance.load[pair])
        self.count = np.bincount(member, minlength=instance.member_count)
        self.held = np.full(len(instance.job), -1)
        self.place = np.full(instance.job_count, -1)
        order = np.argsort(member, kind="stable")
        begin = np.cumsum(self.count) - self.count
        slot = np.arange(len(jobs)) - begin[member[order]]
        self.place[jobs[order]] = slot
        self.held[instance.member_first[member[order]] + slot] = jobs[order]

    def anneal(
        self,
        jobs: Ints,
        choice_first: Ints,
        choice: Ints,
        part: Ints,
        *,
        turns: int,
        hot: float,
        cold: float,
        seed: int,
        changes_left: int,
    ) -> int:
        """Take turns at the jobs of one part, while the temperature falls; return the gain.

        Jobs are taken at random from a window that moves over them once, so neighbours in
        ``jobs`` should be neighbours in space: their state is then at hand.

        Parameters
        ----------
        jobs
            Those whose member is of the part; the part is that of the first.
        choice_first, choice
            Shape (n + 1,) and (k,): the pairs of each job among which turns choose.
        part
            Shape (m,), a number for each member.
        hot, cold
            Temperatures, in cost: a step up by so much is taken once in 2.7 times.
        changes_left
            How many more changes the budget allows.
        """
        if not len(jobs):
            return 0
        instance = self.instance
        return _anneal(
            jobs, choice_first, choice, part, instance.member, instance.job, instance.cost,
            instance.load, instance.is_change, instance.member_first, instance.member_pair,
            instance.room, instance.most, instance.per_load, instance.per_job, self.at,
            self.carried, self.count, self.held, self.place, turns, hot, cold, seed, changes_left,
            _REACHES,
        )  # fmt: skip

    def reassign(self, jobs: Ints, pairs: Ints) -> None:
        """Give jobs that have a pair other pairs."""
        instance = self.instance
        for job, pair in zip(jobs, pairs, strict=True):
            if self.at[job] != pair:
                _move(
                    job, pair, instance.member, instance.load, instance.member_first, self.at,
                    self.carried, self.count, self.held, self.place,
                )  # fmt: skip

    def settle(self, *, changes_left: int, rounds: int = 50) -> int:
        """Make improving moves until no shift, swap or ejection gains; return the gain."""
        instance = self.instance
        return _settle(
            instance.member, instance.cost, instance.load, instance.is_change,
            instance.first, instance.member_first, instance.room, instance.most, instance.per_load,
            instance.per_job, self.at, self.carried, self.count, self.held, self.place, rounds,
            changes_left,
        )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _fee(carried: int, room: int, more: int, per_load: int) -> int:
    """Return what it costs that a member carries more by that than now."""
    return per_load * (max(carried + more - room, 0) - max(carried - room, 0))


@numba.njit(cache=True, nogil=True)
def _move(
    job: int,
    pair: int,
    member: Ints,
    load: Ints,
    member_first: Ints,
    at: Ints,
    carried: Ints,
    count: Ints,
    held: Ints,
    place: Ints,
) -> None:
    """Give a job another pair and keep the books."""
    old = at[job]
    left, joined = member[old], member[pair]
    last = held[member_first[left] + count[left] - 1]
    held[member_first[left] + place[job]] = last
    place[last] = place[job]
    count[left] -= 1
    carried[left] -= load[old]
    place[job] = count[joined]
    held[member_first[joined] + count[joined]] = job
    count[joined] += 1
    carried[joined] += load[pair]
    at[job] = pair


@numba.njit(cache=True, nogil=True)
def _pair_of(job: int, own: int, member_first: Ints, member_pair: Ints, job_of: Ints) -> int:
    """Return the pair of a job and a member, -1 for none."""
    low, high = member_first[own], member_first[own + 1]
    while low < high:
        middle = (low + high) // 2
        if job_of[member_pair[middle]] < job:
            low = middle + 1
        else:
            high = middle
    if low < member_first[own + 1] and job_of[member_pair[low]] == job:
        pair: int = member_pair[low]
        return pair
    return -1


@numba.njit(cache=True, nogil=True)
def _next(state: Any) -> Any:
    """Return the random number after this one, 64 bits, never 0."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@numba.njit(cache=True, nogil=True)
def _below(bits: Any, count: Any) -> Any:
    """Turn 24 random bits into a number from 0 to count - 1."""
    few = bits & np.uint64(0xFFFFFF)
    return np.int64((few * np.uint64(count)) >> np.uint64(24))


@numba.njit(cache=True, nogil=True)
def _anneal(  # noqa: C901 - one loop, compiled
    jobs: Ints, choice_first: Ints, choice: Ints, part: Ints, member: Ints, job_of: Ints,
    cost: Ints, load: Ints, is_change: Ints, member_first: Ints, member_pair: Ints, room: Ints,
    most: Ints, per_load: int, per_job: int, at: Ints, carried: Ints, count: Ints, held: Ints,
    place: Ints, turns: int, hot: float, cold: float, seed: int, changes_left: int,
    reaches: Floats,
) -> int:  # fmt: skip
    """Try, each turn, to shift a random job, or else to push another out for it."""
    state: Any = np.uint64(seed * 2 + 1)
    gained, heat = 0, hot
    cooling = (cold / hot) ** (1.0 / max(turns // 256, 1))
    own_part, window = part[member[at[jobs[0]]]], min(len(jobs), _WINDOW)
    for turn in range(turns):
        if turn & 255 == 255:
            heat *= cooling
        state = _next(state)
        # The window moves on over the jobs: those near each other in it share their members.
        job = jobs[turn * (len(jobs) - window) // turns + _below(state >> np.uint64(8), window)]
        begin, end = choice_first[job], choice_first[job + 1]
        if begin == end:
            continue
        pair = choice[begin + _below(state >> np.uint64(40), end - begin)]
        old = at[job]
        left, joined = member[old], member[pair]
        if pair == old or part[joined] != own_part:
            continue
        state = _next(state)
        limit = heat * reaches[np.int64(state & np.uint64(_STEPS - 1))]
        base = cost[pair] - cost[old]
        changes = is_change[pair] - is_change[old]
        delta = base - _fee(carried[left] - load[old], room[left], load[old], per_load)
        delta += _fee(carried[joined], room[joined], load[pair], per_load)
        delta -= per_job if count[left] > most[left] else 0
        delta += per_job if count[joined] >= most[joined] else 0
        if delta <= limit and changes <= changes_left:
            _move(job, pair, member, load, member_first, at, carried, count, held, place)
            gained -= delta
            changes_left -= changes
            continue
        if count[joined] == 0:
            continue
        # Push one of the new member's jobs out: to the member left, or to one of its own choices.
        other = held[member_first[joined] + _below(state >> np.uint64(12), count[joined])]
        gone, way = at[other], -1
        if (state >> np.uint64(60)) & np.uint64(1):
            way = _pair_of(other, left, member_first, member_pair, job_of)
        if way < 0:
            width = choice_first[other + 1] - choice_first[other]
            if width == 0:
                continue
            way = choice[choice_first[other] + _below(state >> np.uint64(36), width)]
        third = member[way]
        changes += is_change[way] - is_change[gone]
        if third == joined or part[third] != own_part or changes > changes_left:
            continue
        delta = base + cost[way] - cost[gone]
        delta += _fee(carried[joined], room[joined], load[pair] - load[gone], per_load)
        if third == left:
            delta += _fee(carried[left], room[left], load[way] - load[old], per_load)
        else:
            delta -= _fee(carried[left] - load[old], room[left], load[old], per_load)
            delta -= per_job if count[left] > most[left] else 0
            delta += _fee(carried[third], room[third], load[way], per_load)
            delta += per_job if count[third] >= most[third] else 0
        if delta <= limit:
            _move(other, way, member, load, member_first, at, carried, count, held, place)
            _move(job, pair, member, load, member_first, at, carried, count, held, place)
            gained -= delta
            changes_left -= changes
    return gained


@numba.njit(cache=True, nogil=True)
def _settle(  # noqa: C901 - one loop, compiled
    member: Ints, cost: Ints, load: Ints, is_change: Ints, first: Ints, member_first: Ints,
    room: Ints, most: Ints, per_load: int, per_job: int, at: Ints, carried: Ints, count: Ints,
    held: Ints, place: Ints, rounds: int, changes_left: int,
) -> int:  # fmt: skip
    """Make the best shift, swap or ejection of each job in turn, until none gains."""
    gained = 0
    for _ in range(rounds):
        before = gained
        for job in range(len(at)):
            old = at[job]
            if old < 0:
                continue
            left = member[old]
            saved = cost[old] + _fee(carried[left] - load[old], room[left], load[old], per_load)
            saved += per_job if count[left] > most[left] else 0
            best, best_pair, best_other, best_way = 0, -1, -1, -1
            for pair in range(first[job], first[job + 1]):
                if cost[pair] >= saved:
                    break
                joined = member[pair]
                if joined == left:
                    continue
                change = cost[pair] - saved
                uses = is_change[pair] - is_change[old]
                extra = _fee(carried[joined], room[joined], load[pair], per_load)
                extra += per_job if count[joined] >= most[joined] else 0
                if change + extra < best and uses <= changes_left:
                    best, best_pair, best_other, best_way = change + extra, pair, -1, -1
                if extra == 0:
                    continue
                for slot in range(count[joined]):
                    other = held[member_first[joined] + slot]
                    gone = at[other]
                    so_far = (
                        change
                        - cost[gone]
                        + _fee(carried[joined], room[joined], load[pair] - load[gone], per_load)
                    )
                    for way in range(first[other], first[other + 1]):
                        if so_far + cost[way] >= best:
                            break
                        third = member[way]
                        if (
                            third == joined
                            or uses + is_change[way] - is_change[gone] > changes_left
                        ):
                            continue
                        now, number = carried[third], count[third]
                        if third == left:
                            now -= load[old]
                            number -= 1
                        total = so_far + cost[way] + _fee(now, room[third], load[way], per_load)
                        total += per_job if number >= most[third] else 0
                        if total < best:
                            best, best_pair, best_other, best_way = total, pair, other, way
            if best < 0:
                changes_left -= is_change[best_pair] - is_change[old]
                if best_other >= 0:
                    changes_left -= is_change[best_way] - is_change[at[best_other]]
                    _move(
                        best_other,
                        best_way,
                        member,
                        load,
                        member_first,
                        at,
                        carried,
                        count,
                        held,
                        place,
                    )
                _move(job, best_pair, member, load, member_first, at, carried, count, held, place)
                gained -= best
        if gained == before:
            break
    return gained

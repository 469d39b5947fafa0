"""The generalised assignment as flat arrays: what the compiled loops work on.

Jobs go to members, each job along one of its pairs; a pair has a cost and a load of its own. A
member pays for load beyond its room and for jobs beyond its number, so nothing is ever infeasible;
a hard capacity is a price that nothing outweighs.
"""

from dataclasses import dataclass, replace

import numpy as np

from gridsvc.contacts.candidates import Candidates
from gridsvc.contacts.problem import Bools, ContactProblem, Ints, Policy


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Jobs, members and the pairs between them.

    Attributes
    ----------
    first
        Shape (n + 1,), where each job's pairs begin; they are in order of cost, then member.
    job, member, cost, load
        Shape (e,), by job; whole numbers, load >= 0.
    member_first, member_pair
        Shape (m + 1,) and (e,): each member's pairs, by job.
    room, most
        Shape (m,), the load and the number of jobs free of charge.
    per_load, per_job
        Price of a unit of load, and of a job, beyond that.
    is_change
        Shape (e,), 1 where taking the pair uses up the budget of changes.
    """

    first: Ints
    job: Ints
    member: Ints
    cost: Ints
    load: Ints
    member_first: Ints
    member_pair: Ints
    room: Ints
    most: Ints
    per_load: int
    per_job: int
    is_change: Ints

    @property
    def job_count(self) -> int:
        """Number of jobs, with those that have no pair."""
        return len(self.first) - 1

    @property
    def member_count(self) -> int:
        """Number of members."""
        return len(self.room)

    @property
    def is_served(self) -> Bools:
        """Shape (n,), whether a job has a pair."""
        return np.diff(self.first) > 0

    def price(self, at: Ints) -> int:
        """Return the cost of an assignment, shape (n,): the pair of each job, -1 for none."""
        pair = at[at >= 0]
        member = self.member[pair]
        load = np.zeros(self.member_count, dtype=np.int64)
        np.add.at(load, member, self.load[pair])
        count = np.bincount(member, minlength=self.member_count)
        total = int(self.cost[pair].sum())
        total += self.per_load * int(np.maximum(load - self.room, 0).sum())
        return total + self.per_job * int(np.maximum(count - self.most, 0).sum())

    def only(self, kept: Bools) -> "Instance":
        """Return the instance with some of its pairs, shape (e,)."""
        row = np.cumsum(kept) - 1
        by_member = self.member_pair[kept[self.member_pair]]
        return replace(
            self,
            first=np.concatenate([[0], np.cumsum(kept)])[self.first],
            job=self.job[kept],
            member=self.member[kept],
            cost=self.cost[kept],
            load=self.load[kept],
            member_first=np.concatenate([[0], np.cumsum(kept[self.member_pair])])[
                self.member_first
            ],
            member_pair=row[by_member],
            is_change=self.is_change[kept],
        )

    def cut_out(self, jobs: Ints, members: Ints) -> tuple["Instance", Ints]:
        """Return these jobs and members alone, in the order of their rows, and the pairs kept."""
        job_row, member_row = np.full(self.job_count, -1), np.full(self.member_count, -1)
        job_row[np.sort(jobs)] = np.arange(len(jobs))
        members = np.sort(members)
        member_row[members] = np.arange(len(members))
        kept = np.flatnonzero((job_row[self.job] >= 0) & (member_row[self.member] >= 0))
        part, order = make_instance(
            job=job_row[self.job[kept]],
            member=member_row[self.member[kept]],
            cost=self.cost[kept],
            load=self.load[kept],
            job_count=len(jobs),
            room=self.room[members],
            most=self.most[members],
            per_load=self.per_load,
            per_job=self.per_job,
            is_change=self.is_change[kept],
        )
        return part, kept[order]


def make_instance(
    *,
    job: Ints,
    member: Ints,
    cost: Ints,
    load: Ints,
    job_count: int,
    room: Ints,
    most: Ints,
    per_load: int,
    per_job: int,
    is_change: Ints | None = None,
) -> tuple[Instance, Ints]:
    """Put pairs in order.

    Returns
    -------
    tuple
        The instance, and for each of its pairs the row it was given in.
    """
    order = np.lexsort([member, cost, job])
    ordered_job, ordered_member = job[order], member[order]
    by_member = np.lexsort([ordered_job, ordered_member])
    changes = np.zeros(len(job), dtype=np.int64) if is_change is None else is_change
    instance = Instance(
        first=np.searchsorted(ordered_job, np.arange(job_count + 1)),
        job=ordered_job,
        member=ordered_member,
        cost=cost[order],
        load=load[order],
        member_first=np.searchsorted(ordered_member[by_member], np.arange(len(room) + 1)),
        member_pair=by_member,
        room=room.astype(np.int64),
        most=most.astype(np.int64),
        per_load=per_load,
        per_job=per_job,
        is_change=changes[order],
    )
    return instance, order


def instance_of(
    problem: ContactProblem, candidates: Candidates, policy: Policy, is_change: Ints | None = None
) -> Instance:
    """Turn the candidate pairs of a problem into an instance; the pairs keep their rows."""
    instance, _ = make_instance(
        job=candidates.grid,
        member=candidates.member,
        cost=candidates.cost,
        load=problem.grid_households[candidates.grid],
        job_count=problem.grid_count,
        room=problem.member_capacity_households,
        most=problem.member_capacity_stairwells,
        per_load=policy.overload_per_household,
        per_job=policy.overload_per_stairwell,
        is_change=is_change,
    )
    return instance

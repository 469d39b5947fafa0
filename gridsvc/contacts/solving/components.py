"""Parts of an instance that share no pair: each can be solved alone."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridsvc.contacts.problem import Ints
from gridsvc.contacts.solving.instance import Instance


def find_small(instance: Instance, *, most_jobs: int) -> list[tuple[Ints, Ints]]:
    """Return jobs and members, ascending, of each component of at most so many jobs."""
    jobs, members = instance.job_count, instance.member_count
    if not len(instance.job):
        return []
    ones = np.ones(len(instance.job), dtype=np.int8)
    size = jobs + members
    graph = coo_array((ones, (instance.job, jobs + instance.member)), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    jobs_in = np.bincount(label[:jobs], minlength=count)
    members_in = np.bincount(label[jobs:], minlength=count)
    is_small = (jobs_in > 0) & (members_in > 0) & (jobs_in <= most_jobs)
    order = np.argsort(label, kind="stable")
    first = np.searchsorted(label[order], np.arange(count + 1))
    parts = [order[first[each] : first[each + 1]] for each in np.flatnonzero(is_small)]
    return [(part[part < jobs], part[part >= jobs] - jobs) for part in parts]

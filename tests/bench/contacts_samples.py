"""Sub-districts for the benchmark of contacts, and public instances of generalised assignment."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from gridsvc.contacts.problem import ContactProblem, ContactSolution

Ints = NDArray[np.int64]


def clustered_problem(*, stairwells: int, members: int, seed: int = 0) -> ContactProblem:
    """Make a sub-district: compounds of about 50 stairwells, members spread unevenly over them.

    Buildings have two to five stairwells of 10 to 40 households; members can carry two to five
    stairwells of 24 households each, more where there are few members, so that all together can
    carry half as much again as there is; three in five are Party members; 3 % are unavailable, and
    a fifth do not want the stairwell they live in.
    """
    random = np.random.default_rng(seed)
    compounds = max(1, stairwells // 50)
    centre = random.uniform(0, 600 * np.sqrt(compounds), (compounds, 2))
    weight = random.lognormal(0, 0.6, compounds)
    compound = np.sort(random.choice(compounds, stairwells, p=weight / weight.sum()))
    building = 100_000 * compound + np.cumsum(random.random(stairwells) < 1 / 3.5, dtype=np.int64)
    _, row = np.unique(building, return_inverse=True)
    spot = random.uniform(-120, 120, (row.max() + 1, 2))
    places = centre[compound] + spot[row] + random.uniform(-15, 15, (stairwells, 2))
    pull = random.lognormal(0, 0.6, compounds)[compound]
    home = random.choice(stairwells, members, p=pull / pull.sum())
    count = np.ceil(random.integers(2, 6, members) * max(1.0, stairwells / members / 2.33))
    return ContactProblem(
        grid_xy_m=places,
        grid_households=random.integers(10, 41, stairwells),
        grid_building=building,
        grid_compound=compound,
        member_xy_m=places[home] + random.uniform(-5, 5, (members, 2)),
        member_capacity_households=24 * count,
        member_capacity_stairwells=count,
        member_is_party=random.random(members) < 0.6,
        member_available=random.random(members) >= 0.03,
        member_home_grid=home,
        member_home_building=building[home],
        member_home_compound=compound[home],
        incumbent=np.full(stairwells, -1),
        excluded=np.column_stack([home, np.arange(members)])[: members // 5],
    )


def after_leaving(
    problem: ContactProblem, solution: ContactSolution, *, share: float, seed: int = 0
) -> ContactProblem:
    """Return the problem of the day after: a plan in force, and some members gone."""
    gone = np.random.default_rng(seed).random(problem.member_count) < share
    return replace(
        problem, incumbent=solution.member, member_available=problem.member_available & ~gone
    )


@dataclass(frozen=True)
class GapFile:
    """A public instance: cost and load, shape (m, n), capacity, shape (m,), best value known."""

    name: str
    cost: Ints
    load: Ints
    capacity: Ints
    best_known: int


def read_gap_files(folder: Path) -> Iterator[GapFile]:
    """Yield the generalised assignment instances that the folder's index.json names."""
    index = orjson.loads((folder / "index.json").read_bytes())
    for entry in index["instances"]:
        if entry["problem"] != "GAP":
            continue
        numbers = np.array((folder / entry["file"]).read_text().split(), dtype=np.int64)
        members, jobs = int(numbers[0]), int(numbers[1])
        cost, load, capacity = np.split(
            numbers[2 : 2 + 2 * members * jobs + members], [members * jobs, 2 * members * jobs]
        )
        shape = (members, jobs)
        yield GapFile(
            entry["file"], cost.reshape(shape), load.reshape(shape), capacity, entry["best_known"]
        )

"""The contact solver on sub-districts of clustered members, beside nearest-neighbour assignment."""

import time
from collections.abc import Iterator

import numpy as np

from gridsvc.contacts.solver import ContactProblem, nearest_neighbour, solve

TIME_LIMIT_S = 15.0
SIZES = ((400, 210), (7_500, 3_900))


def run() -> Iterator[dict[str, object]]:
    """Yield one row a size."""
    for stairwells, members in SIZES:
        problem = clustered_problem(stairwells=stairwells, members=members)
        nearest = nearest_neighbour(problem)
        started_cpu, started = time.process_time(), time.monotonic()
        solution = solve(problem, time_limit_s=TIME_LIMIT_S)
        wall_s, cpu_s = time.monotonic() - started, time.process_time() - started_cpu
        overload = solution.counts["overload_households"]
        nearest_overload = nearest.counts["overload_households"]
        yield {
            "name": f"contacts {stairwells} x {members}",
            "wall_s": round(wall_s, 2),
            "cpu_s": round(cpu_s, 2),
            "gap_proven_percent": round(100 * solution.gap, 2),
            "uncovered_stairwells": solution.counts["uncovered"],
            "party_stairwells": solution.counts["party"],
            "overload_households": overload,
            "overload_stairwells": solution.counts["overload_stairwells"],
            "nearest_overload_households": nearest_overload,
            "nearest_overload_stairwells": nearest.counts["overload_stairwells"],
            "overload_to_nearest_ratio": round(overload / max(nearest_overload, 1), 4),
            "cost_to_nearest_ratio": round(solution.objective / nearest.objective, 4),
            "candidate_pairs": solution.counts["candidate_pairs"],
            **{f"{stage}_s": round(spent, 2) for stage, spent in solution.stages_s.items()},
            **{f"{kind}_rounds": count for kind, count in solution.rounds.items()},
        }


def clustered_problem(*, stairwells: int, members: int, seed: int = 0) -> ContactProblem:
    """Make a sub-district: compounds of about 50 stairwells, members spread unevenly over them.

    Buildings have two to five stairwells of 10 to 40 households; members can carry two to five
    stairwells of 24 households each; three in five are Party members; 3 % are unavailable, and a
    fifth do not want the stairwell they live in.
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
    count = random.integers(2, 6, members)
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

"""The contact solver: proven gaps by size, beside CP-SAT and HiGHS, after people left, on files."""

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from gridsvc.contacts.candidates import find_candidates
from gridsvc.contacts.problem import ContactProblem, ContactSolution, Policy
from gridsvc.contacts.repairing import repair
from gridsvc.contacts.solver import nearest_neighbour, solve
from gridsvc.contacts.solving.compiled import load_compiled
from gridsvc.contacts.solving.gap import solve_gap
from gridsvc.contacts.solving.instance import instance_of
from tests.bench.contacts_peers import by_cp_sat, by_highs
from tests.bench.contacts_samples import after_leaving, clustered_problem, read_gap_files

# Stairwells, members, seconds of wall time, and whether the general solvers are tried as well:
# at 80,000 stairwells these end without an answer, or without memory.
JOBS = (
    (40, 20, 1.0, True),
    (8_000, 2_000, 60.0, True),
    (8_000, 7_000, 60.0, True),
    (80_000, 40_000, 170.0, False),
)
GROWTH = ((800, 400, 6.0), (2_400, 1_200, 10.0), (8_000, 4_000, 30.0), (24_000, 12_000, 60.0))
LEFT_SHARE = 0.02
CPU_S = 30.0


def run(*, instances: Path | None = None, cpu_s: float = CPU_S) -> Iterator[dict[str, object]]:
    """Yield one row a job and solver; with a folder of public instances, one a file."""
    load_compiled()
    if instances is not None:
        yield from _files(instances, cpu_s)
        return
    for stairwells, members, limit_s, _ in JOBS:
        problem = clustered_problem(stairwells=stairwells, members=members)
        yield _measured(f"contacts {stairwells} x {members}", problem, limit_s)
    # After ours: the peak of memory is the process's, and theirs is higher.
    for stairwells, members, limit_s, has_peers in JOBS:
        if has_peers:
            problem = clustered_problem(stairwells=stairwells, members=members)
            yield from _peers(problem, f"{stairwells} x {members}", limit_s)
    yield from _churn(stairwells=8_000, members=2_000, limit_s=30.0)
    for stairwells, members, limit_s in GROWTH:
        problem = clustered_problem(stairwells=stairwells, members=members)
        yield _measured(f"growth {stairwells} x {members}", problem, limit_s)


def _files(folder: Path, cpu_s: float) -> Iterator[dict[str, object]]:
    """Yield one row a public instance."""
    for file in read_gap_files(folder):
        started = time.process_time()
        answer = solve_gap(file.cost, file.load, file.capacity, time_limit_s=cpu_s)
        spent_s = time.process_time() - started
        found = answer.cost if answer.cost >= 0 else None
        gap = None if found is None else round(100 * (found / file.best_known - 1), 4)
        yield {
            "instance": file.name,
            "found": found,
            "bound": answer.bound,
            "best_known": file.best_known,
            "gap_percent": gap,
            "cpu_s": round(spent_s, 2),
        }


def _measured(name: str, problem: ContactProblem, limit_s: float) -> dict[str, object]:
    """Solve, and say how well and at what expense."""
    started_cpu, started = time.process_time(), time.monotonic()
    solution = solve(problem, time_limit_s=limit_s)
    wall_s, cpu_s = time.monotonic() - started, time.process_time() - started_cpu
    nearest = nearest_neighbour(problem)
    return {
        "name": name,
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 2),
        "gap_percent": round(100 * solution.gap, 3),
        "objective": solution.objective,
        "bound": solution.bound,
        "bound_is_global": solution.bound_is_global,
        "overload_households": solution.counts["overload_households"],
        "nearest_overload_households": nearest.counts["overload_households"],
        "party_stairwells": solution.counts["party"],
        "candidate_pairs": solution.counts["candidate_pairs"],
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **{f"{stage}_s": round(spent, 2) for stage, spent in solution.stages_s.items()},
        **{f"{kind}_rounds": count for kind, count in solution.rounds.items()},
    }


def _peers(problem: ContactProblem, size: str, limit_s: float) -> Iterator[dict[str, object]]:
    """Yield a row for each general solver, on the candidates by distance alone."""
    policy = Policy()
    instance = instance_of(problem, find_candidates(problem, policy), policy)
    for name, method in (("cp-sat", by_cp_sat), ("highs", by_highs)):
        started_cpu = time.process_time()
        answer = method(instance, time_limit_s=limit_s)
        yield {
            "name": f"{name} {size}",
            "wall_s": round(answer.wall_s, 2),
            "cpu_s": round(time.process_time() - started_cpu, 2),
            "gap_percent": round(100 * (answer.cost - answer.bound) / answer.cost, 3),
            "objective": answer.cost,
            "bound": answer.bound,
        }


def _churn(*, stairwells: int, members: int, limit_s: float) -> Iterator[dict[str, object]]:
    """Yield what changes when some members leave, and what keeping the others costs."""
    problem = clustered_problem(stairwells=stairwells, members=members)
    today = solve(problem, time_limit_s=limit_s)
    after = after_leaving(problem, today, share=LEFT_SHARE)
    nobody = np.full(stairwells, -1)
    anew = solve(replace(after, incumbent=nobody), time_limit_s=limit_s)
    ways: dict[str, Callable[[], ContactSolution]] = {
        "": lambda: solve(after, time_limit_s=limit_s),
        ", at most 1 %": lambda: solve(
            after, time_limit_s=limit_s, change_at_most=stairwells // 100
        ),
        ", mended": lambda: repair(after, time_limit_s=limit_s),
    }
    for way, act in ways.items():
        kept = act()
        cost = kept.objective - Policy().churn * kept.counts["changed"]
        yield {
            "name": f"churn {stairwells} x {members}{way}",
            "gap_percent": round(100 * kept.gap, 3),
            "forced": kept.counts["changed"] - kept.counts["replaced"],
            "replaced": kept.counts["replaced"],
            "replaced_percent": round(100 * kept.counts["replaced"] / stairwells, 3),
            "objective_without_churn": cost,
            "objective_anew": anew.objective,
            "worse_percent": round(100 * (cost / anew.objective - 1), 3),
            "changed_anew": int((anew.member != today.member).sum()),
        }

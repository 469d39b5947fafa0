"""The route solver on public team orienteering problems, and on a sub-district of patrols.

Gaps are to the best value known to the literature, for VROOM alone (its highest exploration) and
for ours, in the same run.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.patrols.engines import first_routes
from gridsvc.patrols.solver import PatrolProblem, solve, whole_seconds
from gridsvc.patrols.timetable import Timetable

INSTANCES = Path(__file__).parents[2].parent / "shared" / "data" / "bench"
# File and number of teams (0: as the file says): some of each family, large and tight.
CHOSEN = (
    ("top/p4.2.p.txt", 0),
    ("top/p4.3.j.txt", 0),
    ("top/p4.4.t.txt", 0),
    ("top/p5.3.z.txt", 0),
    ("top/p7.2.r.txt", 0),
    ("top/p7.3.r.txt", 0),
    ("toptw/c204.txt", 1),
    ("toptw/r208.txt", 1),
    ("toptw/rc204.txt", 1),
    ("toptw/pr05.txt", 3),
    ("toptw/pr08.txt", 2),
    ("toptw/pr18.txt", 4),
)
ITERATIONS = 3_000
_TOP_STEPS = 10_000

Row = dict[str, Any]


def run() -> Iterator[dict[str, object]]:
    """Yield one row for a sub-district, one an instance, and their means."""
    yield _sub_district_row(communities=23, stops=150)
    if not (INSTANCES / "index.json").exists():
        yield {"name": "patrols, public instances", "skipped": "no ../shared/data/bench"}
        return
    index = json.loads((INSTANCES / "index.json").read_text(encoding="utf-8"))["instances"]
    known = {(one["file"], one.get("vehicles", 0)): one["best_known"] for one in index}
    rows = [_row(file, teams, known[file, teams]) for file, teams in CHOSEN]
    yield from rows
    yield {
        "name": "patrols mean",
        **{
            key: round(float(np.mean([row[key] for row in rows])), 2)
            for key in ("vroom_gap_percent", "gap_percent", "vroom_cpu_s", "cpu_s")
        },
        "worst_gap_percent": max(row["gap_percent"] for row in rows),
        "worst_vroom_gap_percent": max(row["vroom_gap_percent"] for row in rows),
    }


def _row(file: str, teams: int, best_known: int) -> Row:
    path = INSTANCES / file
    problem = read_top(path) if file.startswith("top/") else read_toptw(path, teams=teams)
    started = time.process_time()
    stops = np.arange(problem.stop_count)
    alone = first_routes(Timetable.of(problem), stops, exploration=5)
    vroom_cpu_s = time.process_time() - started
    vroom_prize = int(problem.prizes[[stop for route in alone for stop in route]].sum())
    started = time.process_time()
    solution = solve(problem, iterations=ITERATIONS)
    cpu_s = time.process_time() - started
    return {
        "name": f"patrols {path.stem} x {problem.team_count}",
        "best_known": best_known,
        "vroom_prize": vroom_prize,
        "prize": solution.prize,
        "vroom_gap_percent": round(100 * (1 - vroom_prize / best_known), 2),
        "first_gap_percent": round(100 * (1 - solution.first_prize / best_known), 2),
        "gap_percent": round(100 * (1 - solution.prize / best_known), 2),
        "prize_to_vroom_ratio": round(solution.prize / vroom_prize, 4),
        "vroom_cpu_s": round(vroom_cpu_s, 2),
        "first_wall_s": round(solution.stages_s["first"], 2),
        "cpu_s": round(cpu_s, 2),
    }


def _sub_district_row(*, communities: int, stops: int) -> dict[str, object]:
    """Plan an evening of two or three teams in each community, shifts of two hours."""
    random = np.random.default_rng(0)
    prize, first_prize, cpu_s, longest_first_s = 0, 0, 0.0, 0.0
    for _ in range(communities):
        teams = int(random.integers(2, 4))
        places = random.uniform(0, 1_200, (stops + teams, 2))
        posts = stops + np.arange(teams)
        problem = PatrolProblem(
            matrix_s=whole_seconds(_apart(places) * 1.3 / 1.27),
            prizes=random.integers(1, 100, stops),
            service_s=np.full(stops, 120),
            required=random.random(stops) < 0.03,
            team_start=posts,
            team_end=posts,
            shift_start_s=np.full(teams, 19 * 3600),
            shift_end_s=np.full(teams, 21 * 3600),
        )
        started = time.process_time()
        solution = solve(problem, iterations=100)
        cpu_s += time.process_time() - started
        prize += solution.prize
        first_prize += solution.first_prize
        longest_first_s = max(longest_first_s, solution.stages_s["first"])
    return {
        "name": f"patrols {communities} communities x {stops} stops",
        "cpu_s": round(cpu_s, 2),
        "longest_first_wall_s": round(longest_first_s, 2),
        "prize": prize,
        "prize_to_first_ratio": round(prize / first_prize, 4),
    }


def read_top(path: Path) -> PatrolProblem:
    """Read an instance of Chao, Golden and Wasil: first place the start, last place the end."""
    lines = path.read_text(encoding="utf-8").split("\n")
    teams, limit = int(lines[1].split()[1]), float(lines[2].split()[1])
    rows = np.array([[float(one) for one in line.split()] for line in lines[3:] if line.strip()])
    # Stops first, then the two posts.
    rows = rows[[*range(1, len(rows) - 1), 0, len(rows) - 1]]
    stops = len(rows) - 2
    return PatrolProblem(
        matrix_s=np.ceil(_apart(rows[:, :2]) * _TOP_STEPS).astype(np.int64),
        prizes=rows[:stops, 2].astype(np.int64),
        service_s=np.zeros(stops, dtype=np.int64),
        required=np.zeros(stops, dtype=bool),
        team_start=np.full(teams, stops),
        team_end=np.full(teams, stops + 1),
        shift_start_s=np.zeros(teams, dtype=np.int64),
        shift_end_s=np.full(teams, int(limit * _TOP_STEPS)),
    )


def read_toptw(path: Path, *, teams: int) -> PatrolProblem:
    """Read an instance of Solomon or Cordeau: distances cut to one or two decimals."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").split("\n")[2:]]
    post, *stops = [line for line in lines if len(line) > 7]
    steps = 100 if path.stem.startswith("pr") else 10
    order = [*stops, post]
    places = np.array([[float(one[1]), float(one[2])] for one in order])
    windows = np.array([[float(one[-2]), float(one[-1])] for one in stops])
    # A hair more before cutting: 5.0 must not become 4.9 by a rounding error.
    return PatrolProblem(
        matrix_s=np.floor(_apart(places) * steps + 1e-6).astype(np.int64),
        prizes=np.array([int(float(one[4])) for one in stops]),
        service_s=np.array([round(float(one[3]) * steps) for one in stops]),
        required=np.zeros(len(stops), dtype=bool),
        windows_s=(windows * steps).astype(np.int64),
        team_start=np.full(teams, len(stops)),
        team_end=np.full(teams, len(stops)),
        shift_start_s=np.zeros(teams, dtype=np.int64),
        shift_end_s=np.full(teams, round(float(post[-1]) * steps)),
    )


def _apart(places: NDArray[np.float64]) -> NDArray[np.float64]:
    metres: NDArray[np.float64] = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    return metres

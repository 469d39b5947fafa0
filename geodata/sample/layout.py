"""Cut the plan plane into communities and blocks by streets of three ranks.

The plane is a rectangle in metres, u to the east, v to the north. Cuts are straight and parallel
to the axes here; `geodata.sample.ground` bends them afterwards.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from geodata.sample.chance import Floats, stream
from geodata.sample.plan import TownPlan, areas
from geodata.sample.subdivision import Branch, plan_cuts, slenderness
from geodata.sample.town import Town, load_words

BORDER, SECONDARY, LANE, PROMENADE, STEPS, OUTSIDE = range(6)

_ASPECT = 1.14
_SECONDARY_ABOVE_M2 = 260_000.0
_JOIN_BORDERS_M = 60.0
_JOIN_STREETS_M = 28.0
_JOIN_SHARE = 0.06
_LEAST_CELL_M = 80.0
_LEAST_COMMUNITY_M = 125.0
_SLENDER = 2.3
PROMENADE_OFFSET_M = 34.0
_BRIDGE_M = 420.0
_ROAD_OUT_M = 230.0
_STEPS_EVERY_M = 330.0

Cell = tuple[float, float, float, float]


@dataclass(frozen=True)
class Cut:
    """A straight street: at ``at`` on its own axis, from ``start`` to ``end`` on the other.

    ``axis`` is ``v`` for north-south (``at`` is u) and ``h`` for west-east (``at`` is v).
    """

    axis: str
    at: float
    start: float
    end: float
    rank: int
    name: str | None


@dataclass(frozen=True)
class Layout:
    """The plan plane.

    Attributes
    ----------
    width_m, height_m
        Size of the town's rectangle.
    cells
        Shape (blocks, 4), ``umin, vmin, umax, vmax`` of each block of the plan.
    community_cells
        Shape (communities, 4), the same for each community.
    cuts
        All streets, the outer ones and those that leave the town included.
    """

    width_m: float
    height_m: float
    cells: Floats
    community_cells: Floats
    cuts: tuple[Cut, ...]


class _Cutter:
    """Parts cells and remembers the cuts, so that streets meet where they nearly do."""

    def __init__(self, random: Generator) -> None:
        self.random = random
        self.cuts: list[Cut] = []
        self._names: set[str] = set()

    def part(
        self, cell: Cell, axis: str, share: float, *, rank: int, name: str | None, join_m: float
    ) -> tuple[Cell, Cell]:
        """Cut a cell, leaving ``share`` of it in the west or south part."""
        u0, v0, u1, v1 = cell
        low, high, start, end = (u0, u1, v0, v1) if axis == "v" else (v0, v1, u0, u1)
        join_m = min(join_m, _JOIN_SHARE * (high - low))
        least_m = _LEAST_COMMUNITY_M if rank == BORDER else _LEAST_CELL_M
        least = min(least_m, 0.4 * (high - low))
        at = min(max(low + share * (high - low), low + least), high - least)
        at = self._join(axis, at, start, end, join_m)
        self.cuts.append(Cut(axis, at, start, end, rank, name))
        if axis == "v":
            return (u0, v0, at, v1), (at, v0, u1, v1)
        return (u0, v0, u1, at), (u0, at, u1, v1)

    def _join(self, axis: str, at: float, start: float, end: float, join_m: float) -> float:
        """Move a cut onto a street that ends on the other side of the street it meets."""
        near = [
            (abs(cut.at - at), cut.at)
            for cut in self.cuts
            if cut.axis == axis and (cut.end == start or cut.start == end)
        ]
        gap, place = min(near, default=(join_m, at))
        return place if gap < join_m else at

    def street_name(self, community: str, rank: int) -> str | None:
        """Return a name that no street has yet, None for every third lane."""
        firsts = load_words()["street_first"]
        if rank == LANE and self.random.random() < 1 / 3:
            return None
        lasts = ("路",) if rank == SECONDARY else ("街", "横街", "巷", "直街")
        last = lasts[0]
        for turn in range(12):
            first = firsts[self.random.integers(len(firsts))] if turn < 8 else community
            last = lasts[turn % len(lasts)]
            if first + last not in self._names:
                self._names.add(first + last)
                return str(first + last)
        number = sum(name.startswith(community) for name in self._names) + 1
        self._names.add(f"{community}{number}{last}")
        return f"{community}{number}{last}"


def lay_out(town: Town, plan: TownPlan, *, seed: int) -> Layout:
    """Give every community and block its cell, in size as planned.

    Parameters
    ----------
    town
        Names the communities and how the main streets part them.
    plan
        The blocks and their areas.
    seed
        Same seed, same layout.

    Returns
    -------
    Layout
        Plane coordinates, metres; no CRS yet.
    """
    cutter = _Cutter(stream(seed, "layout"))
    area_m2 = areas(plan)
    width = float(np.sqrt(area_m2.sum() * _ASPECT))
    height = float(area_m2.sum() / width)
    owner = np.array([block.community for block in plan.blocks])
    community_area = np.bincount(owner, weights=area_m2, minlength=len(town.communities))
    weight = {c.name: float(a) for c, a in zip(town.communities, community_area, strict=True)}
    whole = (0.0, 0.0, width, height)
    named_cells: dict[str, Cell] = {}
    _part_by_names(cutter, town.layout, whole, weight, named_cells)
    cells = np.zeros((len(plan.blocks), 4))
    for index, community in enumerate(town.communities):
        cell = named_cells[community.name]
        blocks = np.flatnonzero(owner == index)
        tree = plan_cuts(
            blocks.tolist(), area_m2, cell[2] - cell[0], cell[3] - cell[1], random=cutter.random
        )
        _part_by_tree(cutter, tree, cell, cells, community.name)
    community_cells = np.array([named_cells[community.name] for community in town.communities])
    cuts = (*cutter.cuts, *_outer_cuts(town, whole), *_cuts_outside(town, cutter, whole))
    return Layout(width, height, cells, community_cells, cuts)


def _weigh(tree: Any, weight: dict[str, float]) -> float:
    """Return the area of a branch of the layout tree."""
    if isinstance(tree, str):
        return weight[tree]
    return _weigh(tree[2], weight) + _weigh(tree[3], weight)


def _part_by_names(
    cutter: _Cutter, tree: Any, cell: Cell, weight: dict[str, float], found: dict[str, Cell]
) -> None:
    """Follow the layout tree down to the communities."""
    if isinstance(tree, str):
        found[tree] = cell
        return
    axis, name, low, high = tree
    width, height = cell[2] - cell[0], cell[3] - cell[1]
    share = _weigh(low, weight) / _weigh(tree, weight)
    slender = {way: slenderness(way, share, width, height) for way in "vh"}
    if slender[axis] > _SLENDER:
        axis = min(slender, key=slender.__getitem__)
    parts = cutter.part(cell, axis, share, rank=BORDER, name=name, join_m=_JOIN_BORDERS_M)
    for branch, part in zip((low, high), parts, strict=True):
        _part_by_names(cutter, branch, part, weight, found)


def _part_by_tree(
    cutter: _Cutter, tree: Branch | int, cell: Cell, cells: Floats, community: str
) -> None:
    """Follow a community's own tree of cuts down to its blocks."""
    if isinstance(tree, int):
        cells[tree] = cell
        return
    u0, v0, u1, v1 = cell
    rank = SECONDARY if (u1 - u0) * (v1 - v0) > _SECONDARY_ABOVE_M2 else LANE
    name = cutter.street_name(community, rank)
    parts = cutter.part(cell, tree.axis, tree.share, rank=rank, name=name, join_m=_JOIN_STREETS_M)
    for branch, part in zip((tree.low, tree.high), parts, strict=True):
        _part_by_tree(cutter, branch, part, cells, community)


def _outer_cuts(town: Town, whole: Cell) -> list[Cut]:
    """Return the four streets round the town."""
    _, _, width, height = whole
    names = town.outer_streets
    return [
        Cut("v", 0.0, 0.0, height, BORDER, names["west"]),
        Cut("v", width, 0.0, height, BORDER, names["east"]),
        Cut("h", 0.0, 0.0, width, BORDER, names["south"]),
        Cut("h", height, 0.0, width, BORDER, names["north"]),
    ]


def _cuts_outside(town: Town, cutter: _Cutter, whole: Cell) -> list[Cut]:
    """Return roads out of town, bridges over the river in the east, promenade and its steps."""
    _, _, width, height = whole
    quay = width + PROMENADE_OFFSET_M
    main = [cut for cut in cutter.cuts if cut.rank == BORDER]
    cuts = []
    for cut in main:
        limit = height if cut.axis == "v" else width
        if cut.start == 0.0:
            cuts.append(Cut(cut.axis, cut.at, -_ROAD_OUT_M, 0.0, OUTSIDE, cut.name))
        if cut.end == limit and cut.axis == "v":
            cuts.append(Cut("v", cut.at, height, height + _ROAD_OUT_M, OUTSIDE, cut.name))
    bridges = {cut.at: cut.name for cut in main if cut.axis == "h" and cut.end == width}
    for at, name in bridges.items():
        cuts.append(Cut("h", at, width, quay, OUTSIDE, name))
        cuts.append(Cut("h", at, quay, quay + _BRIDGE_M, OUTSIDE, name))
    steps = np.linspace(0.03, 0.97, max(2, round(height / _STEPS_EVERY_M))) * height
    cuts += [
        Cut("h", at, width, quay, STEPS, None)
        for at in steps.tolist()
        if all(abs(at - bridge) > _JOIN_BORDERS_M for bridge in bridges)
    ]
    cuts.append(Cut("v", quay, float(steps[0]), float(steps[-1]), PROMENADE, town.promenade))
    return cuts

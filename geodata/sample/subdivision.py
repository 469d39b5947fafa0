"""Find straight cuts that part a rectangle into blocks of given areas, none of them slender."""

from dataclasses import dataclass

from numpy.random import Generator

from geodata.sample.chance import Floats

_SMALL = 10
_TRIALS = 60
_STOUT = 1.3


@dataclass(frozen=True)
class Branch:
    """A cut of a rectangle: ``share`` of it lies west (axis ``v``) or south (``h``) of the cut.

    ``low`` and ``high`` are the parts: cut again, or the number of a block.
    """

    axis: str
    share: float
    low: "Branch | int"
    high: "Branch | int"


def plan_cuts(
    blocks: list[int], area_m2: Floats, width_m: float, height_m: float, *, random: Generator
) -> Branch | int:
    """Plan how to part a rectangle.

    Many blocks are halved; ten and fewer are parted in several random orders, the best is kept.

    Parameters
    ----------
    blocks
        Numbers of the blocks, at least one.
    area_m2
        Area of each block, by number.
    width_m, height_m
        The rectangle; only the areas' shares of it matter.
    random
        Source of chance: which block lies where.

    Returns
    -------
    Branch or int
        The tree of cuts; a block number if there is only one.
    """
    order: list[int] = random.permutation(blocks).tolist()
    if len(order) > _SMALL:
        half = len(order) // 2
        share = float(area_m2[order[:half]].sum() / area_m2[order].sum())
        axis = "v" if width_m > height_m else "h"
        low, high = _parts(axis, share, width_m, height_m)
        return Branch(
            axis,
            share,
            plan_cuts(order[:half], area_m2, *low, random=random),
            plan_cuts(order[half:], area_m2, *high, random=random),
        )
    area = dict(zip(order, area_m2[order].tolist(), strict=True))
    plans = []
    for _ in range(_TRIALS if len(order) > 1 else 1):
        plans.append(_greedy(order, area, width_m, height_m))
        order = random.permutation(order).tolist()
    return min(plans, key=lambda plan: plan[0])[1]


def _parts(
    axis: str, share: float, width: float, height: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return width and height of the two parts of a cut."""
    if axis == "v":
        return (width * share, height), (width * (1 - share), height)
    return (width, height * share), (width, height * (1 - share))


def slenderness(axis: str, share: float, width_m: float, height_m: float) -> float:
    """Return length over breadth of the more slender part of a cut.

    Examples
    --------
    >>> slenderness("v", 0.5, 100.0, 100.0)
    2.0
    """
    parts = _parts(axis, share, width_m, height_m)
    return max(max(w / h, h / w) for w, h in parts)


def _greedy(
    order: list[int], area: dict[int, float], width: float, height: float
) -> tuple[float, Branch | int]:
    """Cut across the longer side, into halves as near as the order allows; cost and tree."""
    if len(order) == 1:
        slender = max(width / height, height / width)
        return max(0.0, slender - _STOUT) ** 2, order[0]
    total = sum(area[block] for block in order)
    best, heap, split = 1.0, 0.0, 1
    for number, block in enumerate(order[:-1], start=1):
        heap += area[block] / total
        if abs(heap - 0.5) < abs(best - 0.5):
            best, split = heap, number
    axis = "v" if width > height else "h"
    low, high = _parts(axis, best, width, height)
    cost_low, tree_low = _greedy(order[:split], area, *low)
    cost_high, tree_high = _greedy(order[split:], area, *high)
    return cost_low + cost_high, Branch(axis, best, tree_low, tree_high)

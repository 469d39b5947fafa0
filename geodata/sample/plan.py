"""Decide what the town has, before where: compounds with their styles and sizes, other blocks."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from geodata.apportionment import apportion
from geodata.sample.chance import Floats, Ints, stream
from geodata.sample.styles import STYLES
from geodata.sample.town import NamedCompound, Town, load_words

# Room beyond what the styles need, so that the stairwells wanted fit into odd shapes too.
_SPARE_SCALES = (0.1, 0.5, 1.0)
_SPARES = (1.5, 1.18, 1.11)
_SPARE_NAMED = 1.03
# Ring road, walls and front gardens, across a compound; and the least side that makes one.
_EDGE_M = 25.0
_LEAST_SIDE_M = 105.0
# Streets round a block, across it; wider where a community has few blocks, and main streets.
_STREET_SHARE_M = 22.0
_MAIN_STREET_SHARE_M = 34.0
_LEAST_STAIRWELLS = 8
_LAKE_PARK_M2 = 230_000.0
_OTHER_BLOCKS = {"school": 24_000.0, "garden": 15_000.0, "market": 13_000.0, "shops": 11_000.0}
# Beside fewer compounds another use would be a sliver.
_OTHERS_FROM = 4
_GREEN = {"garden": 1, "lake": 2}


@dataclass(frozen=True)
class CompoundPlan:
    """What one compound shall have; None where it is free."""

    community: int
    name: str
    style: str
    built_year: int | None
    stairwells: int
    buildings: int | None
    households: int | None
    chiefs: int | None
    societies: int | None
    net_m2: float
    published: bool


@dataclass(frozen=True)
class Block:
    """A piece of land between streets: a compound (by its place in the plan) or another use."""

    community: int
    use: str
    compound: int
    gross_m2: float


@dataclass(frozen=True)
class TownPlan:
    """All compounds and blocks; communities are places in ``Town.communities``."""

    compounds: tuple[CompoundPlan, ...]
    blocks: tuple[Block, ...]

    @property
    def greens(self) -> int:
        """How many of the blocks, the last ones, are gardens or the lake."""
        return sum(block.use in _GREEN for block in self.blocks)


def plan_town(town: Town, *, seed: int, scale: float) -> TownPlan:
    """Choose compounds and blocks.

    Parameters
    ----------
    town
        The fixed facts.
    seed
        Same seed, same plan.
    scale
        Size of the town, > 0; every community keeps at least one compound.

    Returns
    -------
    TownPlan
        Areas in square metres; at scale 1 the counts of ``town``.
    """
    random = stream(seed, "plan")
    named = {row.community: row for row in town.named_compounds}
    shares = [row.compounds for row in town.communities]
    total = max(len(shares), round(town.counts["compounds"] * scale))
    counts = apportion(total, shares, least=1)
    community = np.repeat(np.arange(len(shares)), counts)
    first = np.append(True, community[1:] != community[:-1])
    owners = [
        named.get(town.communities[c].name) if is_first else None
        for c, is_first in zip(community.tolist(), first.tolist(), strict=True)
    ]
    styles = _choose_styles(town, community, owners, random)
    wanted = max(total * _LEAST_STAIRWELLS, round(town.counts["stairwells"] * scale))
    sizes = _choose_sizes(owners, styles, wanted, min(scale, 1.0), random)
    names = _choose_names(owners, styles, random)
    compounds = tuple(
        _compound(int(c), owner, style, int(size), name, min(scale, 1.0), random)
        for c, owner, style, size, name in zip(community, owners, styles, sizes, names, strict=True)
    )
    return TownPlan(compounds, _blocks(town, compounds, scale, random))


def _choose_styles(
    town: Town, community: Ints, owners: list[NamedCompound | None], random: Generator
) -> list[str]:
    """Return a style for each compound, by the mix of its quarter."""
    kinds = ("walkup", "midrise", "highrise")
    mix = np.array([town.quarters[row.quarter] for row in town.communities]).cumsum(axis=1)
    drawn = (random.random(len(community))[:, None] > mix[community]).sum(axis=1)
    return [
        owner.style if owner else kinds[min(int(k), 2)]
        for owner, k in zip(owners, drawn, strict=True)
    ]


def _choose_sizes(
    owners: list[NamedCompound | None],
    styles: list[str],
    wanted: int,
    shrink: float,
    random: Generator,
) -> Ints:
    """Return stairwells a compound, ``wanted`` in all."""
    bulk = {"walkup": 1.25, "midrise": 0.95, "highrise": 0.42}
    weights = np.array([bulk.get(style, 1.0) for style in styles])
    weights *= np.clip(random.lognormal(0, 0.42, len(styles)), 0.4, 2.4)
    fixed = np.array(
        [max(_LEAST_STAIRWELLS, round(o.stairwells * shrink)) if o else 0 for o in owners]
    )
    free = fixed == 0
    fixed[free] = apportion(wanted - int(fixed.sum()), weights[free], least=_LEAST_STAIRWELLS)
    return fixed


def _choose_names(
    owners: list[NamedCompound | None], styles: list[str], random: Generator
) -> list[str]:
    """Return a name for each compound, none twice: later ones of a name get a number."""
    words = load_words()
    firsts = words["compound_first"]
    used: dict[str, int] = {}
    names = []
    for owner, style in zip(owners, styles, strict=True):
        lasts = words["compound_last"][style]
        name = firsts[random.integers(len(firsts))] + lasts[random.integers(len(lasts))]
        while not owner and name in used and len(used) < len(firsts) * 3:
            name = firsts[random.integers(len(firsts))] + lasts[random.integers(len(lasts))]
        name = owner.name if owner else name
        used[name] = used.get(name, 0) + 1
        names.append(name if used[name] == 1 else f"{name}{used[name]}区")
    return names


def _compound(
    community: int,
    owner: NamedCompound | None,
    style: str,
    stairwells: int,
    name: str,
    shrink: float,
    random: Generator,
) -> CompoundPlan:
    """Return the plan of one compound; published figures hold from scale 1 on."""
    first_year, last_year = STYLES[style].years
    year: int | None = int(random.integers(first_year, last_year + 1))
    if random.random() < 0.04:
        year = None
    spare = float(np.interp(shrink, _SPARE_SCALES, _SPARES))
    facts = owner if shrink == 1.0 else None
    if facts is not None:
        spare = _SPARE_NAMED
    side_m = float(np.sqrt(stairwells * STYLES[style].ground_m2 * spare)) + _EDGE_M
    return CompoundPlan(
        community=community,
        name=name,
        style=style,
        built_year=owner.built_year if owner else year,
        stairwells=stairwells,
        buildings=facts.buildings if facts else None,
        households=facts.households if facts else None,
        chiefs=facts.building_chiefs if facts else None,
        societies=facts.societies if facts else None,
        net_m2=max(side_m, _LEAST_SIDE_M) ** 2,
        published=owner is not None,
    )


def _blocks(
    town: Town, compounds: tuple[CompoundPlan, ...], scale: float, random: Generator
) -> tuple[Block, ...]:
    """Return the compounds' blocks in order, then schools, markets, shops, then gardens, lake."""
    share_m = float(np.interp(scale, [0.2, 1], [_MAIN_STREET_SHARE_M, _STREET_SHARE_M]))

    def gross(net_m2: float) -> float:
        return float((np.sqrt(net_m2) + share_m) ** 2)

    blocks = [
        Block(plan.community, "compound", i, gross(plan.net_m2)) for i, plan in enumerate(compounds)
    ]
    uses = list(_OTHER_BLOCKS)
    others = []
    homes = np.bincount([compound.community for compound in compounds]).tolist()
    for index, count in enumerate(homes):
        start = int(random.integers(len(uses)))
        for turn in range(round(2 * scale) if count >= _OTHERS_FROM else 0):
            use = uses[(start + turn) % len(uses)]
            area = _OTHER_BLOCKS[use] * random.uniform(0.8, 1.3) * min(1.0, 0.5 + scale)
            others.append(Block(index, use, -1, gross(area)))
    lake = [community.name for community in town.communities].index(town.lake["community"])
    park_m2 = _LAKE_PARK_M2 * min(max(scale, 0.12), 1.0)
    others.append(Block(lake, "lake", -1, gross(park_m2)))
    return tuple(blocks + sorted(others, key=lambda block: _GREEN.get(block.use, 0)))


def areas(plan: TownPlan) -> Floats:
    """Return the gross area of each block, square metres."""
    return np.array([block.gross_m2 for block in plan.blocks])

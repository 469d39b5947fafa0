"""Kinds of housing: how its buildings are shaped, spaced and filled."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A kind of housing; lengths in metres.

    Attributes
    ----------
    kind
        ``slab`` or ``tower``, as in the buildings frame.
    profile
        Outline of one stairwell's unit, see `geodata.sample.footprints`.
    levels
        Least and most storeys.
    unit_width_m, depth_m
        Least and most, along and across the building.
    units
        Stairwells a building, and how often (weights).
    side_gap_m
        Least and most between neighbours of a row.
    sunlight
        Clear distance between rows as a share of the height of the southern one.
    flats_per_level
        Households a storey of one stairwell, and how often (weights).
    ground_m2
        Compound area that one stairwell takes, ways included, the compound's edge not.
    thinning
        ``garden`` clears a middle, ``anywhere`` clears odd places, where there is room to spare.
    years
        First and last year of building.
    """

    kind: str
    profile: str
    levels: tuple[int, int]
    unit_width_m: tuple[float, float]
    depth_m: tuple[float, float]
    units: dict[int, float]
    side_gap_m: tuple[float, float]
    sunlight: float
    flats_per_level: dict[int, float]
    ground_m2: float
    thinning: str
    years: tuple[int, int]


LEVEL_HEIGHT_M = 3.0

STYLES = {
    "walkup": Style(
        kind="slab",
        profile="plain",
        levels=(6, 8),
        unit_width_m=(16, 20),
        depth_m=(11.5, 13),
        units={2: 0.22, 3: 0.33, 4: 0.26, 5: 0.12, 6: 0.07},
        side_gap_m=(6, 11),
        sunlight=1.0,
        flats_per_level={2: 1},
        ground_m2=1000,
        thinning="anywhere",
        years=(1985, 2003),
    ),
    "midrise": Style(
        kind="slab",
        profile="bay",
        levels=(11, 14),
        unit_width_m=(21, 25),
        depth_m=(13, 15),
        units={2: 0.42, 3: 0.40, 4: 0.18},
        side_gap_m=(10, 16),
        sunlight=1.0,
        flats_per_level={2: 1},
        ground_m2=1790,
        thinning="garden",
        years=(2000, 2014),
    ),
    "highrise": Style(
        kind="tower",
        profile="cross",
        levels=(18, 32),
        unit_width_m=(23, 27),
        depth_m=(22, 26),
        units={1: 0.72, 2: 0.28},
        side_gap_m=(18, 28),
        sunlight=0.62,
        flats_per_level={4: 0.62, 6: 0.28, 8: 0.10},
        ground_m2=3100,
        thinning="garden",
        years=(2005, 2019),
    ),
    "twin_tower": Style(
        kind="tower",
        profile="cross",
        levels=(26, 32),
        unit_width_m=(18, 21),
        depth_m=(18, 21),
        units={2: 1},
        side_gap_m=(18, 26),
        sunlight=0.62,
        flats_per_level={2: 1},
        ground_m2=2600,
        thinning="garden",
        years=(2008, 2016),
    ),
}

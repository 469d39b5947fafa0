"""What an import read, used and left out, in words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from geopandas import GeoDataFrame
from pandas import Series

from geodata.compounds import CompoundPlan
from geodata.osm.extract import Extract
from geodata.osm.homes import USED

BUILDINGS = "building outlines"
WAYS = "highways"


@dataclass(frozen=True)
class KindCount:
    """The balance of one kind of object: what was read is used or left out.

    Attributes
    ----------
    kind
        What is counted.
    read, used
        Number of objects.
    left_out
        Number of objects by reason; with ``used`` they add up to ``read``.
    """

    kind: str
    read: int
    used: int
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class ImportReport:
    """The balance of an import.

    Attributes
    ----------
    counts
        One entry a kind of object read.
    made
        Number of rows made, by frame of the territory.
    notes
        Sentences on what was estimated, derived or mended.
    """

    counts: tuple[KindCount, ...]
    made: Mapping[str, int]
    notes: tuple[str, ...]


def building_count(extract: Extract, reasons: Series) -> KindCount:
    """Balance the outlines of buildings; an object without an outline counts as one."""
    return _balance(BUILDINGS, reasons, extract.lost_buildings)


def way_count(extract: Extract, reasons: Series) -> KindCount:
    """Balance the highways; one that lacks nodes counts each unbroken part."""
    return _balance(WAYS, reasons, extract.lost_ways)


def notes_on(
    extract: Extract, homes: GeoDataFrame, plan: CompoundPlan, stairwells: GeoDataFrame
) -> tuple[str, ...]:
    """Say in sentences what was estimated, derived or mended; the CRS does not matter."""
    blocks = int((plan.compounds["source"] == "block").sum())
    ways = stairwells.drop_duplicates("building_code")["split_by"].value_counts()
    no_levels = int(homes["levels"].isna().sum())
    courtyards = int((homes["hole_count"] > 0).sum())
    numbered = int(homes["house_number"].notna().sum())
    estimated = (
        "Household counts are estimated: two homes a level and stairwell, one in a house "
        "(tagged so, or under 200 m² without levels)."
    )
    split = (
        f"Buildings cut at entrances: {ways.get('entrances', 0)}; into slices by length: "
        f"{ways.get('length', 0)}; with one stairwell: {ways.get('whole', 0)}."
    )
    mended = f"{extract.repaired_count} outlines crossed themselves; their largest part is used."
    said = [
        (1, estimated),
        (no_levels, f"{no_levels} of {len(homes)} buildings have no levels; flats count six."),
        (1, f"Compounds: {len(plan.compounds) - blocks} by name, {blocks} blocks between streets."),
        (len(homes) - numbered, f"{len(homes) - numbered} buildings have no house number."),
        (1, split),
        (courtyards, f"{courtyards} buildings have courtyards, which count as their ground."),
        (extract.repaired_count, mended),
    ]
    return tuple(sentence for count, sentence in said if count)


def _balance(kind: str, reasons: Series, lost: Mapping[str, int]) -> KindCount:
    """Balance rows, whose reason is empty where they are used, and objects that made no row."""
    left_out = Counter(reasons[reasons != USED].tolist()) + Counter(lost)
    used = int((reasons == USED).sum())
    return KindCount(kind, used + left_out.total(), used, dict(left_out.most_common()))

"""Turn an OpenStreetMap extract into a territory."""

from dataclasses import dataclass
from pathlib import Path

from geodata.codes import COMMUNITY_DIGITS, is_grid_code, street_of
from geodata.errors import InvalidParameterError, NoResidentialBuildingError
from geodata.osm.extract import Box, Extract, read_extract
from geodata.osm.footprints import robust_box
from geodata.osm.frames import (
    building_frame,
    choose_homes,
    community_frame,
    plan_compounds,
    stairwell_frame,
    walkway_frame,
)
from geodata.osm.report import ImportReport, building_count, notes_on, way_count
from geodata.progress import Progress, silent
from geodata.territory import Territory

ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"


@dataclass(frozen=True)
class OsmTerritory:
    """A territory read from OpenStreetMap, and the balance of reading it.

    What is made of an extract is (c) OpenStreetMap contributors, ODbL 1.0: say so where it shows.
    """

    territory: Territory
    report: ImportReport


def read_territory(
    path: Path,
    *,
    community_code: int,
    community_name: str,
    street_name: str | None = None,
    bbox: Box | None = None,
    progress: Progress | None = None,
) -> OsmTerritory:
    """Read an OpenStreetMap extract as the territory of one community.

    The community's outline is the box of the extract (``bbox``, else the box in the file's header,
    else a box round its buildings), with a bulge where a building stands across its edge: a planner
    asked for that piece of the map, and a hull would draw a border that no office knows. Replace it
    by the true outline where there is one.

    Parameters
    ----------
    path
        A file in PBF form.
    community_code
        12 digits; the sub-district's code follows from it.
    community_name, street_name
        Names; without ``street_name`` the sub-district is called by its nine digits.
    bbox
        West, south, east, north, degrees, EPSG:4326.
    progress
        Told of each stage, and of the footprints split.

    Returns
    -------
    OsmTerritory
        Every frame EPSG:4326 and by code; household counts are estimates, as the report says.

    Raises
    ------
    UnreadableFileError
        The file is absent, or not a whole extract in PBF form.
    InvalidParameterError
        The code is not of a community, or the box has no area.
    NoResidentialBuildingError
        Nothing to make a territory of.
    SequenceOverflowError
        More compounds, buildings or stairwells under one parent than codes have room for.
    """
    _check(community_code, bbox)
    report = progress or silent
    report("extract", 0, 1)
    extract = read_extract(path)
    report("extract", 1, 1)
    if extract.buildings.empty:
        raise NoResidentialBuildingError(path, 0)
    box, box_note = _box(extract, bbox)
    homes, reasons = choose_homes(extract, box=box)
    if homes.empty:
        raise NoResidentialBuildingError(path, len(reasons))
    community = community_frame(community_code, community_name, box=box, footprints=homes.geometry)
    report("compounds", 0, 1)
    plan = plan_compounds(extract, homes, community)
    report("compounds", 1, 1)
    buildings = building_frame(homes, plan, community_code=community_code)
    stairwells = stairwell_frame(homes, buildings, extract.entrances, progress=progress)
    report("walkways", 0, 1)
    walkways, way_reasons = walkway_frame(extract, community)
    report("walkways", 1, 1)
    street_code = street_of(community_code)
    territory = Territory(
        street_code=street_code,
        street_name=street_name or f"街道 {street_code // 1000}",
        communities=community,
        compounds=plan.compounds.drop(columns="source"),
        buildings=buildings.sort_values("code", ignore_index=True),
        stairwells=stairwells.drop(columns="split_by"),
        walkways=walkways,
        attribution=ATTRIBUTION,
    )
    balance = ImportReport(
        counts=(building_count(extract, reasons), way_count(extract, way_reasons)),
        made=_made(territory),
        notes=(box_note, *notes_on(extract, homes, plan, stairwells)),
    )
    return OsmTerritory(territory, balance)


def _check(community_code: int, bbox: Box | None) -> None:
    """Refuse a code that is no community's, and a box without area."""
    text = str(community_code)
    if not is_grid_code(text, digits=COMMUNITY_DIGITS) or text.endswith("000"):
        rule = "the 12 digits of a community, not ending in 000 (that is a sub-district)"
        raise InvalidParameterError("community_code", community_code, rule)
    if bbox is None:
        return
    west, south, east, north = bbox
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        rule = "west, south, east, north in degrees, west of east and south of north"
        raise InvalidParameterError("bbox", bbox, rule)


def _box(extract: Extract, bbox: Box | None) -> tuple[Box, str]:
    """Return the box to keep to, and a sentence on where it comes from."""
    if bbox is not None:
        box, source = bbox, "as asked for"
    elif extract.box is not None:
        box, source = extract.box, "as the file's header names it"
    else:
        box, source = (
            robust_box(extract.buildings),
            "100 m round the buildings, for want of another",
        )
    edges = ", ".join(f"{edge:.4f}" for edge in box)
    return box, f"The community's outline is the box {edges}, {source}; it is no official border."


def _made(territory: Territory) -> dict[str, int]:
    """Count the rows of each frame."""
    return {
        "compounds": len(territory.compounds),
        "buildings": len(territory.buildings),
        "stairwells": len(territory.stairwells),
        "walkways": len(territory.walkways),
    }

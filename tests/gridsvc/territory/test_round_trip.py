"""What is exported, imported into an empty database and exported again is the same."""

from pathlib import Path

import pytest
from geopandas import GeoDataFrame

from geodata.files import read_layer
from geodata.territory import Territory
from geodata.writers.formats import FORMATS
from geodata.writers.target import parse_target
from gridsvc.db import Interval, Scope
from gridsvc.incidents import service as incidents
from gridsvc.overview import exports
from gridsvc.overview.exports import Export
from gridsvc.territory import service as territory
from gridsvc.territory.importing import service as importing
from gridsvc.territory.importing.model import Decision, FileWish, Layer
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

JOB = Scope("job", (Interval.of(town.STREET),))
POLYGONS: tuple[Layer, ...] = ("compounds", "buildings", "stairwells")
# What nobody can read from the file: CSV names no CRS, and GeoJSON no shift that importers trust.
DECLARED = {("csv", "4326"): "EPSG:4326", ("geojson", "gcj02"): "gcj02"}


def export(clone: Clone, folder: Path, form: str, crs: str) -> dict[Layer, Path]:
    """Export every layer of polygons."""
    made: dict[Layer, Path] = {}
    for layer in POLYGONS:
        wanted = Export(layer, FORMATS[form], target=parse_target(crs))
        made[layer] = folder / wanted.file_name
        with clone.job.session(JOB, read_only=True) as session:
            exports.check(session, wanted)
            if wanted.format.write is not None:
                exports.write_file(session, wanted, made[layer])
            else:
                texts = exports.stream_text(session, wanted)
                made[layer].write_bytes(b"".join(_bytes(text) for text in texts))
    return made


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def only_communities(whole: Territory) -> Territory:
    return Territory(
        whole.street_code,
        whole.street_name,
        communities=whole.communities,
        compounds=whole.compounds.iloc[:0],
        buildings=whole.buildings.iloc[:0],
        stairwells=whole.stairwells.iloc[:0],
        walkways=whole.walkways.iloc[:0],
    )


def told(path: Path, crs: str | None) -> GeoDataFrame:
    """Read a file as the importer does; a count that is not told comes back as none."""
    frame = read_layer(path, crs=crs).frame.drop(columns="row")
    renamed = frame.rename(columns={"households": "household_count"})
    if "household_count" in renamed:
        counts = renamed["household_count"].astype("float").fillna(0)
        renamed["household_count"] = counts
    return renamed.sort_values("code", ignore_index=True)


@pytest.mark.parametrize(
    ("form", "crs"),
    [
        *(
            (form, "4326")
            for form in ("geojson", "geojsons", "gpkg", "fgb", "parquet", "shp", "csv")
        ),
        ("gpkg", "4547"),
        ("gpkg", "gcj02"),
        ("fgb", "bd09"),
        ("geojson", "gcj02"),
    ],
)
def test_a_round_trip_gives_the_same_features(
    town_database: Clone, database: Clone, tmp_path: Path, form: str, crs: str
) -> None:
    first_folder, second_folder = tmp_path / "first", tmp_path / "second"
    first_folder.mkdir()
    second_folder.mkdir()
    first = export(town_database, first_folder, form, crs)
    with database.job.session(JOB) as session, session.begin():
        incidents.apply_catalogue(session)
        territory.load(session, only_communities(town.make_territory()))
    declared = DECLARED.get((form, crs))
    for layer, path in first.items():
        wish = FileWish(path, layer, town.STREET, town.FIRST_DAY, crs=declared)
        staged = importing.stage(database.job, JOB, wish)
        with database.job.session(JOB) as session, session.begin():
            done = importing.apply(session, staged.id, Decision(frozenset({"all"})))
        assert done.applied.added == town_database.count(layer.removesuffix("s"))
    second = export(database, second_folder, form, crs)
    for layer in POLYGONS:
        before, after = told(first[layer], declared), told(second[layer], declared)
        assert list(before["code"]) == list(after["code"])
        assert before.geometry.geom_equals_exact(after.geometry, 1e-7, align=False).all()
        facts = [name for name in before.columns if name != "geometry"]
        if layer == "compounds":  # its households are those of the stairwells that were told
            facts = [name for name in facts if name != "household_count"]
        left, right = before[facts].astype("str"), after[facts].astype("str")
        assert left.equals(right), left.compare(right)

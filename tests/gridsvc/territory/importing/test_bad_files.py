"""Bad files: each gives a report that names row and kind, or a clear error; never a traceback."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, affinity, box

from geodata.errors import GeodataError
from geodata.offsets import gcj02_from_wgs84
from gridsvc.territory.importing import service
from gridsvc.territory.importing.findings import Findings
from gridsvc.territory.importing.source import read_source
from tests import town
from tests.databases import Clone
from tests.gridsvc.territory.importing.files import Row, geojson, job, wish

pytestmark = pytest.mark.db

A = town.EAST_SHORE
FREE = town.rectangle(A, (4, 12), (5, 4))
BUILDING = f"{town.compound_code(A)}001"


def look(town_database: Clone, path: Path, **more: Any) -> Findings:
    asked = wish(path, "buildings", **more)
    source = read_source(asked)
    with town_database.job.session(job(), read_only=True) as session:
        return service.preview(session, asked, source)


def flipped() -> Polygon:
    return Polygon([(lat, lon) for lon, lat in FREE.exterior.coords])


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        ([({"name": "x"}, None)], {"missing-geometry"}),
        ([({"name": "x"}, Polygon())], {"missing-geometry"}),
        ([({"name": "x"}, Point(town.place(A, 5, 12)))], {"not-a-polygon"}),
        ([({"name": "x"}, LineString([(113, 23), (113.1, 23.1)]))], {"not-a-polygon"}),
        ([({"name": "x"}, flipped())], {"swapped-axes"}),
        ([({"name": "x"}, affinity.scale(FREE, 1, -1, origin=(0, 0)))], {"wrong-hemisphere"}),
        ([({"name": "x"}, box(179.9, 23, 181, 23.1))], {"antimeridian"}),
        (
            [({"name": "x"}, box(5e5, 2e6, 5e5 + 9, 2e6 + 9))],
            {"impossible-coordinates"},
        ),
        ([({"name": "x"}, box(-179.9, 23, 179.9, 23.1))], {"antimeridian"}),
        ([({"name": "x"}, FREE), ({"name": "y"}, FREE)], {"duplicate"}),
        (
            [({"name": "x"}, FREE), ({"name": "y"}, affinity.translate(FREE, 2e-4, 0))],
            {"overlap"},
        ),
        ([({"name": "x"}, town.rectangle(A, (4, 6), (5, 4)))], {"overlap"}),
        ([({"name": "x"}, town.rectangle(A, (15, 12), (9, 4)))], {"outside-parent"}),
        ([({"name": "x", "小区编码": "440605011001009"}, FREE)], {"unknown-parent"}),
        ([({"name": "x", "code": "12"}, FREE)], {"malformed-code"}),
        ([({"name": "x", "code": "440605011002001003"}, FREE)], {"code-of-other-parent"}),
        (
            [
                ({"name": "x", "code": f"{BUILDING[:-1]}3"}, FREE),
                ({"name": "y", "code": f"{BUILDING[:-1]}3"}, affinity.translate(FREE, 6e-4, 0)),
            ],
            {"duplicate-code"},
        ),
        ([({"name": None}, FREE)], {"missing-name"}),
        ([({"name": "x", "levels": "很多"}, FREE)], {"unreadable-value"}),
        ([({"name": "x", "levels": 40_000}, FREE)], {"unreadable-value"}),
        (
            [({"name": "x"}, MultiPolygon([FREE, affinity.translate(FREE, 6e-4, 0)]))],
            {"several-parts"},
        ),
    ],
)
def test_a_fault_is_an_error_of_its_kind(
    town_database: Clone, tmp_path: Path, rows: list[Row], kinds: set[str]
) -> None:
    findings = look(town_database, geojson(tmp_path / "bad.geojson", rows))
    assert kinds <= set(findings.errors), findings.faults["reason"].tolist()
    rejected = findings.rejected({"all"})
    assert set(rejected["row"]) <= set(range(1, len(rows) + 1))
    assert len(rejected)


def test_an_undeclared_shift_is_suspected(town_database: Clone, tmp_path: Path) -> None:
    shifted = []
    for building in town.make_territory().buildings.geometry:
        lons, lats = shapely.get_coordinates(building).T
        moved = gcj02_from_wgs84(lon=list(lons), lat=list(lats))
        shifted.append(({"name": "x"}, Polygon(zip(*moved, strict=True))))
    findings = look(town_database, geojson(tmp_path / "trace.geojson", shifted))
    assert findings.refused({"all"})
    declared = look(town_database, tmp_path / "trace.geojson", crs="gcj02")
    assert declared.outcomes()["same"] >= 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.geojson", b""),
        ("broken.geojson", b'{"type": "FeatureCollection", "features": ['),
        ("list.geojson", b"[1, 2]"),
        ("text.gpkg", b"nothing of the kind"),
        ("text.fgb", b"nothing of the kind"),
        ("text.parquet", b"PAR1 nothing of the kind"),
        ("text.kml", b"<kml><Placemark></kml>"),
        ("text.dxf", b"0\nSECTION\n"),
        ("text.zip", b"PK nothing"),
        ("text.shp", b"nothing"),
        ("noname.csv", b"a,b\n1,2\n"),
        ("latin.csv", "name,WKT\né,POINT(1 2)\n".encode("latin-1")),
        ("nul.csv", b"name,WKT\n\x00\x00,\x00\n"),
        ("script.exe", b"MZ"),
        ("..", b""),
    ],
)
def test_what_is_no_layer_is_one_sentence(
    town_database: Clone, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    if name != "..":
        path.write_bytes(content)
    with pytest.raises(GeodataError) as raised:
        look(town_database, path, crs="EPSG:4326" if name.endswith(".csv") else None)
    assert str(raised.value).endswith((".", "?", ")"))
    assert str(tmp_path.parent) not in str(raised.value)


def test_a_bomb_is_not_unpacked(town_database: Clone, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * 50_000_000)
    with pytest.raises(GeodataError):
        look(town_database, path)


def test_zeros_and_halves_of_characters_in_texts_do_no_harm(
    own_town: Clone, tmp_path: Path
) -> None:
    path = geojson(tmp_path / "odd.geojson", [({"name": "x"}, FREE)])
    document = json.loads(path.read_text())
    document["features"][0]["properties"]["name"] = "a\u0000b\ud800c"
    path.write_text(json.dumps(document))
    try:
        found = service.stage(own_town.job, job(), wish(path, "buildings"))
    except GeodataError:
        return
    assert found.status == "staged"


def test_a_file_without_rows_is_applied_to_no_effect(own_town: Clone, tmp_path: Path) -> None:
    path = geojson(tmp_path / "none.geojson", [])
    try:
        findings = look(own_town, path)
    except GeodataError:
        return
    assert findings.outcomes() == {"added": 0, "changed": 0, "same": 0, "rejected": 0}

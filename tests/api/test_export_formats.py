"""Exports in every format hold the features of the GeoJSON export, and nobody's personal data."""

import csv
import io
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from httpx2 import Response
from python_calamine import CalamineWorkbook
from shapely.geometry.base import BaseGeometry

from geodata.writers.formats import FORMATS
from geodata.writers.target import parse_target
from gridsvc.overview.export_layers import LAYERS, STAFF_LAYERS
from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
MAPS = ("gpkg", "fgb", "parquet", "shp")
MARKED = (
    *("甲", "1540000", "154****", "party", "第0件", "第1件", "affiliation", "member_id"),
    str(town.id_of("member", A, 0)),
    str(town.ACCOUNT),
)
SHORT = {field.short: field.name for layer in LAYERS.values() for field in layer.fields}
Record = dict[str, Any]


def get(service: Service, name: str, role: str = "coordinator", code: int = STREET) -> Response:
    answer = service.caller(role, code).get(f"/api/v1/export/{name}")
    assert answer.status_code == 200, answer.text
    return answer


def features(service: Service, layer: str) -> list[tuple[Record, BaseGeometry]]:
    """Return properties and geometry of the GeoJSON export, ordered by their id."""
    found = get(service, f"{layer}.geojson").json()["features"]
    assert found
    id_name = LAYERS[layer].fields[0].name
    rows = [(one["properties"], shapely.from_geojson(json.dumps(one["geometry"]))) for one in found]
    return sorted(rows, key=lambda row: str(row[0][id_name]))


def opened(answer: Response, folder: Path, name: str) -> geopandas.GeoDataFrame:
    path = folder / name
    path.write_bytes(answer.content)
    if path.suffix == ".parquet":
        return geopandas.read_parquet(path)
    source = f"/vsizip/{path}" if path.suffix == ".zip" else path
    found: geopandas.GeoDataFrame = pyogrio.read_dataframe(source)
    return found


def records_of(rows: geopandas.GeoDataFrame) -> list[Record]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def same_place(shape: BaseGeometry, geometry: BaseGeometry) -> None:
    """Hold a geometry against that of the GeoJSON; a Shapefile knows no multipolygon of one."""
    if isinstance(geometry, shapely.MultiPolygon) and shape.geom_type == "Polygon":
        (geometry,) = geometry.geoms
    assert shape.geom_type == geometry.geom_type
    if shape.geom_type != "LineString":  # which has a direction
        shape, geometry = shapely.normalize(shape), shapely.normalize(geometry)
    assert shape.equals_exact(geometry, 1e-7)


def plain(value: Any) -> Any:
    """Return a value as GeoJSON has it: instants in UTC, days as text, nothing as None."""
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat() if value.tzinfo else value.date().isoformat()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def without_instants(layer: str, record: Record) -> Record:
    instants = {field.name for field in LAYERS[layer].fields if field.kind == "instant"}
    return {name: value for name, value in record.items() if name not in instants}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", MAPS)
def test_a_map_file_has_the_features_of_the_geojson(
    service: Service, tmp_path: Path, layer: str, name: str
) -> None:
    expected = features(service, layer)
    file_name = f"{layer}{FORMATS[name].suffix}"
    rows = opened(get(service, f"{layer}.{name}"), tmp_path, file_name).rename(columns=SHORT)
    rows = rows.sort_values(LAYERS[layer].fields[0].name, key=lambda ids: ids.astype(str))
    assert rows.crs == "EPSG:4326"
    assert len(rows) == len(expected)
    for record, (properties, geometry) in zip(records_of(rows), expected, strict=True):
        same_place(record.pop("geometry"), geometry)
        found = {key: plain(value) for key, value in record.items()}
        if name == "shp":  # DBF knows neither instants nor empty text
            properties = without_instants(
                layer, {k: None if v == "" else v for k, v in properties.items()}
            )
            found = {key: value for key, value in found.items() if key in properties}
            found = {
                key: bool(value) if isinstance(properties[key], bool) else value
                for key, value in found.items()
            }
        assert found == properties


def test_instants_of_a_shapefile_are_those_of_china(service: Service, tmp_path: Path) -> None:
    expected = features(service, "incidents")
    rows = opened(get(service, "incidents.shp"), tmp_path, "x.shp.zip").sort_values("id")
    for record, (properties, _) in zip(rows.to_dict("records"), expected, strict=True):
        told = pd.Timestamp(record["report_at"])
        assert told == pd.Timestamp(properties["reported_at"])
        assert told.utcoffset() == pd.Timedelta(hours=8)
        assert record["report_on"].date() == told.date()


@pytest.mark.parametrize("layer", LAYERS)
def test_tables_have_the_rows_of_the_geojson(service: Service, tmp_path: Path, layer: str) -> None:
    expected = features(service, layer)
    id_name = LAYERS[layer].fields[0].name
    text = get(service, f"{layer}.csv").content.decode("utf-8-sig")
    rows = [
        {name: re.sub(r'^="(.*)"$', r"\1", cell) for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]
    (tmp_path / "x.xlsx").write_bytes(get(service, f"{layer}.xlsx").content)
    table = CalamineWorkbook.from_path(tmp_path / "x.xlsx").get_sheet_by_index(0).to_python()
    sheet: list[Record] = [dict(zip(map(str, table[0]), row, strict=True)) for row in table[1:]]
    codes = [f.name for f in LAYERS[layer].fields if f.kind in {"code", "area_code"}]
    numbers = [f.name for f in LAYERS[layer].fields if f.kind == "integer"]
    rows.sort(key=lambda row: row[id_name])
    sheet.sort(key=lambda row: str(row[id_name]))
    for row, cells, (properties, geometry) in zip(rows, sheet, expected, strict=True):
        assert shapely.from_wkt(row.pop("wkt")).equals_exact(
            geometry, 1e-7, normalize=layer != "walkways"
        )
        assert row == {name: as_cell(value) for name, value in properties.items()}
        assert geometry.intersects(point_of(cells).buffer(1e-7))
        for name in codes:
            assert cells[name] == ("" if properties[name] is None else str(properties[name]))
        for name in numbers:
            assert cells[name] == ("" if properties[name] is None else properties[name])


def point_of(cells: Record) -> shapely.Point:
    return shapely.Point(cells["lon"], cells["lat"])


def as_cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_text_sequence_is_the_collection_record_by_record(service: Service, layer: str) -> None:
    answer = get(service, f"{layer}.geojsons")
    assert answer.headers["content-type"] == "application/geo+json-seq"
    records = answer.text.split("\x1e")[1:]
    assert all(record.endswith("\n") for record in records)
    whole = get(service, f"{layer}.geojson").json()["features"]
    assert [json.loads(record) for record in records] == whole


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="GDAL's programs are not installed")
@pytest.mark.parametrize("name", ["geojson", "geojsons", "csv", "gpkg", "fgb", "shp"])
def test_ogr2ogr_reads_every_format(service: Service, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"stairwells{FORMATS[name].suffix}"
    path.write_bytes(get(service, f"stairwells.{name}").content)
    source = f"/vsizip/{path}" if name == "shp" else str(path)
    made = tmp_path / "made.geojson"
    options = ["-oo", "GEOM_POSSIBLE_NAMES=wkt"] if name == "csv" else []
    said = subprocess.run(  # noqa: S603
        ["ogr2ogr", "-f", "GeoJSON", str(made), source, *options],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == ""
    found = json.loads(made.read_text(encoding="utf-8"))["features"]
    assert len(found) == 24
    assert {one["properties"]["name"] for one in found} == {"1梯", "2梯", "3梯"}
    assert all(one["geometry"]["type"] == "Polygon" for one in found)


@pytest.mark.parametrize("role", ["coordinator", "planner"])
@pytest.mark.parametrize("layer", LAYERS)
def test_no_format_holds_personal_data(service: Service, layer: str, role: str) -> None:
    for name in FORMATS:
        answer = service.caller(role, STREET).get(f"/api/v1/export/{layer}.{name}")
        if role == "planner" and layer in STAFF_LAYERS:
            assert is_problem(answer, 403, "role-not-allowed")
            continue
        assert answer.status_code == 200
        for content in unpacked(answer.content):
            for word in MARKED:
                assert word.encode() not in content, (name, word)


def unpacked(content: bytes) -> list[bytes]:
    """Return a file, or what is in it where it is a zip."""
    if not content.startswith(b"PK"):
        return [content]
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return [file.read(name) for name in file.namelist()]


def test_the_words_that_are_looked_for_would_be_found(service: Service) -> None:
    with service.clone.root.connect() as connection:
        for table in ("member_identity", "incident", "member_affiliation"):
            rows = connection.exec_driver_sql(
                f"SELECT string_agg(to_jsonb(t)::text, '') FROM gridsvc.{table} t"  # noqa: S608
            ).scalar_one()
            assert any(word in rows for word in MARKED), table


def test_counts_are_told_alike_to_everybody_and_by_the_rule(service: Service) -> None:
    told = {}
    for role in ("planner", "coordinator", "administrator"):
        found = get(service, "stairwells.geojson", role, A).json()["features"]
        told[role] = [one["properties"]["household_count"] for one in found]
    assert told["planner"] == told["coordinator"] == told["administrator"]
    assert {count for count in told["planner"] if count is not None} == {30}
    assert service.clone.count("stairwell", f"community_code = {A} AND household_count = 4") == 4


def test_heat_is_the_release_for_staff_as_for_planners(service: Service) -> None:
    staff = get(service, "heat.geojson").json()
    assert staff == get(service, "heat.geojson", "planner").json()
    released = get_heat(service)
    assert [
        (one["properties"]["x"], one["properties"]["y"], one["properties"]["incident_count"])
        for one in staff["features"]
    ] == released
    assert min(count for *_, count in released) >= 5
    assert {one["properties"]["through"] for one in staff["features"]} == {"2020-06-01"}


def get_heat(service: Service) -> list[tuple[int, int, int]]:
    body = service.caller("planner", STREET).get("/api/v1/heat").json()
    own = (feature["properties"] for feature in body["features"])
    return [(one["x"], one["y"], one["incident_count"]) for one in own]


def test_coverage_tells_states_and_nothing_of_the_party(service: Service) -> None:
    found = get(service, "coverage.geojson").json()["features"]
    states = {one["properties"]["state"] for one in found}
    assert states <= {"covered", "uncovered", "overloaded"}
    assert "covered" in states
    counted = service.caller("coordinator", STREET).get("/api/v1/contacts/coverage").json()
    told = [one["properties"]["state"] for one in found]
    assert told.count("uncovered") == counted["uncovered"]


# ---- coordinates


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.startswith("geojson")])
def test_another_crs_is_in_the_name_of_the_file(service: Service, name: str) -> None:
    answer = get(service, f"stairwells.{name}?crs=epsg:4547")
    file_name = f"stairwells.epsg4547{FORMATS[name].suffix}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{file_name}"'
    refused = service.caller("planner", STREET).get(f"/api/v1/export/stairwells.{name}?crs=4979")
    assert is_problem(refused, 422, "unknown-crs")


@pytest.mark.parametrize("name", ["geojson", "geojsons"])
def test_geojson_in_a_projection_is_refused(service: Service, name: str) -> None:
    answer = service.caller("planner", STREET).get(f"/api/v1/export/stairwells.{name}?crs=4547")
    assert is_problem(answer, 422, "format-crs")


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_shifted_geojson_says_so_in_name_and_file(service: Service, crs: str) -> None:
    answer = get(service, f"stairwells.geojson?crs={crs}")
    assert f'filename="stairwells.{crs}.geojson"' in answer.headers["content-disposition"]
    body = answer.json()
    assert body["coordinates_are"] == {"gcj02": "GCJ-02", "bd09": "BD-09"}[crs]
    plainly = get(service, "stairwells.geojson").json()["features"]
    for one, unshifted in zip(body["features"], plainly, strict=True):
        assert one["properties"] == unshifted["properties"]
        shape, base = (shapely.from_geojson(json.dumps(f["geometry"])) for f in (one, unshifted))
        (moved,) = parse_target(crs).apply(np.array([base]))
        assert shape.equals_exact(moved, 2e-7, normalize=True)


def test_a_metric_file_comes_back_to_the_same_degrees(service: Service, tmp_path: Path) -> None:
    answer = get(service, "compounds.gpkg?crs=EPSG:4547")
    rows = opened(answer, tmp_path, "c.gpkg")
    assert rows.crs == "EPSG:4547"
    back = rows.to_crs(4326).sort_values("code")
    for shape, (_, geometry) in zip(back.geometry, features(service, "compounds"), strict=True):
        assert shapely.normalize(shape).equals_exact(shapely.normalize(geometry), 2e-7)

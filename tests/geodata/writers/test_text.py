"""CSV for spreadsheets and GeoJSON of rows, right for Excel and for parsers."""

import csv
import io
import json
import re

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.writers.target import STORED, parse_target
from geodata.writers.text import (
    csv_text,
    feature_collection,
    feature_sequence,
    geojson_features,
    text_cell,
)
from tests.geodata.writers.gates import COMMUNITY, GATES, NAMES, batches, square


def table(crs: str = "4326", count: int = 6) -> list[dict[str, str]]:
    text = "".join(csv_text(GATES, batches(count), target=parse_target(crs)))
    assert text.startswith("\ufeff"), "by which Excel knows UTF-8"
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_csv_has_every_row_and_its_geometry() -> None:
    rows = table()
    assert [row["household_count"] for row in rows] == ["20", "", "22", "", "24", ""]
    assert [row["is_open"] for row in rows] == ["true", "", "false", "", "true", ""]
    assert rows[0]["built_on"] == "2006-02-28"
    assert rows[0]["checked_at"] == "2020-05-04T20:30:15+00:00"
    for number, row in enumerate(rows):
        assert shapely.from_wkt(row["wkt"]).equals_exact(square(number), 1e-7)


def test_codes_are_formulas_of_text_with_every_digit() -> None:
    row = table()[3]
    assert row["code"] == f'="{COMMUNITY}00000003"'
    assert row["community_code"] == f'="{COMMUNITY}"'


def test_nothing_else_is_a_formula() -> None:
    text = "".join(csv_text(GATES, batches(), target=STORED)).removeprefix("\ufeff")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    formulas = [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert formulas
    assert all(re.fullmatch(r'="[0-9]{12,20}"', cell) for cell in formulas)
    assert [row["name"] for row in table()] == [
        f"'{name}" if name[0] in "=-@" else name for name in NAMES
    ]


@given(st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_text_begins_as_a_formula_does(text: str) -> None:
    cell = text_cell(text)
    assert cell is not None
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell in {text, f"'{text}"}


@pytest.mark.parametrize(
    ("crs", "column", "decimals"), [("4547", "wkt_epsg4547", 3), ("gcj02", "wkt_gcj02", 7)]
)
def test_the_column_of_a_geometry_tells_its_coordinates(
    crs: str, column: str, decimals: int
) -> None:
    row = table(crs)[0]
    assert "wkt" not in row
    (moved,) = parse_target(crs).apply(np.array([square(0)]))
    assert shapely.from_wkt(row[column]).equals_exact(moved, 10**-decimals)


def test_no_rows_are_a_header() -> None:
    assert table(count=0) == []
    text = "".join(csv_text(GATES, batches(0), target=STORED))
    assert text.count("\r\n") == 1


def test_features_of_rows_are_the_rows() -> None:
    features = geojson_features(GATES, batches(), target=STORED)
    found = json.loads("".join(feature_collection(features, target=STORED)))
    assert set(found) == {"type", "features"}
    assert [one["properties"]["name"] for one in found["features"]] == list(NAMES)
    first = found["features"][0]
    assert first["id"] == first["properties"]["code"] == f"{COMMUNITY}00000000"
    assert first["properties"]["community_code"] == COMMUNITY
    outline = shapely.from_geojson(json.dumps(first["geometry"]))
    assert outline.equals_exact(square(0), 1e-7)
    assert isinstance(outline, shapely.Polygon)
    assert shapely.is_ccw(outline.exterior)


def test_shifted_features_say_so_before_the_first_and_in_each() -> None:
    target = parse_target("gcj02")
    features = list(geojson_features(GATES, batches(), target=target))
    text = "".join(feature_collection(iter(features), target=target))
    assert text.index("GCJ-02") < text.index('"features"')
    found = json.loads(text)
    assert found["coordinates_are"] == "GCJ-02"
    assert "WGS 84" in found["crs_note"]
    assert {json.loads(feature)["coordinates_are"] for feature in features} == {"GCJ-02"}
    moved = shapely.from_geojson(json.dumps(found["features"][0]["geometry"]))
    assert 200 < moved.centroid.distance(square(0).centroid) * 111_000 < 900


def test_a_sequence_is_a_record_a_feature() -> None:
    features = list(geojson_features(GATES, batches(), target=STORED))
    text = "".join(feature_sequence(iter(features)))
    records = text.split("\x1e")
    assert records[0] == ""
    assert all(record.endswith("\n") for record in records[1:])
    assert [json.loads(record) for record in records[1:]] == [json.loads(one) for one in features]
    assert list(feature_sequence(iter(()))) == []

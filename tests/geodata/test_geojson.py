"""GeoJSON: what RFC 7946 asks for, and what another program reads back."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from pyogrio import read_dataframe

from geodata.errors import InvalidParameterError, UndeclaredCRSError
from geodata.geojson import geojson_text

HOLED = shapely.Polygon([(0, 0), (0, 4), (4, 4), (4, 0)], holes=[[(1, 1), (2, 1), (2, 2), (1, 2)]])


def read(frame: GeoDataFrame, **options: Any) -> Any:
    return json.loads(geojson_text(frame, **options))


def test_rings_wind_as_the_standard_says() -> None:
    collection = read(GeoDataFrame({"name": ["a"]}, geometry=[HOLED], crs=4326))
    rings = collection["features"][0]["geometry"]["coordinates"]
    assert shapely.is_ccw(shapely.linearrings(rings[0]))
    assert not shapely.is_ccw(shapely.linearrings(rings[1]))


def test_coordinates_are_degrees_with_seven_decimals_and_no_height() -> None:
    frame = GeoDataFrame(geometry=[shapely.Point(113.123456789, -1e-12, 8)], crs=4326)
    assert b'"coordinates":[113.1234568,0.0]' in geojson_text(frame)


def test_another_crs_is_turned_into_degrees_and_none_is_named() -> None:
    degrees = GeoSeries([shapely.Point(113.15, 23.03)], crs=4326)
    collection = read(GeoDataFrame(geometry=degrees.to_crs(4547)))
    assert "crs" not in collection
    position = collection["features"][0]["geometry"]["coordinates"]
    assert position == pytest.approx([113.15, 23.03], abs=1e-6)


def test_every_kind_of_missing_is_null() -> None:
    frame = GeoDataFrame(
        {
            "number": [np.nan],
            "infinite": [np.inf],
            "whole": pd.array([None], dtype="Int64"),
            "text": [None],
            "time": pd.to_datetime(pd.Series([None], dtype="datetime64[ns, UTC]")),
            "nested": [[np.nan, pd.NA]],
        },
        geometry=[shapely.Polygon()],
        crs=4326,
    )
    feature = read(frame, with_bbox=True)["features"][0]
    assert feature["geometry"] is None
    nested = feature["properties"].pop("nested")
    assert nested == [None, None]
    assert set(feature["properties"].values()) == {None}


def test_values_keep_their_meaning() -> None:
    frame = GeoDataFrame(
        {
            "code": ["440605011016003"],
            "whole": pd.array([3], dtype="Int64"),
            "is_true": [np.bool_(True)],
            "day": [date(2026, 11, 22)],
            "time": pd.to_datetime(["2026-11-22 20:00+08:00"]).tz_convert("Asia/Shanghai"),
            "key": [UUID(int=7)],
            "name": ["翠颐"],
        },
        geometry=[shapely.Point(1, 2)],
        crs=4326,
    )
    feature = read(frame, id_column="code", with_bbox=True)["features"][0]
    assert feature["id"] == "440605011016003"
    assert feature["properties"] == {
        "whole": 3,
        "is_true": True,
        "day": "2026-11-22",
        "time": "2026-11-22T20:00:00+08:00",
        "key": "00000000-0000-0000-0000-000000000007",
        "name": "翠颐",
    }


def test_the_bbox_is_west_south_east_north_and_absent_for_nothing() -> None:
    frame = GeoDataFrame(geometry=[HOLED, shapely.Point(9, -3)], crs=4326)
    assert read(frame, with_bbox=True)["bbox"] == [0, -3, 9, 4]
    assert "bbox" not in read(frame)
    assert read(frame.iloc[:0], with_bbox=True) == {"type": "FeatureCollection", "features": []}


coordinates = st.tuples(st.floats(-179, 179), st.floats(-85, 85))


@settings(deadline=None)
@given(st.lists(coordinates, min_size=1, max_size=8))
def test_what_is_written_is_what_was_there(positions: list[tuple[float, float]]) -> None:
    frame = GeoDataFrame(
        {"order": range(len(positions))}, geometry=shapely.points(positions), crs=4326
    )
    features = read(frame)["features"]
    found = [feature["geometry"]["coordinates"] for feature in features]
    assert np.abs(np.array(found) - positions).max() <= 0.5000001e-7
    assert [feature["properties"]["order"] for feature in features] == list(range(len(positions)))


def test_gdal_reads_it_back(tmp_path: Path) -> None:
    frame = GeoDataFrame({"name": ["东", "west"]}, geometry=[HOLED, shapely.Point(1, 2)], crs=4326)
    path = tmp_path / "route.geojson"
    path.write_bytes(geojson_text(frame))
    back = read_dataframe(path)
    assert back["name"].tolist() == ["东", "west"]
    assert back.geometry.geom_equals(frame.geometry).all()


def test_a_frame_without_crs_is_refused() -> None:
    with pytest.raises(UndeclaredCRSError):
        geojson_text(GeoDataFrame(geometry=[shapely.Point(1, 2)]))


def test_an_id_that_is_no_column_is_refused() -> None:
    with pytest.raises(InvalidParameterError):
        geojson_text(GeoDataFrame(geometry=[shapely.Point(1, 2)], crs=4326), id_column="code")


def test_a_value_without_a_form_is_refused() -> None:
    frame = GeoDataFrame({"what": [object()]}, geometry=[shapely.Point(1, 2)], crs=4326)
    with pytest.raises(TypeError, match="object"):
        geojson_text(frame)

import numpy as np
import pandas as pd
import pytest
from geopandas import GeoDataFrame
from shapely import Point

from maps.base import Ground, base_map
from maps.coverage import coverage_map
from maps.errors import (
    MapsError,
    MissingColumnError,
    UnknownStateError,
    WrongCRSError,
    WrongGeometryError,
)
from maps.frames import bounds_of, feature_collection, plain
from maps.heat import heat_map
from maps.page import parts
from maps.routes import routes_map
from tests.maps import town


def ground(
    *, communities: GeoDataFrame | None = None, compounds: GeoDataFrame | None = None
) -> Ground:
    return Ground(
        town.communities() if communities is None else communities,
        town.compounds() if compounds is None else compounds,
    )


def test_a_missing_column_is_named_with_its_frame() -> None:
    with pytest.raises(MissingColumnError, match=r"stops lacks the column\(s\) reason") as caught:
        routes_map(town.routes(), town.stops().drop(columns="reason"), ground())
    assert caught.value.columns == ("reason",)


def test_a_frame_in_metres_is_refused_and_told_what_to_do() -> None:
    with pytest.raises(WrongCRSError, match=r"to_crs\(4326\)"):
        base_map(ground(compounds=town.compounds().to_crs(4547)))


def test_a_frame_without_crs_is_refused() -> None:
    placed = town.cells()
    shapes = placed.geometry.to_numpy()
    cells = GeoDataFrame({"incident_count": placed["incident_count"]}, geometry=shapes)
    with pytest.raises(WrongCRSError, match="heat cells"):
        heat_map(cells, ground(), total=0)


def test_a_row_without_geometry_is_named() -> None:
    cells = town.cells()
    cells.loc[3, "geometry"] = None
    with pytest.raises(WrongGeometryError, match="Row 3 of the frame of heat cells") as caught:
        heat_map(cells, ground(), total=0)
    assert caught.value.row == 3


def test_points_where_areas_belong_are_refused() -> None:
    points = town.compounds().set_geometry([Point(113, 23)] * 6, crs=4326)
    with pytest.raises(WrongGeometryError, match="is Point: the map needs Polygon"):
        base_map(ground(compounds=points))


def test_a_state_without_a_colour_is_refused() -> None:
    with pytest.raises(UnknownStateError, match="covered_twice"):
        coverage_map(ground(), counts={"covered_twice": 1})


def test_every_error_is_of_one_family_with_its_own_code() -> None:
    codes = [MapsError.code, *(error.code for error in MapsError.__subclasses__())]
    assert len(codes) > 6
    assert len(set(codes)) == len(codes)


def test_missing_values_become_null_and_numbers_stay_numbers() -> None:
    values = [np.int64(3), np.float64("nan"), pd.NA, pd.NaT, None, np.bool_(True), "a", 2.5]
    assert [plain(value) for value in values] == [3, None, None, None, None, True, "a", 2.5]


def test_coordinates_travel_with_six_decimals() -> None:
    frame = GeoDataFrame({"code": ["1"]}, geometry=[Point(113.123456789, 23.987654321)], crs=4326)
    feature = feature_collection(frame, ["code"])["features"][0]
    assert feature["geometry"]["coordinates"] == [113.123457, 23.987654]
    assert feature["properties"] == {"code": "1"}


def test_bounds_go_round_all_frames_and_pass_over_empty_ones() -> None:
    west = town.compounds().iloc[:1]
    assert bounds_of(west.iloc[:0], None) is None
    (south, left), (north, right) = bounds_of(west, town.communities()) or []
    assert (left, south) == town.lon_lat(0, 0)
    assert (right, north) == pytest.approx(town.lon_lat(840, 560))


def test_a_map_of_nothing_is_still_a_map() -> None:
    empty = ground(communities=town.communities().iloc[:0], compounds=town.compounds().iloc[:0])
    pages = [
        heat_map(town.cells().iloc[:0], empty, total=0),
        routes_map(town.routes(()), town.stops(()), empty),
        coverage_map(empty, counts={}),
    ]
    for page in pages:
        assert "gridsvc.start(" in parts(page, nonce="bm9uY2U=").script

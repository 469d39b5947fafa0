"""Which CRS a file is in: from the file, from its format or declared; never guessed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pyproj import CRS

from geodata.errors import (
    ContradictingCRSError,
    FileWithoutCRSError,
    UnknownCRSError,
    UnreadableFileError,
)
from geodata.files import read_layer
from geodata.offsets import Degrees, bd09_from_wgs84, gcj02_from_wgs84
from tests.geodata.files.conftest import WRITERS, compounds, shapes_of, write_layer
from tests.geodata.files.drawings import drawing

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
ZONE_38 = "EPSG:4526"
needs_vectors = pytest.mark.skipif(
    not (SHARED / "crs").is_dir(), reason="the coordinate vectors of ../shared/data/crs are absent"
)


def write_geojson(path: Path, *, crs: Any = ..., geometry: Any = None, **properties: Any) -> Path:
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": [feature]}
    if crs is not ...:
        collection["crs"] = crs
    path.write_text(json.dumps(collection), encoding="utf-8")
    return path


def named(name: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


def positions(layer: GeoDataFrame) -> Degrees:
    return shapely.get_coordinates(np.asarray(layer.geometry.array, dtype=object))


# What a file says of itself


@pytest.mark.parametrize(
    "name", ["layer.shp", "layer.zip", "layer.gpkg", "layer.fgb", "layer.parquet"]
)
def test_a_file_in_zone_38_says_so_itself(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, compounds().to_crs(ZONE_38))
    layer = read_layer(tmp_path / name)
    assert (layer.crs_name, layer.crs_from) == (ZONE_38, "file")
    assert layer.frame.total_bounds == pytest.approx([113.15, 23.03, 113.154, 23.032], abs=1e-6)
    assert read_layer(tmp_path / name, crs=ZONE_38).crs_from == "option"
    with pytest.raises(ContradictingCRSError, match="in EPSG:4526, but EPSG:4547"):
        read_layer(tmp_path / name, crs="EPSG:4547")
    with pytest.raises(ContradictingCRSError, match="but gcj02 was declared"):
        read_layer(tmp_path / name, crs="gcj02")


def test_an_esri_label_of_zone_38_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "layer.shp"
    compounds().to_crs(ZONE_38).to_file(path)
    esri = CRS.from_epsg(4526).to_wkt("WKT1_ESRI")
    path.with_suffix(".prj").write_text(esri)
    assert read_layer(path).crs_name == ZONE_38
    assert read_layer(path, crs=ZONE_38).frame.total_bounds[0] == pytest.approx(113.15, abs=1e-6)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("name", ["layer.shp", "layer.gpkg", "layer.fgb", "layer.csv", "layer.dxf"])
def test_a_file_that_does_not_say_its_crs_needs_a_declaration(tmp_path: Path, name: str) -> None:
    known = compounds().to_crs(ZONE_38)
    shapes = np.array(shapes_of(known), dtype=object)
    frame = GeoDataFrame(known.drop(columns="geometry"), geometry=shapes)
    WRITERS[name](tmp_path / name, frame)
    with pytest.raises(FileWithoutCRSError, match="declare it with --crs"):
        read_layer(tmp_path / name)
    layer = read_layer(tmp_path / name, crs=ZONE_38)
    assert (layer.crs_name, layer.crs_from) == (ZONE_38, "option")
    assert layer.frame.total_bounds == pytest.approx([113.15, 23.03, 113.154, 23.032], abs=1e-6)


def test_a_drawing_of_gauss_krueger_metres_comes_out_where_it_is(tmp_path: Path) -> None:
    # 15 km east of the meridian of 114 degrees, on the parallel of 22.6: drawn by a surveyor.
    square = shapely.box(38_515_000, 2_500_000, 38_515_100, 2_500_100)
    (tmp_path / "a.dxf").write_text(drawing([("1", square)]))
    west, south, east, north = read_layer(tmp_path / "a.dxf", crs="4526").frame.total_bounds
    assert west == pytest.approx(114.14589, abs=1e-4)
    assert south == pytest.approx(22.5977, abs=1e-3)
    assert (east - west) * 102_750 == pytest.approx(100, abs=1)
    assert (north - south) * 110_750 == pytest.approx(100, abs=1)


def test_a_csv_may_name_its_srid(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('name,wkt\na,"SRID=4490;POINT(113 23)"\nb,\n', encoding="utf-8")
    layer = read_layer(path)
    assert (layer.crs_name, layer.crs_from) == ("EPSG:4490", "file")
    path.write_text('name,wkt\na,"SRID=4490;POINT(1 2)"\nb,"SRID=4326;POINT(1 2)"\n', "utf-8")
    with pytest.raises(UnreadableFileError, match="different SRID"):
        read_layer(path)
    path.write_text('name,wkt\na,"SRID=99;POINT(1 2)"\n', encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="SRID 99"):
        read_layer(path)


# GeoJSON and its crs member


def test_geojson_without_a_crs_member_is_wgs84_by_its_format_unless_declared(
    tmp_path: Path,
) -> None:
    point = {"type": "Point", "coordinates": [113.15, 23.03]}
    path = write_geojson(tmp_path / "a.geojson", geometry=point)
    layer = read_layer(path)
    assert (layer.crs_name, layer.crs_from) == ("EPSG:4326", "format")
    there = GeoSeries([shapely.Point(113.15, 23.03)], crs=4326).to_crs(4547)
    metres = {"type": "Point", "coordinates": there.get_coordinates().iloc[0].tolist()}
    layer = read_layer(write_geojson(path, geometry=metres), crs="EPSG:4547")
    assert positions(layer.frame)[0] == pytest.approx([113.15, 23.03], abs=1e-7)


@pytest.mark.parametrize(
    ("member", "name"),
    [
        (named("urn:ogc:def:crs:EPSG::4526"), "EPSG:4526"),
        (named("EPSG:4490"), "EPSG:4490"),
        (named("urn:ogc:def:crs:OGC:1.3:CRS84"), "OGC:CRS84"),
        ({"type": "EPSG", "properties": {"code": 4547}}, "EPSG:4547"),
        ({"type": "NAME", "properties": {"name": "GCJ-02"}}, "gcj02"),
    ],
)
def test_a_crs_member_is_honoured(tmp_path: Path, member: dict[str, Any], name: str) -> None:
    layer = read_layer(write_geojson(tmp_path / "a.geojson", crs=member))
    assert (layer.crs_name, layer.crs_from) == (name, "file")
    assert any("crs member" in note for note in layer.notes)


def test_a_crs_member_and_another_declaration_contradict(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", crs=named("urn:ogc:def:crs:EPSG::4526"))
    assert read_layer(path, crs="EPSG:4526").crs_from == "option"
    for other in ("EPSG:4326", "EPSG:4547", "gcj02"):
        with pytest.raises(ContradictingCRSError):
            read_layer(path, crs=other)
    path = write_geojson(tmp_path / "a.geojson", crs=named("gcj02"))
    assert read_layer(path, crs="gcj02").crs_name == "gcj02"
    for other in ("bd09", "EPSG:4326"):
        with pytest.raises(ContradictingCRSError):
            read_layer(path, crs=other)


def test_a_crs_member_of_null_needs_a_declaration(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", crs=None)
    with pytest.raises(FileWithoutCRSError):
        read_layer(path)
    assert read_layer(path, crs="EPSG:4490").crs_from == "option"


def test_a_crs_member_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownCRSError, match="Narnia"):
        read_layer(write_geojson(tmp_path / "a.geojson", crs=named("Narnia 2000")))
    with pytest.raises(UnknownCRSError, match="ESRI:104905"):
        read_layer(write_geojson(tmp_path / "a.geojson", crs=named("Mars 2000")))


def test_a_property_that_is_called_crs_is_no_crs(tmp_path: Path) -> None:
    layer = read_layer(write_geojson(tmp_path / "a.geojson", CRS="EPSG:4526"))
    assert (layer.crs_name, layer.crs_from) == ("EPSG:4326", "format")
    assert layer.frame["CRS"].tolist() == ["EPSG:4526"]


# Declarations


@pytest.mark.parametrize("text", ["EPSG:999999", "wgs", "", "http://127.0.0.1:9/crs"])
def test_an_unknown_declaration_is_refused_before_the_file_is_opened(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(UnknownCRSError):
        read_layer(tmp_path / "absent.geojson", crs=text)


@pytest.mark.parametrize("text", ["EPSG:5773", "EPSG:4978"])
def test_heights_and_geocentric_metres_are_no_crs_of_a_map(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnknownCRSError):
        read_layer(write_layer(tmp_path, "layer.geojson"), crs=text)


def test_kml_is_in_degrees_whatever_is_declared(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "layer.kml")
    assert read_layer(path).crs_from == "format"
    assert read_layer(path, crs="EPSG:4490").crs_from == "option"
    with pytest.raises(ContradictingCRSError):
        read_layer(path, crs=ZONE_38)


def test_rows_that_lie_nowhere_in_the_crs_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,x,y\na,2548000,38515000\nb,38515000,2548000\n", encoding="utf-8")
    layer = read_layer(path, crs=ZONE_38)
    assert layer.frame.geometry.isna().tolist() == [True, False]
    assert any("row 1: the place means nothing in EPSG:4526" in note for note in layer.notes)


# Shifts


@needs_vectors
@pytest.mark.parametrize(("shift", "key"), [("gcj02", "GCJ02"), ("bd09", "BD09")])
@pytest.mark.parametrize("name", ["layer.geojson", "layer.gpkg", "layer.csv", "layer.kml"])
def test_664_shifted_cities_are_read_within_the_tolerance_of_their_source(
    tmp_path: Path, shift: str, key: str, name: str
) -> None:
    text = (SHARED / "crs" / "gcoord_china_cities.json").read_text(encoding="utf-8")
    cities = [city["coords"] for city in json.loads(text)]
    points = shapely.points([city[key] for city in cities])
    frame = GeoDataFrame({"名称": [str(n) for n in range(len(cities))]}, geometry=points, crs=4326)
    WRITERS[name](tmp_path / name, frame)
    layer = read_layer(tmp_path / name, crs=shift.upper())
    assert (layer.crs_name, layer.crs_from) == (shift, "option")
    wrong = np.abs(positions(layer.frame) - [city["WGS84"] for city in cities])
    assert wrong.max() < 1e-4
    move = gcj02_from_wgs84 if shift == "gcj02" else bd09_from_wgs84
    read = positions(layer.frame)
    again = np.column_stack(move(lon=read[:, 0], lat=read[:, 1]))
    assert np.abs(again - [city[key] for city in cities]).max() < 1e-6


def test_a_shift_over_a_wrong_label_in_degrees_is_believed_and_told(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "layer.gpkg")
    layer = read_layer(path, crs="gcj02")
    assert any("label EPSG:4490 of the file is overruled by gcj02" in note for note in layer.notes)
    moved_m = (layer.frame.total_bounds[:2] - [113.15, 23.03]) * [102_400, 110_750]
    assert moved_m == pytest.approx([-540, 290], abs=60)
    assert layer.frame.geometry.isna().tolist() == [False, False, True]

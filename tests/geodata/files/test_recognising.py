"""What a file is, told by its content: without an ending, and under a wrong one."""

import gzip
import io
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from xlsxwriter import Workbook

from geodata.errors import UnreadableFileError, UnsupportedFormatError
from geodata.files import read_layer
from geodata.files.recognising import recognise
from tests.geodata.files.conftest import WRITERS, write_layer

CRS_OF = {"layer.dxf": "EPSG:4490"}
TOLD = sorted(set(WRITERS) - {"layer.csv"})
# A shapefile of one part only, and what GDAL calls the others.
NAME_OF = {
    "layer.geojson": "GeoJSON",
    "layer.geojsonl": "GeoJSON",
    "layer.gpkg": "GeoPackage",
    "layer.shp": "a shapefile",
    "layer.zip": "a zipped shapefile",
    "layer.fgb": "FlatGeobuf",
    "layer.parquet": "Parquet",
    "layer.kml": "KML",
    "layer.dxf": "DXF",
}


def workbook() -> bytes:
    made = io.BytesIO()
    with Workbook(made) as book:
        book.add_worksheet()
    return made.getvalue()


def archive(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr(name, b"x")
    return made.getvalue()


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("bare", ["楼栋", "层 2024#"])
def test_a_file_without_an_ending_is_read_as_what_it_is(
    tmp_path: Path, name: str, bare: str
) -> None:
    path = write_layer(tmp_path, name)
    expected = read_layer(path, crs=CRS_OF.get(name))
    for part in tmp_path.glob("layer.*"):
        # The parts of a shapefile keep their endings; it is found by them, too.
        keeps = name == "layer.shp" and part.suffix != ".shp"
        part.rename(tmp_path / (bare + part.suffix if keeps else bare))
    layer = read_layer(tmp_path / bare, crs=CRS_OF.get(name))
    assert layer.format == expected.format
    assert layer.frame.equals(expected.frame)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        (name, ending)
        for name in TOLD
        for ending in (".gpkg", ".geojson", ".kml", ".csv", ".shp", ".xlsx", ".bin")
        if ending not in name
    ],
)
def test_a_wrong_ending_is_refused_and_both_are_named(
    tmp_path: Path, name: str, ending: str
) -> None:
    path = write_layer(tmp_path, name)
    wrong = path.rename(tmp_path / f"x{ending}")
    with pytest.raises(UnreadableFileError) as told:
        read_layer(wrong, crs=CRS_OF.get(name))
    assert re.match(
        rf"x{ending}: is {NAME_OF[name]}.* inside, but its name ends in {ending}: "
        rf"rename it to end in \{re.sub('l$', '', path.suffix) if 'json' in name else path.suffix}",
        str(told.value),
    ), told.value


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (workbook(), "Excel workbook.*households"),
        (archive("doc.kml"), "packed KML.*unpack it"),
        (gzip.compress(b"{}", mtime=0), "gzip.*unpack it first"),
        (b"AC1032" + bytes(100), "DWG.*save it as DXF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old workbook"),
    ],
)
def test_what_is_not_read_says_what_it_is(tmp_path: Path, content: bytes, hint: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UnsupportedFormatError, match=hint):
        read_layer(tmp_path / "a")


def test_a_workbook_that_is_called_a_map_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_bytes(workbook())
    with pytest.raises(UnreadableFileError, match=r"an Excel workbook inside, .* ends in"):
        read_layer(tmp_path / "a.geojson")


@pytest.mark.parametrize(
    "content",
    [
        b"name,wkt\na,POINT(1 2)\n",
        b"<html><kml></kml></html>",
        b"<?xml version='1.0'?><gpx/>",
        b"<",
        b"0\nSECTIONS of a list\n",
        b"fgb is a format",
        bytes(1000),
    ],
)
def test_what_tells_nothing_asks_for_an_ending(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert recognise(tmp_path / "a") is None
    with pytest.raises(UnsupportedFormatError, match="without an ending"):
        read_layer(tmp_path / "a")


def test_a_database_and_an_archive_are_opened_and_refused_by_their_readers(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a")) as database, database:
        database.execute("CREATE TABLE a (b)")
    with pytest.raises(UnreadableFileError, match="not a GeoPackage"):
        read_layer(tmp_path / "a")
    (tmp_path / "b").write_bytes(archive("notes.txt"))
    with pytest.raises(UnreadableFileError, match="holds 0 shapefiles"):
        read_layer(tmp_path / "b")


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"\xef\xbb\xbf \n{", ".geojson"),
        (b"\x1e{", ".geojson"),
        (b"<?xml version='1.0'?>\n<!-- a --><k:kml xmlns:k='x'><", ".kml"),
        (b"999\nmade by hand\n  0\r\nSECTION\r\n", ".dxf"),
        (b"AutoCAD Binary DXF\r\n\x1a\0", ".dxf"),
        (b"PK\x03\x04 cut off", ".zip"),
    ],
)
def test_the_first_bytes_are_enough(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / "a").write_bytes(content)
    found = recognise(tmp_path / "a")
    assert found is not None
    assert found.suffix == suffix


def test_an_absent_or_empty_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert recognise(tmp_path / "a") is None
    assert recognise(tmp_path / "b") is None
    with pytest.raises(UnreadableFileError, match="there is no such file"):
        read_layer(tmp_path / "b.gpkg")

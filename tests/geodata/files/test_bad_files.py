"""Files that are a mistake or an attack: refused with the reason, in bounded time and memory."""

import json
import resource
import socketserver
import sqlite3
import struct
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from geopandas import GeoDataFrame

from geodata.errors import FileLimitError, UnreadableFileError
from geodata.files import FileLimits, read_layer
from tests.geodata.files.conftest import WRITERS, compounds, shapes_of, write_layer, write_zip
from tests.geodata.files.drawings import polyline, written

FEW = FileLimits(vertices=1000)
CRS_OF = {"layer.dxf": "EPSG:4490", "layer.csv": "EPSG:4490"}


def ring_of(count: int) -> shapely.Polygon:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return shapely.Polygon(np.column_stack([113 + np.cos(angle) / 9, 23 + np.sin(angle) / 9]))


def with_long_ring(count: int) -> GeoDataFrame:
    frame = compounds()[:2]
    return frame.set_geometry([frame.geometry.iloc[0], ring_of(count)], crs=frame.crs)


# Limits


def test_a_ring_with_too_many_vertices_is_told_by_its_row(tmp_path: Path, any_format: str) -> None:
    path = tmp_path / any_format
    WRITERS[any_format](path, with_long_ring(3000))
    row = 3 if any_format == "layer.dxf" else 2  # between them stands the text in the first
    with pytest.raises(FileLimitError, match=f"row {row} has more than 1,000 vertices"):
        read_layer(path, crs=CRS_OF.get(any_format), limits=FEW)


@pytest.mark.parametrize("is_type_first", [True, False])
def test_a_ring_of_ten_million_vertices_is_refused_before_it_is_in_memory(
    tmp_path: Path, *, is_type_first: bool
) -> None:
    path = tmp_path / "a.geojson"
    kind, shapeless = b'"type":"Feature"', b'"geometry":null'
    before, after = (kind + b",", b"") if is_type_first else (b"", b"," + kind)
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[{' + before + shapeless + after)
        file.write(b"},{" + before + b'"geometry":{"type":"Polygon","coordinates":[[')
        for _ in range(10_000):
            file.write(b"[113.1,23.1]," * 1000)
        file.write(b"[113.1,23.1]]]}" + after + b"}]}")
    held_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileLimitError, match="row 2 has more than 1,000,000 vertices"):
        read_layer(path)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held_kib
    assert grown_kib < 250 * 1024  # the file has 130 MB, and is looked at through a window


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        (FileLimits(file_bytes=100), "MiB"),
        (FileLimits(features=1), "more than 1 features"),
        (FileLimits(columns=1), "columns"),
        (FileLimits(text_characters=2), "more than 2 characters in"),
    ],
)
def test_each_limit_holds_for_every_format(
    tmp_path: Path, any_format: str, limits: FileLimits, fault: str
) -> None:
    path = write_layer(tmp_path, any_format)
    with pytest.raises(FileLimitError, match=fault):
        read_layer(path, crs=CRS_OF.get(any_format), limits=limits)


# ZIP


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", bytes(64 * 2**20))
    with pytest.raises(FileLimitError, match="200 times its size"):
        read_layer(path)
    with pytest.raises(FileLimitError, match="more than 10 MiB"):
        read_layer(path, limits=FileLimits(unpacked_bytes=10 * 2**20))


def test_a_zip_bomb_that_lies_of_its_size_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", bytes(2**22))
    # The size stands in the directory of the archive and before the entry.
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", 2**22), struct.pack("<L", 100)))
    with pytest.raises(UnreadableFileError):
        read_layer(path, limits=FileLimits(unpacked_bytes=2**20))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("../a.shp",), "leads out"),
        (("/etc/a.shp",), "leads out"),
        (("c:\\a.shp",), "leads out"),
        (("..\\..\\a.shp",), "leads out"),
        (("a.zip",), "another archive"),
        (("a.txt",), "holds 0 shapefiles"),
        (("a.shp", "b.shp"), "holds 2 shapefiles"),
        (("a.shp",), "begins otherwise"),
        (tuple(f"{n}.txt" for n in range(101)), "holds 101 files"),
    ],
)
def test_archives_that_are_no_shapefile_are_refused(
    tmp_path: Path, names: tuple[str, ...], reason: str
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    with pytest.raises(UnreadableFileError, match=reason):
        read_layer(tmp_path / "a.zip")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    write_zip(path, compounds())
    content = bytearray(path.read_bytes())
    place = content.find(b"PK\1\2")
    while place >= 0:
        content[place + 8] |= 1
        place = content.find(b"PK\1\2", place + 1)
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="encrypted"):
        read_layer(path)


# Ways to the network, and to other files


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/ADDRESS/a.geojson'
    "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)
PIPELINE = (
    '{"type":"gdal_streamed_alg","command_line":"gdal vector pipeline ! read '
    '/vsicurl/ADDRESS/a.geojson ! write --of stream streamed_dataset"}'
)


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and the paths that were asked for there."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with socketserver.TCPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "member",
    [
        '"crs":{"type":"url","properties":{"url":"ADDRESS/a"}}',
        '"crs":{"type":"link","properties":{"href":"ADDRESS/b","type":"ogcwkt"}}',
        '"CRS" : {"Type":"LINK","properties":{"href":"ADDRESS/c"}}',
        r'"\u0063r\u0073":{"type":"link","properties":{"href":"ADDRESS/d"}}',
        r'"crs":{"t\u0079pe":"l\u0069nk","properties":{"href":"ADDRESS/e"}}',
    ],
)
@pytest.mark.parametrize("place", ["collection", "geometry", "sequence"])
def test_a_crs_member_with_an_address_is_never_fetched(
    tmp_path: Path, listener: tuple[str, list[str]], member: str, place: str
) -> None:
    address, asked = listener
    member = member.replace("ADDRESS", address)
    at_geometry = f",{member}" if place == "geometry" else ""
    at_feature = f",{member}" if place == "sequence" else ""
    feature = (
        '{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Point",'
        f'"coordinates":[113,23]{at_geometry}}}{at_feature}}}'
    )
    at_top = f",{member}" if place == "collection" else ""
    collection = f'{{"type":"FeatureCollection"{at_top},"features":[{feature}]}}'
    path = tmp_path / ("a.geojsonl" if place == "sequence" else "a.geojson")
    path.write_text(feature if place == "sequence" else collection, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="never an address"):
        read_layer(path)
    assert asked == []


@pytest.mark.parametrize(
    "name", ["a.geojson", "a.kml", "a.gpkg", "a.fgb", "a.shp", "a.dxf", "a.csv"]
)
@pytest.mark.parametrize(
    "text",
    [
        VRT,
        PIPELINE,
        '<WFS_Capabilities><OnlineResource href="ADDRESS/wfs"/></WFS_Capabilities>',
        "<OGRWFSDataSource><URL>ADDRESS/wfs</URL></OGRWFSDataSource>",
        f"<kml><!-- {VRT} --><Document/></kml>",
    ],
)
def test_another_kind_of_source_in_disguise_is_not_opened(
    tmp_path: Path, listener: tuple[str, list[str]], name: str, text: str
) -> None:
    address, asked = listener
    (tmp_path / name).write_text(text.replace("ADDRESS", address), encoding="utf-8")
    with pytest.raises(UnreadableFileError):
        read_layer(tmp_path / name, crs="EPSG:4326")
    assert asked == []


def test_a_kml_that_points_elsewhere_is_read_without_going_there(
    tmp_path: Path, listener: tuple[str, list[str]]
) -> None:
    address, asked = listener
    path = tmp_path / "a.kml"
    path.write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<NetworkLink><Link><href>{address}/a.kml</href></Link></NetworkLink>"
        f"<GroundOverlay><Icon><href>{address}/b.png</href></Icon></GroundOverlay>"
        f"<Placemark><name>a</name><styleUrl>{address}/c.kml#s</styleUrl>"
        f'<ExtendedData><SchemaData schemaUrl="{address}/d.kml#s"/></ExtendedData>'
        "<Point><coordinates>113,23</coordinates></Point></Placemark></Document></kml>",
        encoding="utf-8",
    )
    assert read_layer(path).frame["Name"].dropna().tolist() == ["a"]
    assert asked == []


# XML


def entities(levels: int) -> str:
    lines = ['<!ENTITY l0 "lol">']
    lines += [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels)]
    return f"<!DOCTYPE kml [{''.join(lines)}]>"


@pytest.mark.parametrize(
    "prologue", [entities(10), '<!DOCTYPE kml SYSTEM "file:///etc/passwd">', "<!DOCTYPE kml>"]
)
def test_a_kml_with_a_document_type_is_refused(tmp_path: Path, prologue: str) -> None:
    path = tmp_path / "a.kml"
    path.write_text(
        f'<?xml version="1.0"?>{prologue}<kml><Placemark><name>&l9;</name></Placemark></kml>'
    )
    with pytest.raises(UnreadableFileError, match="document type"):
        read_layer(path)


def test_a_kml_nested_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    path.write_text("<kml>" + "<Folder>" * 100_000 + "</Folder>" * 100_000 + "</kml>")
    with pytest.raises(FileLimitError, match="nested deeper than 100"):
        read_layer(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_kml_in_wide_characters_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.kml"
    path.write_bytes(f"{entities(9)}<kml/>".encode(encoding))
    with pytest.raises(UnreadableFileError, match="UTF-8"):
        read_layer(path)


# GeoPackage


def test_a_view_that_never_ends_is_not_run(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "layer.gpkg")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE VIEW endless AS WITH RECURSIVE n(fid) AS "
            "(SELECT 1 UNION ALL SELECT fid + 1 FROM n) SELECT fid, NULL AS geom FROM n"
        )
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
            "VALUES ('endless', 'features', 'endless', 4490)"
        )
    with pytest.raises(UnreadableFileError, match="view 'endless'"):
        read_layer(path)


def test_an_sqlite_database_that_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database, database:
        database.execute("CREATE TABLE a (b)")
    with pytest.raises(UnreadableFileError, match="not a GeoPackage"):
        read_layer(tmp_path / "a.gpkg")


def test_a_curve_is_read_as_short_lines_and_this_is_said(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "layer.gpkg")
    circle = struct.pack("<BII", 1, 8, 5) + struct.pack("<10d", 0, 0, 1, 1, 2, 0, 1, -1, 0, 0)
    blob = b"GP\0\1" + struct.pack("<i", 4490) + struct.pack("<BII", 1, 10, 1) + circle
    with closing(sqlite3.connect(path)) as database, database:
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE 小区 SET geom = ? WHERE 编码 = '007'", (blob,))
    layer = read_layer(path)
    assert shapes_of(layer.frame)[0].area == pytest.approx(np.pi, rel=0.01)
    assert "Curves are read as many short lines." in layer.notes
    assert shapes_of(layer.frame)[2] is None


# Parquet


def write_parquet(path: Path, columns: dict[str, Any], **described: Any) -> Path:
    column = {"encoding": "WKB", "geometry_types": [], **described}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    table = pa.table(columns).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, path, compression="zstd")
    return path


def test_a_text_repeated_a_hundred_thousand_times_does_not_swell(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    count = 100_000
    point = shapely.Point(113, 23).wkb
    names = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), ["长" * 9000])
    write_parquet(path, {"name": names, "geometry": [point] * count})
    assert path.stat().st_size < 2**21
    with pytest.raises(FileLimitError, match="unpacks to more than 64 MiB"):
        read_layer(path, limits=FileLimits(unpacked_bytes=64 * 2**20))


@pytest.mark.parametrize("form", ["wkb", "wkt"])
def test_collections_in_collections_do_not_overflow_the_stack(tmp_path: Path, form: str) -> None:
    depth = 300_000
    if form == "wkb":
        head = struct.pack("<BII", 1, 7, 1)
        content = head * depth + shapely.Point(113, 23).wkb
        path = write_parquet(tmp_path / "a.parquet", {"name": ["a"], "geometry": [content]})
    else:
        path = tmp_path / "a.csv"
        text = "GEOMETRYCOLLECTION(" * depth + "POINT(1 2)" + ")" * depth
        path.write_text(f'name,wkt\na,"{text}"\n')
    layer = read_layer(path, crs="EPSG:4326")
    assert layer.frame.geometry.isna().all()
    assert "row 1: the geometry cannot be read." in layer.notes


@pytest.mark.parametrize(
    "described", [{"crs": {"type": "nonsense"}}, {"crs": "no such"}, {"encoding": "runes"}]
)
def test_geoparquet_with_nonsense_in_its_metadata_is_refused(
    tmp_path: Path, described: dict[str, Any]
) -> None:
    point = shapely.Point(113, 23).wkb
    path = write_parquet(tmp_path / "a.parquet", {"geometry": [point]}, **described)
    with pytest.raises(UnreadableFileError):
        read_layer(path)


# Odd, but not refused


def test_null_empty_crossing_and_far_geometries_stay_rows(tmp_path: Path) -> None:
    shapes = [
        None,
        shapely.from_wkt("POLYGON EMPTY"),
        shapely.from_wkt("POLYGON((113 23,113.1 23.1,113.1 23,113 23.1,113 23))"),
        shapely.from_wkt("POLYGON((179 0,-179 0,-179 1,179 1,179 0))"),
        shapely.from_wkt("POINT(113 23)"),
        shapely.from_wkt("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))"),
        shapely.from_wkt("POLYGON Z((113 23 5,113.1 23 5,113.1 23.1 5,113 23 5))"),
    ]
    frame = GeoDataFrame({"name": list("abcdefg")}, geometry=np.array(shapes, object), crs=4326)
    frame.to_file(tmp_path / "a.geojson", driver="GeoJSON")
    layer = read_layer(tmp_path / "a.geojson")
    assert layer.frame["name"].tolist() == list("abcdefg")
    assert [None if shape is None else shape.geom_type for shape in shapes_of(layer.frame)] == [
        None,
        "Polygon",
        "Polygon",
        "Polygon",
        "Point",
        "GeometryCollection",
        "Polygon",
    ]
    assert shapes_of(layer.frame)[3].bounds == (-179, 0, 179, 1)
    assert not layer.frame.geometry.has_z.any()


def test_a_file_without_features_is_refused_in_every_format(
    tmp_path: Path, any_format: str
) -> None:
    path = tmp_path / any_format
    if any_format == "layer.geojsonl":
        path.write_bytes(b"\n\n")
    elif any_format == "layer.dxf":
        path.write_text(written(polyline(shapely.box(0, 0, 1, 1), is_closed=False)))
    else:
        WRITERS[any_format](path, compounds()[:0])
    with pytest.raises(UnreadableFileError, match=r"no features|closed polyline|does not begin"):
        read_layer(path, crs=CRS_OF.get(any_format))


def test_an_absent_and_an_empty_file_are_refused(tmp_path: Path, any_format: str) -> None:
    with pytest.raises(UnreadableFileError, match="no such file"):
        read_layer(tmp_path / any_format)
    (tmp_path / any_format).touch()
    with pytest.raises(UnreadableFileError, match="is empty"):
        read_layer(tmp_path / any_format)
    (tmp_path / "folder.gpkg").mkdir()
    with pytest.raises(UnreadableFileError):
        read_layer(tmp_path / "folder.gpkg")


def test_a_file_of_one_format_under_the_name_of_another_is_refused(
    tmp_path: Path, any_format: str
) -> None:
    path = write_layer(tmp_path, any_format)
    for other in sorted(set(WRITERS) - {any_format}):
        if {any_format, other} == {"layer.geojson", "layer.geojsonl"}:
            continue
        disguised = tmp_path / f"disguised{Path(other).suffix}"
        disguised.write_bytes(path.read_bytes())
        with pytest.raises(UnreadableFileError):
            read_layer(disguised, crs="EPSG:4490")


def test_geojson_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "layer.geojson")
    text = path.read_text(encoding="utf-8")
    for encoding in ("gb18030", "utf-16"):
        path.write_bytes(text.encode(encoding))
        with pytest.raises(UnreadableFileError, match="UTF-8"):
            read_layer(path)

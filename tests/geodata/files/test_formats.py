"""Every format gives back the rows, the codes, the Chinese text and the places that went in."""

from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from geopandas import GeoDataFrame

from geodata.columns import apply_columns, guess_columns
from geodata.errors import (
    FileEncodingError,
    InvalidParameterError,
    LayerChoiceError,
    LostDigitsError,
    UnreadableFileError,
    UnsupportedFormatError,
)
from geodata.files import FileLimits, read_layer
from tests.geodata.files.conftest import (
    WRITERS,
    compounds,
    shapes_of,
    write_csv,
    write_layer,
    write_zip,
)
from tests.geodata.files.drawings import (
    block,
    circle,
    drawing,
    insert,
    polyline,
    text,
    written,
)

CRS_OF = {"layer.dxf": "EPSG:4490", "layer.csv": "EPSG:4490"}
FORMAT_OF = {
    "layer.geojson": "GeoJSON",
    "layer.geojsonl": "GeoJSON",
    "layer.gpkg": "GPKG",
    "layer.shp": "ESRI Shapefile",
    "layer.zip": "ESRI Shapefile",
    "layer.fgb": "FlatGeobuf",
    "layer.parquet": "Parquet",
    "layer.kml": "KML",
    "layer.csv": "CSV",
    "layer.dxf": "DXF",
}


def test_every_format_gives_back_what_went_in(tmp_path: Path, any_format: str) -> None:
    path = write_layer(tmp_path, any_format)
    layer = read_layer(path, crs=CRS_OF.get(any_format))
    assert layer.format == FORMAT_OF[any_format]
    assert layer.frame.crs is not None
    assert layer.frame.crs.to_epsg() == 4326
    assert layer.frame.index.tolist() == list(range(len(layer.frame)))
    assert layer.frame["row"].tolist() == [1, 2, 3][: len(layer.frame)]
    truth = compounds()
    shapes = shapes_of(truth.to_crs(4326)[: len(layer.frame)])
    both = zip(shapes_of(layer.frame), shapes, strict=True)
    assert all(
        there is None if here is None else shapely.hausdorff_distance(here, there) < 1e-7
        for here, there in both
    )
    if any_format == "layer.dxf":
        assert layer.frame["Text"].tolist() == truth["名称"].tolist()[:2]
        return
    mapping = guess_columns(list(layer.frame.columns), layer="compounds")
    named = apply_columns(layer.frame, mapping)
    assert named["code"].tolist() == truth["编码"].tolist()
    assert named["name"].tolist() == truth["名称"].tolist()
    assert layer.frame["户数"].tolist() == ["120", "64", "8"]


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"layer.dxf", "layer.csv"}))
def test_the_name_of_a_file_may_be_chinese_and_its_end_in_capitals(
    tmp_path: Path, name: str
) -> None:
    path = write_layer(tmp_path, name)
    renamed = tmp_path / "新 数据!2024#" / f"南海{path.suffix.upper()}"
    renamed.parent.mkdir()
    for part in tmp_path.glob("layer.*"):
        part.rename(renamed.with_suffix(part.suffix.upper()))
    assert len(read_layer(renamed).frame) == 3


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("户.xlsx", "households"),
        ("a.kmz", "unpack"),
        ("a.dwg", "DXF"),
        ("a.dbf", r"\.shp"),
        ("a.vrt", "other files"),
        ("a.tif", r"\.geojson"),
        ("a", "without an ending"),
    ],
)
def test_other_formats_are_refused_with_a_hint(tmp_path: Path, name: str, hint: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UnsupportedFormatError, match=hint):
        read_layer(tmp_path / name)


# GeoJSON


def test_a_pretty_printed_geojson_is_no_sequence(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(
        '\ufeff{\n "type": "FeatureCollection",\n "features": [\n  {"type": "Feature",\n'
        '   "properties": {"row": 5, "name": "a"},\n'
        '   "geometry": {"type": "Point", "coordinates": [113, 23]}}\n ]\n}\n',
        encoding="utf-8",
    )
    layer = read_layer(path)
    assert layer.frame["row"].tolist() == [1]
    assert layer.frame["row (2)"].tolist() == ["5"]
    assert "'row'" in layer.notes[0]


@pytest.mark.parametrize("mark", ["\x1e", ""])
def test_a_text_sequence_is_read_with_and_without_separators(tmp_path: Path, mark: str) -> None:
    feature = '{"type":"Feature","properties":{"name":"%s"},"geometry":null}'
    path = tmp_path / "a.json"
    path.write_text("".join(f"{mark}{feature % name}\n" for name in "abc"), encoding="utf-8")
    assert read_layer(path).frame["name"].tolist() == ["a", "b", "c"]


def test_a_broken_record_of_a_sequence_is_told_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.geojsonl"
    feature = '{"type":"Feature","properties":{"name":"a"},"geometry":null}\n'
    path.write_text(feature + feature[:-9] + "\n" + feature, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="row 2 is not JSON"):
        read_layer(path)
    path.write_text(feature + "[1]\n", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="row 2 is not a feature"):
        read_layer(path)


def test_dates_truths_and_lists_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"d":"2020/1/2",'
        '"t":true,"l":[1,2],"o":{"a":1},"f":1.50,"w":2.0,"n":null},"geometry":null}]}',
        encoding="utf-8",
    )
    row = read_layer(path).frame.iloc[0]
    assert [row["d"], row["t"], row["l"], row["f"], row["w"]] == [
        "2020/1/2",
        "true",
        "[1, 2]",
        "1.5",
        "2",
    ]


@pytest.mark.parametrize("name", ["a.geojson", "a.geojsonl"])
def test_a_code_of_twenty_digits_as_a_number_is_refused(tmp_path: Path, name: str) -> None:
    feature = '{"type":"Feature","properties":{"code":44060501101600301202},"geometry":null}'
    is_sequence = name.endswith("l")
    collection = f'{{"type":"FeatureCollection","features":[{feature}]}}'
    (tmp_path / name).write_text(feature if is_sequence else collection, encoding="utf-8")
    with pytest.raises(LostDigitsError, match="row 1: the column 'code'"):
        read_layer(tmp_path / name)


def test_codes_as_numbers_are_exact_beside_missing_ones(tmp_path: Path) -> None:
    features = ",".join(
        f'{{"type":"Feature","properties":{{"code":{code}}},"geometry":null}}'
        for code in ("440605011016", "null", "44060501101600399")
    )
    path = tmp_path / "a.geojson"
    path.write_text(f'{{"type":"FeatureCollection","features":[{features}]}}', encoding="utf-8")
    codes = read_layer(path).frame["code"]
    assert codes.dropna().tolist() == ["440605011016", "44060501101600399"]


# Numbers in other formats


@pytest.mark.parametrize("name", ["layer.gpkg", "layer.fgb", "layer.parquet", "layer.shp"])
def test_a_code_as_a_float_that_lost_digits_is_refused(tmp_path: Path, name: str) -> None:
    frame = compounds().assign(code=[440605011016.0, 44060501101600301.0, np.nan])
    WRITERS[name](tmp_path / name, frame)
    with pytest.raises(LostDigitsError, match="row 2: the column 'code'"):
        read_layer(tmp_path / name)


@pytest.mark.parametrize("name", ["layer.gpkg", "layer.fgb", "layer.parquet", "layer.shp"])
def test_a_code_of_twelve_digits_as_a_float_is_exact(tmp_path: Path, name: str) -> None:
    frame = compounds().assign(code=[440605011016.0, 440605011017.0, np.nan])
    WRITERS[name](tmp_path / name, frame)
    assert read_layer(tmp_path / name).frame["code"].tolist()[:2] == [
        "440605011016",
        "440605011017",
    ]


# Shapefile


def test_a_gbk_shapefile_is_right_with_its_encoding_and_refused_without(tmp_path: Path) -> None:
    path = tmp_path / "layer.shp"
    compounds().to_file(path, encoding="GBK")
    assert read_layer(path).frame["名称"].tolist() == compounds()["名称"].tolist()
    path.with_suffix(".cpg").unlink()
    for option in ("GBK", "gb18030", "cp936", "936"):
        layer = read_layer(path, encoding=option)
        assert layer.frame["名称"].tolist() == compounds()["名称"].tolist()
    with pytest.raises(FileEncodingError, match="--encoding, such as GB18030"):
        read_layer(path)
    with pytest.raises(FileEncodingError, match="not utf-8, as was declared"):
        read_layer(path, encoding="UTF-8")
    with pytest.raises(InvalidParameterError, match="'klingon'"):
        read_layer(path, encoding="klingon")


def test_a_shapefile_whose_table_names_its_code_page_needs_no_option(tmp_path: Path) -> None:
    path = tmp_path / "layer.shp"
    compounds().to_file(path, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    content = bytearray(path.with_suffix(".dbf").read_bytes())
    content[29] = 0x4D
    path.with_suffix(".dbf").write_bytes(content)
    layer = read_layer(path)
    assert layer.frame["名称"].tolist() == compounds()["名称"].tolist()
    assert any("as its .dbf says" in note for note in layer.notes)


def test_a_utf8_shapefile_without_cpg_is_read_and_this_is_said(tmp_path: Path) -> None:
    path = tmp_path / "layer.shp"
    compounds().to_file(path, encoding="UTF-8")
    path.with_suffix(".cpg").unlink()
    layer = read_layer(path)
    assert layer.frame["名称"].tolist() == compounds()["名称"].tolist()
    assert any("utf-8, in which all of it is valid" in note for note in layer.notes)


def test_a_wrong_cpg_is_told_and_the_option_overrules_it(tmp_path: Path) -> None:
    path = tmp_path / "layer.shp"
    compounds().to_file(path, encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    with pytest.raises(FileEncodingError, match=r"as its \.cpg says"):
        read_layer(path)
    assert read_layer(path, encoding="GBK").frame["名称"].tolist()[0] == "桂花苑"
    path.with_suffix(".cpg").write_text("elvish")
    with pytest.raises(FileEncodingError, match="'elvish'"):
        read_layer(path)


def test_a_long_chinese_heading_is_cut_where_a_character_ends(tmp_path: Path) -> None:
    path = tmp_path / "layer.shp"
    compounds().rename(columns={"名称": "ABCDEFGHIJ"}).to_file(path, encoding="UTF-8")
    table = path.with_suffix(".dbf")
    cut = "小区全名".encode()[:10]
    table.write_bytes(table.read_bytes().replace(b"ABCDEFGHIJ", cut, 1))
    assert read_layer(path).frame["小区全"].tolist() == compounds()["名称"].tolist()


def test_a_shapefile_without_its_table_has_shapes_only(tmp_path: Path) -> None:
    path = tmp_path / "layer.shp"
    compounds().to_file(path)
    path.with_suffix(".dbf").unlink()
    layer = read_layer(path)
    assert list(layer.frame.columns) == ["row", "geometry"]
    assert any(".dbf" in note for note in layer.notes)


# GeoPackage, KML: several layers


def test_of_several_layers_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    compounds().to_file(path, layer="小区", driver="GPKG")
    compounds()[:1].to_file(path, layer="楼栋", driver="GPKG")
    with pytest.raises(LayerChoiceError, match="'小区', '楼栋': name one"):
        read_layer(path)
    assert len(read_layer(path, source_layer="楼栋").frame) == 1
    with pytest.raises(LayerChoiceError, match="no '街道'"):
        read_layer(path, source_layer="街道")


def test_an_empty_layer_beside_the_only_full_one_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    compounds()[:0].to_file(path, layer="a", driver="GPKG")
    compounds().to_file(path, layer="b", driver="GPKG")
    assert len(read_layer(path).frame) == 3


KML = (
    '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    '<Schema name="s" id="s"><SimpleField name="编号" type="string"/></Schema>{}</Document></kml>'
)
PLACEMARK = (
    '<Placemark><name>桂花苑</name><ExtendedData><SchemaData schemaUrl="#s">'
    '<SimpleData name="编号">007</SimpleData></SchemaData></ExtendedData><Polygon><outerBoundaryIs>'
    "<LinearRing><coordinates>113,23,5 113.1,23,5 113.1,23.1,5 113,23,5</coordinates></LinearRing>"
    "</outerBoundaryIs></Polygon></Placemark>"
)


def test_a_kml_folder_is_found_and_links_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    link = "<NetworkLink><Link><href>b.kml</href></Link></NetworkLink>"
    path.write_text(KML.format(f"<Folder><name>小区</name>{PLACEMARK}</Folder>{link}"), "utf-8")
    layer = read_layer(path)
    assert layer.frame["编号"].tolist() == ["007"]
    assert layer.frame["Name"].tolist() == ["桂花苑"]
    assert not layer.frame.geometry.has_z.any()
    assert any("heights" in note for note in layer.notes)
    assert "1 links to other files are not followed." in layer.notes


def test_of_several_kml_folders_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    folders = "".join(f"<Folder><name>{name}</name>{PLACEMARK}</Folder>" for name in "甲乙")
    path.write_text(KML.format(folders), "utf-8")
    with pytest.raises(LayerChoiceError, match="'甲', '乙'"):
        read_layer(path)
    assert len(read_layer(path, source_layer="乙").frame) == 1


# DXF


def test_a_drawing_gives_its_closed_polylines_and_tells_of_the_rest(tmp_path: Path) -> None:
    square = shapely.box(38_515_000, 2_548_000, 38_515_040, 2_548_020)
    entities = [
        *polyline(square, layer="楼栋"),
        *text("3栋", x=38_515_010, y=2_548_010),
        *polyline(shapely.box(38_515_050, 2_548_000, 38_515_060, 2_548_010), is_closed=False),
        *circle(x=38_515_000, y=2_548_000, radius=3),
        *insert("SHU", x=38_515_100, y=2_548_100),
    ]
    path = tmp_path / "a.dxf"
    path.write_bytes(written(entities, blocks=block("SHU", polyline(square))).encode("gbk"))
    layer = read_layer(path, crs="EPSG:4526")
    assert layer.frame["Text"].tolist() == ["3栋"]
    assert layer.frame["Layer"].tolist() == ["楼栋"]
    guessed = guess_columns(list(layer.frame.columns), layer="buildings")
    assert guessed.columns == {"name": "Text"}
    told = " ".join(layer.notes)
    for what in ("1 lines that are not closed", "1 circles", "1 inserted blocks"):
        assert what in told
    assert read_layer(path, crs="EPSG:4526", source_layer="楼栋").frame.shape[0] == 1
    with pytest.raises(UnreadableFileError, match="no closed polyline on the layer 'X'"):
        read_layer(path, crs="EPSG:4526", source_layer="X")


def test_two_texts_in_one_polygon_name_nothing(tmp_path: Path) -> None:
    square = shapely.box(0, 0, 40, 20)
    entities = [*polyline(square), *text("3栋", x=10, y=10), *text("6F", x=20, y=10)]
    (tmp_path / "a.dxf").write_bytes(written(entities).encode("gbk"))
    assert read_layer(tmp_path / "a.dxf", crs="EPSG:4490").frame["Text"].isna().all()


def test_blocks_in_blocks_do_not_swell(tmp_path: Path) -> None:
    blocks = block("B0", polyline(shapely.box(0, 0, 1, 1)))
    for depth in range(1, 25):
        blocks += block(f"B{depth}", insert(f"B{depth - 1}", x=0, y=0) * 10)
    entities = polyline(shapely.box(0, 0, 1, 1)) + insert("B24", x=0, y=0)
    (tmp_path / "a.dxf").write_text(written(entities, blocks=blocks))
    assert len(read_layer(tmp_path / "a.dxf", crs="EPSG:4490").frame) == 1


@pytest.mark.parametrize(
    "content", [b"AutoCAD Binary DXF\r\n\x1a\x00", b"0\nHELLO\n", written([]).encode()]
)
def test_a_drawing_without_polygons_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.dxf").write_bytes(content)
    with pytest.raises(UnreadableFileError):
        read_layer(tmp_path / "a.dxf", crs="EPSG:4526")


# CSV


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_csv_is_read_in_the_encodings_that_can_be_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, compounds(), encoding=encoding)
    layer = read_layer(path, crs="EPSG:4490")
    assert layer.frame["名称"].tolist() == compounds()["名称"].tolist()
    assert layer.frame["编码"].tolist() == compounds()["编码"].tolist()
    assert any("GB18030" in note for note in layer.notes) == (encoding == "gb18030")
    assert len(read_layer(path, crs="EPSG:4490", encoding=encoding).frame) == 3


def test_a_csv_in_another_encoding_than_declared_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, compounds(), encoding="gb18030")
    with pytest.raises(FileEncodingError, match="is not UTF-8"):
        read_layer(path, crs="EPSG:4490", encoding="UTF-8")
    path.write_bytes("name,lon,lat\n桂,113,23\n".encode() + b"\xff\xff,113,23\n")
    with pytest.raises(FileEncodingError, match="neither UTF-8 nor GB18030"):
        read_layer(path, crs="EPSG:4490")


@pytest.mark.parametrize(("delimiter", "note"), [(",", None), (";", "semicolons"), ("\t", "tabs")])
def test_a_csv_with_positions_is_read_with_any_of_three_delimiters(
    tmp_path: Path, delimiter: str, note: str | None
) -> None:
    rows = [
        ["编号", "名称", "经度", "纬度"],
        ["007", "甲", "113.15", "23.03"],
        ["8", "乙", "", "x"],
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    layer = read_layer(path, crs="EPSG:4326")
    assert layer.frame["编号"].tolist() == ["007", "8"]
    assert shapes_of(layer.frame) == [shapely.Point(113.15, 23.03), None]
    assert any("row 2: the position is no pair" in text for text in layer.notes)
    assert note is None or any(note in text for text in layer.notes)


def test_wkt_that_cannot_be_read_is_a_row_without_shape_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        'name,wkt\na,"POLYGON((0 0,1 0,1 1,0 0))"\nb,"POLYGON((0 0,1 0"\nc,\n'
        'd,"CIRCULARSTRING(0 0,1 1,2 0)"\n',
        encoding="utf-8",
    )
    layer = read_layer(path, crs="EPSG:4326")
    assert layer.frame.geometry.isna().tolist() == [False, True, True, True]
    assert "rows 2, 4: the geometry cannot be read." in layer.notes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,code\na,1\n", "has no geometry"),
        ("name,wkt,geom\na,,\n", "more than one geometry"),
        ("name,lon,lng,lat\na,1,1,1\n", "more than one geometry"),
        ("name,lon,lat\na,1,2,3\n", "line 2 has 4 fields, the headings are 3"),
        ("name,lon,lat\n", "no features"),
        ("\n\n", "is empty"),
        ('name,lon,lat\n"a,1,2\n', "not a table"),
        ("na\0me,lon,lat\na,1,2\n", "not text"),
    ],
)
def test_a_csv_that_is_no_layer_is_refused_with_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=reason):
        read_layer(tmp_path / "a.csv", crs="EPSG:4326")


@pytest.mark.parametrize(
    ("start", "kind"), [(b"Rar!\x1a\7", "a RAR archive"), (b"%PDF-1.7\n", "a PDF document")]
)
def test_a_csv_that_is_another_file_is_refused_by_its_name(
    tmp_path: Path, start: bytes, kind: str
) -> None:
    (tmp_path / "a.csv").write_bytes(start + bytes(20))
    with pytest.raises(UnreadableFileError, match=f"is .*{kind}: a table of text is wanted"):
        read_layer(tmp_path / "a.csv", crs="EPSG:4326")


def test_a_heading_that_stands_twice_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("名称,名称,lon,lat\n甲,乙,113,23\n", encoding="utf-8")
    layer = read_layer(tmp_path / "a.csv", crs="EPSG:4326")
    assert layer.frame["名称"].tolist() == ["甲"]
    assert layer.frame["名称 (2)"].tolist() == ["乙"]
    assert any("'名称 (2)'" in note for note in layer.notes)


# Parquet


def test_parquet_with_coordinates_in_lists_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    compounds()[:2].to_parquet(path, geometry_encoding="geoarrow")
    layer = read_layer(path)
    truth = compounds()[:2].to_crs(4326)
    assert shapes_of(layer.frame) == shapes_of(truth)


def test_parquet_without_geometry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    compounds().drop(columns="geometry").to_parquet(path)
    with pytest.raises(UnreadableFileError, match="without geometry"):
        read_layer(path)


def test_a_second_geometry_of_a_parquet_file_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame = compounds()
    frame = frame.assign(centre=frame.geometry.boundary)
    frame.to_parquet(path)
    layer = read_layer(path)
    assert "centre" not in layer.frame
    assert any("'centre'" in note for note in layer.notes)


# All together


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"layer.shp", "layer.zip", "layer.csv"}))
def test_a_declared_encoding_is_refused_where_the_format_has_its_own(
    tmp_path: Path, name: str
) -> None:
    path = write_layer(tmp_path, name)
    with pytest.raises(FileEncodingError, match="GBK was declared"):
        read_layer(path, crs=CRS_OF.get(name), encoding="GBK")
    assert len(read_layer(path, crs=CRS_OF.get(name), encoding="utf-8").frame)


def test_limits_may_be_set_by_the_caller(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "layer.gpkg")
    assert len(read_layer(path, limits=FileLimits(features=3)).frame) == 3


def test_what_other_software_writes_is_what_the_tests_write(tmp_path: Path) -> None:
    """The writers of this test are GDAL's and geopandas', not readers' twins."""
    path = write_layer(tmp_path, "layer.gpkg")
    assert pyogrio.read_info(path)["driver"] == "GPKG"
    same = geopandas.read_file(path)
    assert isinstance(same, GeoDataFrame)
    assert same["编码"].tolist() == read_layer(path).frame["编码"].tolist()
    write_zip(tmp_path / "b.zip", compounds())
    assert len(drawing([("a", shapely.box(0, 0, 1, 1))]))

"""Files of every format, read back by the programs that planners have."""

import datetime
import json
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely
from geopandas import GeoDataFrame
from pyarrow.parquet import ParquetFile
from pyproj import CRS
from python_calamine import CalamineWorkbook

from geodata.errors import InvalidParameterError, TooManyRowsError, UnwritableFileError
from geodata.writers import gdal, parquet, workbook
from geodata.writers.formats import FORMATS
from geodata.writers.target import parse_target
from tests.geodata.writers.gates import CHECKED, COMMUNITY, GATES, NAMES, batches, square

FILES = ("gpkg", "fgb", "shp", "parquet")
SHORT = {"comm_code": "community_code", "households": "household_count"}


def write(folder: Path, name: str, *, crs: str = "4326", count: int = 6) -> Path:
    path = folder / f"export{FORMATS[name].suffix}"
    make = FORMATS[name].write
    assert make is not None
    make(path, GATES, batches(count), target=parse_target(crs))
    assert [left.name for left in folder.iterdir()] == [path.name], "nothing is left beside it"
    return path


def read(path: Path) -> GeoDataFrame:
    """Return a file in the order of its codes; of FlatGeobuf the order is that of places."""
    if path.suffix == ".parquet":
        found = geopandas.read_parquet(path)
    else:
        found = pyogrio.read_dataframe(f"/vsizip/{path}" if path.suffix == ".zip" else path)
    return found.rename(columns=SHORT).sort_values("code").reset_index(drop=True)


def crs_of(rows: GeoDataFrame) -> CRS:
    assert rows.crs is not None
    return rows.crs


@pytest.mark.parametrize("name", FILES)
def test_every_row_comes_back_with_its_types(tmp_path: Path, name: str) -> None:
    gates = read(write(tmp_path, name))
    assert crs_of(gates).to_epsg() == 4326
    assert gates["code"].tolist() == [f"{COMMUNITY}{number:08d}" for number in range(6)]
    assert gates["community_code"].tolist() == [COMMUNITY] * 6
    names = [text if len(text.encode()) < 254 or name != "shp" else "长" * 84 for text in NAMES]
    assert gates["name"].tolist() == names
    assert gates["household_count"].isna().tolist() == [False, True] * 3
    assert gates["household_count"].dropna().tolist() == [20, 22, 24]
    assert [bool(value) for value in gates["is_open"].dropna()] == [True, False, True]
    days = pd.to_datetime(gates["built_on"]).dropna()
    assert {day.date() for day in days} == {datetime.date(2006, 2, 28)}
    for number, shape in enumerate(gates.geometry):
        assert shape.equals(square(number))


@pytest.mark.parametrize("name", ["gpkg", "fgb", "parquet"])
def test_instants_come_back_as_instants(tmp_path: Path, name: str) -> None:
    found = read(write(tmp_path, name))["checked_at"]
    assert found[0] == pd.Timestamp(CHECKED)
    assert found.isna().tolist() == [False, True] * 3


def test_a_shapefile_tells_day_and_time_as_they_are_in_china(tmp_path: Path) -> None:
    path = write(tmp_path, "shp")
    shapes = read(path)
    assert shapes["check_at"][0] == "2020-05-05T04:30:15+08:00"
    assert pd.Timestamp(shapes["check_on"][0]).date() == datetime.date(2020, 5, 5)
    with zipfile.ZipFile(path) as file:
        assert sorted(name.rpartition(".")[2] for name in file.namelist()) == [
            *("cpg", "dbf", "prj", "shp", "shx", "txt")
        ]
        assert file.read("gates.cpg") == b"UTF-8"
    assert all(len(column) <= 10 for column in pyogrio.read_info(f"/vsizip/{path}")["fields"])


@pytest.mark.parametrize("name", FILES)
def test_no_rows_give_a_file_without_rows(tmp_path: Path, name: str) -> None:
    empty = read(write(tmp_path, name, count=0))
    assert len(empty) == 0
    assert "code" in empty.columns


@pytest.mark.parametrize("name", FILES)
def test_a_projected_file_is_in_metres_and_says_in_which(tmp_path: Path, name: str) -> None:
    gates = read(write(tmp_path, name, crs="4547"))
    assert crs_of(gates).to_epsg() == 4547
    back = gates.to_crs(4326).geometry
    assert all(
        back[number].equals_exact(square(number), 1e-8, normalize=True) for number in range(6)
    )


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_a_shifted_file_claims_no_code_and_bears_its_name(
    tmp_path: Path, name: str, crs: str
) -> None:
    gates = read(write(tmp_path, name, crs=crs))
    assert crs_of(gates).to_epsg() is None
    assert crs_of(gates).name.startswith({"gcj02": "GCJ-02", "bd09": "BD-09"}[crs])
    moved = parse_target(crs).apply(np.array([square(0)]))[0]
    assert gates.geometry[0].equals_exact(moved, 1e-9, normalize=True)


def test_layer_and_description_tell_a_shift(tmp_path: Path) -> None:
    path = write(tmp_path, "gpkg", crs="gcj02")
    with sqlite3.connect(path) as database:
        (content,) = database.execute(
            "SELECT table_name, identifier, description, srs_id FROM gpkg_contents"
        ).fetchall()
    database.close()
    assert content[:2] == ("gates_gcj02", "gates_gcj02")
    assert "GCJ-02" in content[2]
    assert content[3] not in {4326, 4490, 0, -1}
    target = parse_target("gcj02")
    flat = tmp_path / "gates.fgb"
    gdal.write_flatgeobuf(flat, GATES, batches(), target=target)
    found = pyogrio.read_info(flat)
    assert found["layer_metadata"] == {"TITLE": "gates_gcj02", "DESCRIPTION": target.note}
    note = ParquetFile(_parquet(tmp_path, target)).metadata.metadata[b"crs_note"]
    assert note.decode() == target.note


def _parquet(folder: Path, target: Any) -> Path:
    path = folder / "gates.parquet"
    parquet.write_geoparquet(path, GATES, batches(), target=target)
    return path


def test_a_shifted_shapefile_has_a_note_beside_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path, "shp", crs="bd09")) as file:
        assert "gates_bd09.shp" in file.namelist()
        assert "BD-09" in file.read("gates_bd09.txt").decode()


def test_geoparquet_holds_the_metadata_of_its_standard(tmp_path: Path) -> None:
    file = ParquetFile(write(tmp_path, "parquet", count=7))
    geo = json.loads(file.metadata.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Polygon"])
    assert column["bbox"] == pytest.approx([113.15, 23.03, 113.163, 23.031])
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4326}
    assert file.num_row_groups == 1, "batches are gathered"


def test_qgis_and_gdal_of_2022_read_the_geopackage(tmp_path: Path) -> None:
    said = subprocess.run(  # noqa: S603
        ["ogrinfo", "-al", "-so", write(tmp_path, "gpkg")],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == ""
    assert "Feature Count: 6" in said.stdout


# ---- XLSX


def sheets(path: Path) -> tuple[list[str], list[list[Any]]]:
    book = CalamineWorkbook.from_path(path)
    return book.sheet_names, book.get_sheet_by_index(0).to_python()


def test_a_workbook_has_text_codes_real_dates_and_a_point(tmp_path: Path) -> None:
    names, table = sheets(write(tmp_path, "xlsx"))
    assert names == ["gates", "说明 notes"]
    assert table[0] == [*(field.name for field in GATES.fields), "lon", "lat"]
    first, second = table[1], table[2]
    assert first[:3] == [f"{COMMUNITY}00000000", str(COMMUNITY), "东门"]
    assert (first[3], first[4]) == (20.0, True)
    assert first[5] == datetime.date(2006, 2, 28)
    assert first[6] == datetime.datetime(2020, 5, 5, 4, 30, 15)  # noqa: DTZ001  (Excel has none)
    assert second[2:7] == ["=1+1", "", "", "", ""]
    assert [row[2] for row in table[1:]] == list(NAMES)
    for number, row in enumerate(table[1:]):
        assert square(number).contains(shapely.Point(row[7], row[8]))


def test_a_workbook_holds_no_formula_and_a_frozen_header(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path, "xlsx")) as file:
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 'ySplit="1"' in sheet
    assert 'state="frozen"' in sheet


@pytest.mark.parametrize(
    ("crs", "columns"),
    [("4490", ["lon_epsg4490", "lat_epsg4490"]), ("4547", ["x_epsg4547", "y_epsg4547"])],
)
def test_the_columns_of_a_point_tell_its_coordinates(
    tmp_path: Path, crs: str, columns: list[str]
) -> None:
    names, table = sheets(write(tmp_path, "xlsx", crs=crs))
    assert names[0] == f"gates_epsg{crs}"
    assert table[0][-2:] == columns


def test_more_rows_than_a_sheet_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 5)
    with pytest.raises(TooManyRowsError, match="5 rows"):
        workbook.write_workbook(
            tmp_path / "gates.xlsx", GATES, batches(6), target=parse_target("4326")
        )


# ---- faults


def broken() -> Iterator[pa.RecordBatch]:
    yield from batches(4)
    raise InvalidParameterError("row", 5, "readable")


@pytest.mark.parametrize("name", [*FILES, "xlsx"])
def test_a_fault_of_the_rows_is_told_as_it_is(tmp_path: Path, name: str) -> None:
    make = FORMATS[name].write
    assert make is not None
    path = tmp_path / f"export{FORMATS[name].suffix}"
    with pytest.raises(InvalidParameterError, match="readable"):
        make(path, GATES, broken(), target=parse_target("4326"))


@pytest.mark.parametrize("name", ["gpkg", "fgb", "parquet", "xlsx"])
def test_a_file_that_cannot_be_written_is_one_sentence_without_its_folder(
    tmp_path: Path, name: str
) -> None:
    make = FORMATS[name].write
    assert make is not None
    path = tmp_path / "absent" / f"export{FORMATS[name].suffix}"
    with pytest.raises(UnwritableFileError) as told:
        make(path, GATES, batches(), target=parse_target("4326"))
    assert str(tmp_path) not in str(told.value)
    assert "\n" not in str(told.value)

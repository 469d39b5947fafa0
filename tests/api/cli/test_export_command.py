"""Exports at the command line: the planner's columns, in the format that the file's name tells."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import pyogrio
import pytest

from gridsvc import setup
from tests import town
from tests.api.cli.conftest import Answer, GridHere
from tests.databases import Clone

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET
Export = Callable[..., Answer]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture
def export(grid_here: GridHere, town_database: Clone) -> Export:
    def run(*words: str, street: int = STREET) -> Answer:
        return grid_here(
            *("export", *words, "--street", str(street)),
            DATABASE_URL=town_database.url(setup.API),
            GRID_JOB_URL=town_database.url(setup.JOB),
        )

    return run


@pytest.mark.parametrize(
    "name",
    ["s.geojson", "s.geojsons", "s.csv", "s.gpkg", "s.fgb", "s.parquet", "s.shp.zip", "s.xlsx"],
)
def test_the_name_of_the_file_tells_the_format(export: Export, folder: Path, name: str) -> None:
    file = folder / name
    answer = export("stairwells", str(file))
    assert answer.returncode == 0, answer.stderr
    assert f"{file.stat().st_size:,}" in answer.stdout
    assert [path.name for path in folder.iterdir()] == [name], "nothing is left beside it"
    if name.endswith((".gpkg", ".fgb", ".geojson", ".geojsons")):
        assert len(pyogrio.read_dataframe(file)) == 24
    elif name.endswith(".parquet"):
        assert len(geopandas.read_parquet(file)) == 24
    elif name.endswith((".zip", ".xlsx")):
        assert zipfile.is_zipfile(file)


def test_counts_follow_the_rule_for_the_operator_too(export: Export, folder: Path) -> None:
    file = folder / "s.geojson"
    assert export("stairwells", str(file), "--community", str(A)).returncode == 0
    features = json.loads(file.read_text(encoding="utf-8"))["features"]
    counts = [one["properties"]["household_count"] for one in features]
    assert sorted(counts, key=str) == [30] * 4 + [None] * 8


def test_filters_and_coordinates_are_those_of_the_service(export: Export, folder: Path) -> None:
    file = folder / "i.bin"
    words = ("--format", "gpkg", "--crs", "4547", "--from", "2020-05-10", "--to", "2020-05-12")
    assert export("incidents", str(file), *words).returncode == 0
    incidents = pyogrio.read_dataframe(file.rename(folder / "i.gpkg"))
    assert len(incidents) == 3
    assert incidents.crs.to_epsg() == 4547
    assert "summary" not in incidents.columns
    parking = folder / "p.csv"
    assert export("incidents", str(parking), "--category", "parking").returncode == 0
    assert len(parking.read_text(encoding="utf-8-sig").splitlines()) == 1 + 14
    boxed = folder / "b.geojson"
    west, south = town.place(A, 0, 0)
    box = f"{west},{south},{west + 0.0012},{south + 0.0012}"
    assert export("buildings", str(boxed), "--bbox", box, "--as-of", "2100-01-01").returncode == 0
    assert len(json.loads(boxed.read_text(encoding="utf-8"))["features"]) == 1


def test_a_file_that_is_there_is_replaced(export: Export, folder: Path) -> None:
    file = folder / "c.geojson"
    file.write_text("was here", encoding="utf-8")
    assert export("communities", str(file)).returncode == 0
    assert len(json.loads(file.read_text(encoding="utf-8"))["features"]) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("members", "{}/m.gpkg"), "No layer members"),
        (("stairwells", "{}/s.pdf"), "There is no format 'pdf'"),
        (("stairwells", "{}/s.geojson", "--crs", "4547"), "RFC 7946"),
        (("stairwells", "{}/s.gpkg", "--crs", "mars"), "'mars'"),
        (("stairwells", "{}/s.gpkg", "--community", "440605011998"), "No community 440605011998"),
        (("walkways", "{}/s.gpkg", "--as-of", "2020-01-01"), "takes no as_of"),
        (("stairwells", "{}/absent/s.gpkg"), "s.gpkg cannot be written"),
        (("stairwells", "{}/s.csv", "--bbox", "1,2,3"), "bbox is '1,2,3'"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_no_file(
    export: Export, folder: Path, words: tuple[str, ...], sentence: str
) -> None:
    answer = export(*(word.format(folder) for word in words))
    assert answer.returncode == 1
    assert answer.stdout == ""
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith("grid: ")
    assert sentence in last
    assert list(folder.iterdir()) == []


def test_a_compound_without_its_digits_is_a_wrong_option(export: Export, folder: Path) -> None:
    answer = export("stairwells", str(folder / "s.csv"), "--compound", "12")
    assert answer.returncode == 2
    assert "15 digits" in answer.stderr

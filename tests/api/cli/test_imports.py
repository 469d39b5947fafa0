"""Imports as a planner runs them, with the wrong file as well."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.cli.commands import DATA, ROOT, data_folder, figure, grid
from tests.api.cli.conftest import GridHere

pytestmark = [
    pytest.mark.db,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent"),
]
BALTIMORE = 440605011091
MAPPING = ROOT / "tests" / "geodata" / "fixtures" / "baltimore.yaml"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def import_osm(home: Path, name: str, *words: str) -> tuple[int, str, str]:
    answer = grid(
        home,
        *("import", "osm", str(DATA / "osm" / f"{name}.osm.pbf")),
        *("--community", str(BALTIMORE), "--name", "Baltimore", *words),
    )
    return answer.returncode, answer.stdout, answer.stderr


@pytest.fixture(scope="module")
def community(home: Path) -> str:
    code, table, words = import_osm(home, "baltimore")
    assert code == 0, words
    return table


def test_a_dry_run_writes_nothing(grid_here: GridHere, tmp_path: Path) -> None:
    file = DATA / "osm" / "yiyang_jiangxi.osm.pbf"
    answer = grid_here(
        *("import", "osm", str(file), "--community", str(BALTIMORE), "--name", "x", "--dry-run")
    )
    assert answer.returncode == 0
    assert "nothing written" in answer.stdout
    assert figure(answer.stdout, "buildings made") == "36"
    assert not (tmp_path / "home").exists()


def test_a_community_is_loaded_as_it_was_made(community: str) -> None:
    for layer in ("compounds", "buildings", "stairwells", "walkways"):
        assert figure(community, f"loaded: {layer}") == figure(community, f"{layer} made")


def test_the_same_community_again_is_refused_whole(home: Path, community: str) -> None:
    assert community
    code, _, words = import_osm(home, "baltimore")
    assert code == 1
    assert words.strip().splitlines()[-1].startswith("grid: 1 community codes exist already")
    assert "Traceback" not in words


def test_incidents_add_up_and_come_once(home: Path, community: str, tmp_path: Path) -> None:
    assert community
    rejects = tmp_path / "rejects.csv"
    words = (
        *("import", "incidents", str(DATA / "incidents" / "baltimore_311.csv")),
        *("--mapping", str(MAPPING), "--street", "440605011000", "--rejects", str(rejects)),
    )
    first = grid(home, *words)
    assert first.returncode == 0, first.stderr
    table = first.stdout
    assert figure(table, "rows read") == "10000"
    assert figure(table, "rejects") == "1475"
    assert figure(table, "incidents") == figure(table, "loaded") == "8525"
    places = ("in stairwell", "in compound", "in community", "in outside")
    assert sum(int(figure(table, place)) for place in places) == 8525
    assert int(figure(table, "in outside")) < 7000  # the community is the part with buildings
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1475
    assert {row["reason"] for row in rows} == {"no-coordinates", "placeholder"}

    again = grid(home, *words)
    assert figure(again.stdout, "loaded") == "0"
    assert figure(again.stdout, "known already") == "8525"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("osm", "{csv}", "--community", "440605011016", "--name", "x"), "baltimore_311.csv"),
        (("osm", "{pbf}", "--community", "440605011000", "--name", "x"), "community"),
        (("osm", "absent.osm.pbf", "--community", "440605011016", "--name", "x"), "absent"),
        (("incidents", "{pbf}", "--mapping", "{map}", "--street", "440605011000"), "yiyang"),
        (("incidents", "{csv}", "--mapping", "{csv}", "--street", "440605011000"), "baltimore"),
    ],
)
def test_a_wrong_file_is_one_sentence(
    grid_here: GridHere, words: tuple[str, ...], sentence: str
) -> None:
    paths = {
        "csv": DATA / "incidents" / "baltimore_311.csv",
        "pbf": DATA / "osm" / "yiyang_jiangxi.osm.pbf",
        "map": MAPPING,
    }
    answer = grid_here("import", *(word.format(**paths) for word in words))
    assert answer.returncode == 1
    assert answer.stdout == ""
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith("grid: ")
    assert sentence in last
    assert "Traceback" not in answer.stderr

"""Templates as an office asks for them."""

from pathlib import Path

from geodata.register import read_register
from geodata.templates import KINDS
from tests.api.cli.conftest import GridHere


def test_every_kind_of_template_is_written(grid_here: GridHere, tmp_path: Path) -> None:
    for kind in KINDS:
        path = tmp_path / f"{kind}.xlsx"
        answer = grid_here("template", kind, str(path))
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout == ""
        assert path.stat().st_size > 5_000
    assert len(read_register(tmp_path / "households.xlsx").records) == 1


def test_a_file_is_written_over_only_by_force(grid_here: GridHere, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"mine")
    answer = grid_here("template", "members", str(path))
    assert answer.returncode == 1
    assert "grid: a.xlsx cannot be written: there is such a file already." in answer.stderr
    assert path.read_bytes() == b"mine"
    assert grid_here("template", "members", str(path), "--force").returncode == 0
    assert path.read_bytes() != b"mine"


def test_an_unknown_kind_or_name_is_refused_in_a_sentence(
    grid_here: GridHere, tmp_path: Path
) -> None:
    answer = grid_here("template", "houses", str(tmp_path / "a.xlsx"))
    assert answer.returncode == 2
    assert "households" in answer.stderr
    answer = grid_here("template", "members", str(tmp_path / "a.csv"))
    assert answer.returncode == 1
    assert "ends in .xlsx" in answer.stderr
    assert not list(tmp_path.glob("a.*"))


def test_templates_are_among_the_commands(grid_here: GridHere) -> None:
    assert "template" in grid_here("--help").stdout

"""Which server is chosen, and what is said where none will do."""

from pathlib import Path

import pytest

from gridsvc.embedded import EXTENSIONS, find_binaries
from gridsvc.errors import PostgisMissingError, PostgresMissingError


def install(folder: Path, *, major: int, extensions: tuple[str, ...]) -> Path:
    """Make the programs and the share folder of a server that only says what it is."""
    programs, share = folder / "bin", folder / "share"
    (share / "extension").mkdir(parents=True)
    programs.mkdir()
    for extension in extensions:
        (share / "extension" / f"{extension}.control").touch()
    answers = {
        "postgres": f"postgres (PostgreSQL) {major}.4",
        "pg_config": str(share),
        "initdb": "",
        "pg_ctl": "",
    }
    for program, answer in answers.items():
        path = programs / program
        path.write_text(f'#!/bin/sh\necho "{answer}"\n')
        path.chmod(0o755)
    return programs


@pytest.mark.db
def test_the_systems_server_has_all_that_is_needed() -> None:
    found = find_binaries()
    assert found.missing == ()
    assert found.major >= 15
    assert (found.folder / "pg_ctl").exists()


def test_a_folder_of_programs_that_was_asked_for_is_used(tmp_path: Path) -> None:
    programs = install(tmp_path, major=17, extensions=EXTENSIONS)
    found = find_binaries(programs)
    assert (found.folder, found.major) == (programs, 17)


@pytest.mark.parametrize("present", [(), ("btree_gist",)])
def test_missing_postgis_names_the_package(tmp_path: Path, present: tuple[str, ...]) -> None:
    programs = install(tmp_path, major=16, extensions=present)
    with pytest.raises(PostgisMissingError) as caught:
        find_binaries(programs)
    assert caught.value.missing == tuple(name for name in EXTENSIONS if name not in present)
    for words in (
        "PostgreSQL 16",
        "lacks postgis",
        "apt-get install postgresql postgresql-postgis",
        "postgresql-16-postgis-3",
        "brew install postgis",
        "DATABASE_URL",
    ):
        assert words in str(caught.value)


def test_a_missing_server_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(PostgresMissingError) as caught:
        find_binaries(tmp_path)
    assert "found none" in str(caught.value)
    assert "apt-get install postgresql postgresql-postgis" in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)


def test_a_server_that_is_too_old_is_named(tmp_path: Path) -> None:
    programs = install(tmp_path, major=13, extensions=EXTENSIONS)
    with pytest.raises(PostgresMissingError, match="found only 13"):
        find_binaries(programs)


def test_programs_that_cannot_run_are_no_server(tmp_path: Path) -> None:
    programs = install(tmp_path, major=16, extensions=EXTENSIONS)
    (programs / "postgres").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(PostgresMissingError):
        find_binaries(programs)


def test_postgis_comes_before_a_newer_version_and_the_datas_version_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = [
        install(tmp_path / "a", major=15, extensions=EXTENSIONS),
        install(tmp_path / "b", major=16, extensions=EXTENSIONS),
        install(tmp_path / "c", major=17, extensions=("btree_gist",)),
    ]
    places = tuple(str(folder.relative_to("/")) for folder in programs)
    monkeypatch.setattr("gridsvc.embedded.binaries.PLACES", places)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binaries().major == 16
    assert find_binaries(major=15).major == 15

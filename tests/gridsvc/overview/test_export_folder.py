"""Files that are kept for a while: made once, whole, and let go in time."""

import os
import threading
import time
from pathlib import Path

import pytest

from geodata.errors import InvalidParameterError
from gridsvc.overview.export_folder import ExportFolder


@pytest.fixture
def folder(tmp_path: Path) -> ExportFolder:
    return ExportFolder(tmp_path / "home" / "exports")


def put(folder: ExportFolder, key: str, content: bytes) -> bytes:
    """Ask for a key with something that would write this, and return what it holds."""
    with folder.open(key, ".shp.zip", lambda path: _write(path, content)) as file:
        return file.read()


def _write(path: Path, content: bytes) -> None:
    assert path.name.endswith(".shp.zip")
    path.write_bytes(content)


def names(folder: ExportFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir() if not path.name.startswith("."))


def age(folder: ExportFolder, name: str, by_s: float) -> None:
    at = time.time() - by_s
    os.utime(folder.path / name, (at, at))


def test_a_file_is_made_once(folder: ExportFolder) -> None:
    assert put(folder, "a", b"first") == b"first"
    assert put(folder, "a", b"second") == b"first"
    assert put(folder, "b", b"third") == b"third"
    assert names(folder) == ["a.shp.zip", "b.shp.zip"]


def test_those_who_ask_at_once_wait_for_one(folder: ExportFolder) -> None:
    made: list[int] = []
    found: list[bytes] = []

    def slow(path: Path) -> None:
        made.append(1)
        time.sleep(0.1)
        path.write_bytes(b"content")

    def ask() -> None:
        with folder.open("a", ".fgb", slow) as file:
            found.append(file.read())

    askers = [threading.Thread(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(timeout=10)
    assert (len(made), found) == (1, [b"content"] * 6)


def test_what_fails_leaves_nothing_and_the_next_one_tries_again(folder: ExportFolder) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise InvalidParameterError("row", 5, "readable")

    with pytest.raises(InvalidParameterError):
        folder.open("a", ".fgb", fail)
    assert names(folder) == []
    assert not list(folder.path.glob(".making-*"))
    assert put(folder, "a", b"whole") == b"whole"


def test_what_is_over_age_goes_and_is_made_anew(folder: ExportFolder) -> None:
    for key in ("old", "new"):
        put(folder, key, b"first")
    age(folder, "old.shp.zip", folder.keep_s + 1)
    assert put(folder, "old", b"second") == b"second"
    age(folder, "old.shp.zip", folder.keep_s + 1)
    put(folder, "another", b"x")
    assert names(folder) == ["another.shp.zip", "new.shp.zip"]


def test_the_oldest_go_where_all_are_too_large(tmp_path: Path) -> None:
    folder = ExportFolder(tmp_path, most_bytes=25)
    for number, key in enumerate("abcd"):
        put(folder, key, b"0123456789")
        age(folder, f"{key}.shp.zip", 100 - number)
    folder.sweep()
    assert names(folder) == ["c.shp.zip", "d.shp.zip"]


def test_what_somebody_left_unfinished_goes_too(folder: ExportFolder) -> None:
    put(folder, "a", b"x")
    left = folder.path / ".making-crashed"
    left.mkdir()
    (left / "export.fgb").write_bytes(b"half")
    folder.sweep()
    assert left.exists(), "somebody may be at it"
    age(folder, left.name, folder.keep_s + 1)
    folder.sweep()
    assert not left.exists()


def test_what_is_being_sent_stays_whole_when_it_is_removed(folder: ExportFolder) -> None:
    with folder.open("a", ".fgb", lambda path: _ignore(path.write_bytes(b"content"))) as file:
        age(folder, "a.fgb", folder.keep_s + 1)
        folder.sweep()
        assert names(folder) == []
        assert file.read() == b"content"


def _ignore(_: int) -> None:
    """Drop a count of bytes."""

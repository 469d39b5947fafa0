"""Locks pin files by hash and name no address, so that each machine uses its own mirror."""

import json
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PYTHON_LOCKS = ["requirements.lock", "requirements-dev.lock"]
MAP_LOCK = "maps/assets/package-lock.json"


def pins(name: str) -> dict[str, str]:
    """Each package of a Python lock, with what follows its name up to the next one."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)(==(?:.|\n(?=\s))*)", text, re.MULTILINE))


@pytest.mark.parametrize("name", [*PYTHON_LOCKS, MAP_LOCK])
def test_a_lock_names_no_address(name: str) -> None:
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if "://" in line] == []


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_a_python_lock_holds_pins_with_hashes_and_nothing_else(name: str) -> None:
    pinned = pins(name)
    assert len(pinned) > 30
    assert [package for package, rest in pinned.items() if "--hash=sha256:" not in rest] == []
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    at_margin = [line for line in lines if not line.startswith(" ")]
    assert {line.partition("==")[0] for line in at_margin} == set(pinned)


def test_what_serves_the_tests_serves_the_program() -> None:
    program, tests = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {package: tests.get(package) for package in program} == program


def test_the_map_lock_pins_what_package_json_asks_for_exactly() -> None:
    asked = json.loads((PROJECT / "maps/assets/package.json").read_text(encoding="utf-8"))
    locked = json.loads((PROJECT / MAP_LOCK).read_text(encoding="utf-8"))["packages"]
    for package, version in asked["dependencies"].items():
        assert locked[f"node_modules/{package}"]["version"] == version
    assert [path for path, entry in locked.items() if path and "integrity" not in entry] == []

"""The rules that no linter holds: frames and CRS, errors and statuses, links, settings."""

import inspect
import re
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

from api.errors import STATUSES, status_of
from geodata import errors as geodata_errors
from gridsvc import errors as gridsvc_errors
from gridsvc.settings import Settings
from maps import errors as maps_errors
from tests.house_rules import (
    PROJECT,
    anchors,
    broken_links,
    count_frame_functions,
    documents,
    frame_functions_without_crs,
    settings_table,
    sources,
)

MODULES: tuple[ModuleType, ...] = (geodata_errors, gridsvc_errors, maps_errors)

# Faults of our own set-up or of a call from our own code: no request can bring them about, so
# 500 is what they are.
OURS_ALONE = {
    "GridsvcError",
    "AddressInUseError",
    "TooManyIntervalsError",
    "UnsoundProblemError",
    "WrongDataKeyError",
    *(name for name in vars(gridsvc_errors) if name.startswith(("Postg", "EmbeddedPostgres"))),
    *("JobCrashedError", "JobFailedError", "UnknownJobKindError"),  # codes of jobs, never answers
    "InvalidNoticeError",
    *("DatabaseUserError", "DatabaseFolderError", "DatabaseVersionError", "DiskFullError"),
}


def error_classes(*modules: ModuleType) -> list[type[Exception]]:
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == module.__name__
    ]


ERRORS = error_classes(*MODULES)


# ---- frames


def test_a_public_function_on_frames_names_a_crs() -> None:
    modules = list(sources())
    assert count_frame_functions(modules) > 50
    assert frame_functions_without_crs(modules) == []


def test_a_function_on_frames_without_a_crs_is_noticed() -> None:
    text = '''
def shown(area: "GeoDataFrame") -> int:
    """Count the rows."""

def told(*, area: GeoSeries | None = None) -> int:
    """Count the rows of an area; EPSG:4326."""

def _private(area: GeoDataFrame) -> None: ...

class Map:
    def draw(self) -> dict[str, GeoDataFrame]: ...
'''
    assert frame_functions_without_crs([("town.py", text)]) == ["town.py: shown", "town.py: draw"]


# ---- errors


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_has_one_line_a_code_and_a_name(kind: type[Exception]) -> None:
    doc = inspect.cleandoc(vars(kind).get("__doc__") or "")
    assert doc, "an error says what it means"
    assert "\n" not in doc.partition("\n\n")[0]
    assert doc.partition("\n\n")[0].endswith(".")
    assert kind.__name__.endswith("Error")
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", vars(kind).get("code", ""))


def test_no_two_errors_share_a_code() -> None:
    codes = [vars(kind)["code"] for kind in ERRORS]
    assert len(codes) > 30
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    "kind", error_classes(geodata_errors, gridsvc_errors), ids=lambda kind: kind.__name__
)
def test_an_error_has_a_status_that_is_not_the_last_resort(kind: type[Exception]) -> None:
    status = status_of(kind.__new__(kind))
    assert (status == 500) == (kind.__name__ in OURS_ALONE)


def test_what_is_excused_from_a_status_exists() -> None:
    assert {kind.__name__ for kind in ERRORS} >= OURS_ALONE
    assert set(STATUSES) <= set(ERRORS)


def test_an_error_without_a_status_is_noticed() -> None:
    class StrayError(gridsvc_errors.GridsvcError):
        """Something new."""

    assert status_of(StrayError()) == 500
    assert StrayError.__name__ not in OURS_ALONE


# ---- documents


def test_links_and_anchors_resolve() -> None:
    found = documents()
    assert {"README.md", "CONTRIBUTING.md", "SETTINGS.md"} <= {path.name for path in found}
    assert broken_links(found) == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Où `x`, y?\n\n## Same\n\n## Same\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#où-x-y) [c](gone.md) [d](other.md#nowhere) [e](#here)\n"
        "[f](https://example.org/x) `[g](in-code.md)` ![h](picture.png) [i](other.md#same-1)\n"
        "```\n[j](in-a-block.md)\n```\n# Here\n[k]: gone-too.md\n",
        encoding="utf-8",
    )
    assert broken_links([page]) == [
        "page.md: gone.md",
        "page.md: other.md#nowhere",
        "page.md: picture.png",
        "page.md: gone-too.md",
    ]
    assert anchors(tmp_path / "other.md") == {"où-x-y", "same", "same-1"}


# ---- settings


def names_of_settings() -> dict[str, object]:
    """Return the variable of each setting, with its default."""
    return {
        str(field.validation_alias or f"GRID_{name}".upper()): field.default
        for name, field in Settings.model_fields.items()
    }


def test_each_setting_is_documented_with_its_default() -> None:
    text = (PROJECT / "docs" / "SETTINGS.md").read_text(encoding="utf-8")
    told = settings_table(text.partition("## The script")[0])
    settings = names_of_settings()
    assert set(told) == set(settings)
    for name, default in settings.items():
        if default is not None:
            shown = default.value if isinstance(default, Enum) else default
            expected = str(shown).lower() if isinstance(shown, bool) else str(shown)
            assert told[name].startswith(f"`{expected}`"), name


def test_each_setting_of_the_script_is_documented() -> None:
    text = (PROJECT / "docs" / "SETTINGS.md").read_text(encoding="utf-8")
    script = (PROJECT / "grid").read_text(encoding="utf-8")
    told = settings_table(text)
    assert set(re.findall(r"\bGRID_[A-Z_]+", script)) - {"GRID_"} <= set(told)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_is_used(name: str) -> None:
    used = re.compile(rf"\bsettings\.{name}\b")
    assert [module for module, text in sources() if used.search(text)]

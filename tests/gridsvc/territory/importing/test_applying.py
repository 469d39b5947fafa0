"""Applying a file: added, changed or the same by code; all of it or nothing; what was is kept."""

import threading
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from shapely import Polygon, box
from sqlalchemy import text

from geodata.errors import InvalidParameterError
from gridsvc.errors import ImportStateError, NotFoundError
from gridsvc.territory.importing import service
from gridsvc.territory.importing.model import Decision
from tests import town
from tests.databases import Clone
from tests.gridsvc.territory.importing.files import (
    DAY,
    Row,
    administrator,
    apply,
    blocked,
    bring_in,
    geojson,
    rows_of,
    stage,
    wish,
)

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
TOWN = town.make_territory()
COMPOUND = town.compound_code(A)
BUILDING = f"{COMPOUND}001"
GRIDS = ("compound", "building", "stairwell")


def between(name: str = "3栋", x: float = 4, **properties: object) -> Row:
    """Return a building between the two of a compound of community A."""
    return {"name": name, **properties}, town.rectangle(A, (x, 12), (5, 4))


def state_of(clone: Clone) -> list[tuple[object, ...]]:
    """Return everything that grids and their versions are."""
    found: list[tuple[object, ...]] = []
    with clone.root.connect() as connection:
        for grid in GRIDS:
            for table in (grid, f"{grid}_version"):
                rows = connection.execute(text(f"SELECT t::text FROM gridsvc.{table} t ORDER BY 1"))  # noqa: S608
                found += [(table, *row) for row in rows]
    return found


def add_ended(clone: Clone, code: str) -> None:
    """Add a building that has ended long ago."""
    clone.run(
        "INSERT INTO gridsvc.building (community_code, code, compound_code, name, kind, geom,"  # noqa: S608 - our own words
        f" retired_on, retired_reason) SELECT community_code, '{code}', compound_code, name, kind,"
        f" geom, current_date, '拆了' FROM gridsvc.building WHERE code = '{BUILDING}'"
    )


def versions(clone: Clone, table: str, code: str) -> list[tuple[object, ...]]:
    with clone.root.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT version, name, valid_from, valid_to, reason"  # noqa: S608
                f" FROM gridsvc.{table}_version WHERE code = '{code}' ORDER BY version"
            )
        )
        return [tuple(row) for row in rows]


def test_new_buildings_are_numbered_from_the_west_after_the_highest_number_ever(
    own_town: Clone, tmp_path: Path
) -> None:
    add_ended(own_town, f"{COMPOUND}007")
    path = geojson(
        tmp_path / "new.geojson", [between("东", 11, levels=6), between("西", 4, levels="5层")]
    )
    done = bring_in(own_town.job, path, "buildings").applied
    assert (done.added, done.changed, done.same) == (2, 0, 0)
    assert own_town.count("building", f"code = '{COMPOUND}008' AND name = '西' AND levels = 5") == 1
    assert own_town.count("building", f"code = '{COMPOUND}009' AND name = '东' AND levels = 6") == 1
    assert own_town.count("building", f"valid_from = '{DAY}' AND kind = 'other'") == 2


def test_the_same_file_again_changes_nothing(own_town: Clone, tmp_path: Path) -> None:
    path = geojson(tmp_path / "new.geojson", [between(), between("4栋", 11)])
    bring_in(own_town.job, path, "buildings")
    before = state_of(own_town)
    done = bring_in(own_town.job, path, "buildings").applied
    assert (done.added, done.changed, done.same) == (0, 0, 2)
    assert state_of(own_town) == before


@pytest.mark.parametrize("layer", ["compounds", "buildings", "stairwells"])
def test_the_stored_territory_in_a_file_is_the_same(
    own_town: Clone, tmp_path: Path, layer: str
) -> None:
    columns = {
        "compounds": ("code", "name", "built_year", "is_demonstration"),
        "buildings": ("code", "name", "kind", "levels"),
        "stairwells": ("code", "name", "household_count"),
    }[layer]
    frame = getattr(TOWN, layer)
    plain = frame.drop(columns="geometry").astype(object)
    told = frame.assign(**plain.where(plain.notna(), None).to_dict(orient="series"))
    rows = rows_of(told, *columns)
    before = state_of(own_town)
    done = bring_in(own_town.job, geojson(tmp_path / "town.geojson", rows), layer).applied  # type: ignore[arg-type]
    assert (done.added, done.changed, done.same) == (0, 0, len(frame))
    assert state_of(own_town) == before


def test_a_grid_that_differs_keeps_its_code_and_leaves_what_it_was(
    own_town: Clone, tmp_path: Path
) -> None:
    row = TOWN.buildings[TOWN.buildings["code"] == f"{COMPOUND}002"].iloc[0]
    wider = town.rectangle(A, (4, 25), (12, 5))
    path = geojson(tmp_path / "测绘.geojson", [({"code": row["code"], "name": "二栋"}, wider)])
    done = bring_in(own_town.job, path, "buildings").applied
    assert (done.added, done.changed, done.same) == (0, 1, 0)
    where = f"code = '{row['code']}' AND name = '二栋' AND version = 2 AND valid_from = '{DAY}'"
    assert own_town.count("building", f"{where} AND kind = 'slab' AND levels = 8") == 1
    kept = versions(own_town, "building", row["code"])
    assert kept == [(1, "2栋", town.FIRST_DAY, DAY, "import 测绘.geojson")]


def test_a_shape_without_a_code_that_is_stored_already_keeps_its_code(
    own_town: Clone, tmp_path: Path
) -> None:
    shape = TOWN.buildings[TOWN.buildings["code"] == BUILDING].geometry.iloc[0]
    path = geojson(tmp_path / "again.geojson", [({"name": "1栋"}, shape), between()])
    done = bring_in(own_town.job, path, "buildings").applied
    assert (done.added, done.same) == (1, 1)
    renamed = geojson(tmp_path / "renamed.geojson", [({"name": "一栋"}, shape)])
    assert bring_in(own_town.job, renamed, "buildings").applied.changed == 1
    assert own_town.count("building", f"code = '{BUILDING}' AND name = '一栋'") == 1


def test_an_error_in_one_row_keeps_all_out(own_town: Clone, tmp_path: Path) -> None:
    far = ({"name": "远"}, box(10.0, 50.0, 10.001, 50.001))
    path = geojson(tmp_path / "mixed.geojson", [between(), between("4栋", 11), far])
    before = state_of(own_town)
    found = stage(own_town.job, path, "buildings")
    error = blocked(own_town.job, found, "all")
    assert error.errors == {"far-away": 1}
    assert state_of(own_town) == before
    assert own_town.count("imported_feature", f"import_id = '{found.id}' AND outcome IS NULL") == 3
    assert own_town.count("territory_import", f"id = '{found.id}' AND status = 'staged'") == 1


def test_warnings_are_let_through_only_where_they_are_accepted(
    own_town: Clone, tmp_path: Path
) -> None:
    thin = ({"name": "棚"}, town.rectangle(A, (4, 12), (5, 0.1)))
    path = geojson(tmp_path / "thin.geojson", [thin])
    found = stage(own_town.job, path, "buildings")
    error = blocked(own_town.job, found)
    assert (error.errors, set(error.warnings)) == ({}, {"sliver"})
    assert blocked(own_town.job, found, "overlap").warnings == error.warnings
    with pytest.raises(InvalidParameterError, match="accept"):
        apply(own_town.job, found, "slivers")
    done = apply(own_town.job, found, "sliver").applied
    assert (done.added, done.accepted) == (1, ("sliver",))


def test_a_repair_is_made_only_on_request(own_town: Clone, tmp_path: Path) -> None:
    west, south = town.place(A, 4, 12)
    east, north = town.place(A, 9, 16)
    spike = (west + 1e-4, north)
    top = (west + 1e-4, north + 5e-5)
    crossed = Polygon(
        [(west, south), (east, south), (east, north), spike, top, spike, (west, north)]
    )
    assert not crossed.is_valid
    found = stage(
        own_town.job, geojson(tmp_path / "x.geojson", [({"name": "3栋"}, crossed)]), "buildings"
    )
    error = blocked(own_town.job, found, "all")
    assert "invalid-geometry" in error.errors | error.warnings
    before = state_of(own_town)
    done = apply(own_town.job, found, "all", repair=True).applied
    assert (done.added, done.repaired) == (1, 1)
    assert len(state_of(own_town)) == len(before) + 1


def test_a_code_that_has_ended_is_an_error(own_town: Clone, tmp_path: Path) -> None:
    own_town.run(
        f"UPDATE gridsvc.building SET retired_on = '{DAY}', retired_reason = '拆了'"  # noqa: S608 - our own words
        f" WHERE code = '{BUILDING}'"
    )
    shape = town.rectangle(A, (4, 5), (12, 4))
    path = geojson(tmp_path / "old.geojson", [({"code": BUILDING, "name": "1栋"}, shape)])
    error = blocked(own_town.job, stage(own_town.job, path, "buildings"), "all")
    assert error.errors == {"retired-code": 1}


def test_a_day_before_the_last_change_is_an_error(own_town: Clone, tmp_path: Path) -> None:
    shape = town.rectangle(A, (4, 5), (12, 3))
    path = geojson(tmp_path / "old.geojson", [({"code": BUILDING, "name": "1栋"}, shape)])
    early = stage(own_town.job, path, "buildings", valid_from=date(2018, 6, 1))
    assert "changed-later" in blocked(own_town.job, early, "all").errors


def test_a_compound_without_a_number_left_is_an_error(own_town: Clone, tmp_path: Path) -> None:
    add_ended(own_town, f"{COMPOUND}999")
    path = geojson(tmp_path / "new.geojson", [between()])
    error = blocked(own_town.job, stage(own_town.job, path, "buildings"), "all")
    assert error.errors == {"too-many-children": 1}


def test_two_imports_at_once_go_one_after_the_other(own_town: Clone, tmp_path: Path) -> None:
    """Without the lock both would give the same code."""
    found = [
        stage(
            own_town.job,
            geojson(tmp_path / f"{n}.geojson", [between(f"{n}栋", 4 + n)]),
            "buildings",
        )
        for n in (0, 6)
    ]
    results: list[object] = []

    def run(import_id: UUID) -> None:
        with own_town.api.session(administrator()) as session, session.begin():
            results.append(
                service.apply(session, import_id, Decision(frozenset({"all"}))).applied.added
            )

    threads = [threading.Thread(target=run, args=(one.id,)) for one in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [1, 1]
    assert own_town.count("building", f"code IN ('{COMPOUND}003', '{COMPOUND}004')") == 2


def test_one_import_applied_twice_at_once_is_applied_once(own_town: Clone, tmp_path: Path) -> None:
    found = stage(own_town.job, geojson(tmp_path / "new.geojson", [between()]), "buildings")
    answers: list[str] = []

    def run() -> None:
        try:
            apply(own_town.api, found, scope=administrator())
            answers.append("applied")
        except ImportStateError as error:
            answers.append(error.status)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert answers == ["applied", "applied"]
    assert own_town.count("building", "name = '3栋'") == 1
    assert own_town.count("audit_event", "action = 'territory.import'") == 1


def test_what_changed_after_the_report_is_seen_when_it_is_applied(
    own_town: Clone, tmp_path: Path
) -> None:
    found = stage(own_town.job, geojson(tmp_path / "new.geojson", [between()]), "buildings")
    with own_town.job.session(administrator()) as session:
        assert not service.report(session, service.get(session, found.id)).errors
    other = geojson(tmp_path / "other.geojson", [between("抢先", 5)])
    bring_in(own_town.job, other, "buildings")
    assert "overlap" in blocked(own_town.job, found, "all").errors


def test_an_administrator_applies_through_the_policies(own_town: Clone, tmp_path: Path) -> None:
    rows = [between(), ({"code": BUILDING, "name": "一栋"}, town.rectangle(A, (4, 5), (12, 4)))]
    found = service.stage(
        own_town.api, administrator(), wish(geojson(tmp_path / "new.geojson", rows), "buildings")
    )
    done = apply(own_town.api, found, scope=administrator()).applied
    assert (done.added, done.changed) == (1, 1)
    assert len(versions(own_town, "building", BUILDING)) == 2


def test_cut_buildings_get_the_stairwells_that_the_file_counts(
    own_town: Clone, tmp_path: Path
) -> None:
    path = geojson(tmp_path / "new.geojson", [between(单元数=3), between("4栋", 11)])
    done = bring_in(own_town.job, path, "buildings", cut_stairwells=True).applied
    assert done.added == 2
    assert own_town.count("stairwell", f"building_code = '{COMPOUND}003'") == 3
    assert own_town.count("stairwell", f"code = '{COMPOUND}00303' AND name = '3梯'") == 1
    assert done.cut == 3 + own_town.count("stairwell", f"building_code = '{COMPOUND}004'")
    assert own_town.count("stairwell", f"building_code = '{BUILDING}'") == 3, "it had some"


def test_what_was_applied_or_discarded_is_not_applied_again(
    own_town: Clone, tmp_path: Path
) -> None:
    found = stage(own_town.job, geojson(tmp_path / "new.geojson", [between()]), "buildings")
    with own_town.job.session(administrator()) as session, session.begin():
        service.discard(session, found.id)
        service.discard(session, found.id)
    with pytest.raises(ImportStateError, match="discarded"):
        apply(own_town.job, found)
    assert own_town.count("imported_feature", f"import_id = '{found.id}'") == 0
    again = stage(own_town.job, tmp_path / "new.geojson", "buildings")
    assert again.id != found.id
    apply(own_town.job, again)
    with own_town.job.session(administrator()) as session, pytest.raises(ImportStateError):
        service.discard(session, again.id)


def test_others_are_told_of_households_anew(own_town: Clone, tmp_path: Path) -> None:
    code = town.stairwell_code(A)
    shape = TOWN.stairwells[TOWN.stairwells["code"] == code].geometry.iloc[0]
    path = geojson(tmp_path / "s.geojson", [({"code": code, "name": "1梯", "户数": "12户"}, shape)])
    bring_in(own_town.job, path, "stairwells")
    where = f"code = '{code}' AND household_count = 12 AND told_household_count IS NULL"
    assert own_town.count("stairwell", where) == 1, "it hides the four of another building"
    second = f"code = '{town.stairwell_code(A, number=2)}'"
    assert own_town.count("stairwell", f"{second} AND told_household_count = 20") == 1


def test_nobody_else_finds_an_import(own_town: Clone, tmp_path: Path) -> None:
    found = stage(own_town.job, geojson(tmp_path / "new.geojson", [between()]), "buildings")
    for scope in (administrator(A), administrator(town.STREET + 1_000_000)):
        with own_town.api.session(scope) as session, pytest.raises(NotFoundError):
            service.get(session, found.id)

"""Grids change: nothing is lost, nobody overwrites anybody, and people follow their stairwell."""

from collections.abc import Sequence
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Polygon, box
from sqlalchemy import text

from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import (
    GridEndedError,
    InvalidEditError,
    NotFoundError,
    ShapeRefusedError,
    StaleVersionError,
)
from gridsvc.local_time import local_today
from gridsvc.overview import editing as overview
from gridsvc.territory import service as territory
from gridsvc.territory.editing import service
from gridsvc.territory.editing.model import Grid, Piece
from gridsvc.territory.editing.service import Change
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
COMPOUND = town.compound_code(A)
BUILDING = f"{COMPOUND}002"
STAIRWELL = town.stairwell_code(A, building=2, number=2)
TODAY = local_today()
WHY = "居民要求"


def coordinator(clone: Clone, *codes: int) -> ScopedSession:
    scope = Scope("coordinator", tuple(map(Interval.of, codes or (A,))), account=town.ACCOUNT)
    return clone.api.session(scope)


def halves(grid: Grid) -> list[Piece]:
    """Cut a rectangle in two, west and east."""
    west, south, east, north = grid.geometry.bounds
    middle = (west + east) / 2
    return [
        Piece(box(west, south, middle, north), "西半"),
        Piece(box(middle, south, east, north), "东半"),
    ]


def codes_in_force(session: ScopedSession, *, on: date | None = None) -> set[str]:
    found = territory.list_stairwells(session, compound_code=COMPOUND, on=on, limit=99)
    return {one.code for one in found}


# ---- redraw


def test_a_redrawn_grid_keeps_its_code_and_what_it_was(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        before = service.get(session, STAIRWELL)
        narrower = Polygon(box(*before.geometry.bounds).buffer(-5e-6, join_style="mitre"))
        edit = service.redraw(
            session,
            STAIRWELL,
            Change("新梯", narrower, {"household_count": 21}),
            version=1,
            reason=WHY,
        )
        assert [grid.version for grid in edit.grids] == [2]
        history = service.get_history(session, STAIRWELL)
    assert history.grid.name == "新梯"
    assert history.grid.fields == {"household_count": 21}
    (former,) = history.former
    assert (former.grid.name, former.reason) == (before.name, WHY)
    assert former.grid.geometry.equals(before.geometry)
    assert (former.grid.valid_from, former.valid_to) == (town.FIRST_DAY, TODAY)


def test_an_earlier_day_shows_the_grid_as_it_was(own_town: Clone) -> None:
    day = date(2021, 5, 1)
    with coordinator(own_town) as session:
        service.redraw(session, STAIRWELL, Change("新梯"), version=1, reason=WHY, on=day)
        names = {
            when: territory.get_stairwell(session, STAIRWELL, on=when).name
            for when in (town.FIRST_DAY, day - timedelta(days=1), day, TODAY)
        }
        assert list(names.values()) == ["2梯", "2梯", "新梯", "新梯"]
        with pytest.raises(NotFoundError):
            territory.get_stairwell(session, STAIRWELL, on=town.FIRST_DAY - timedelta(days=1))


def test_what_the_town_was_before_its_first_day_can_be_read(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        (compound,) = territory.list_compounds(session, on=town.BEFORE, limit=9)
        assert (compound.name, compound.household_count, compound.version) == ("旧苑", 9, 1)
        (stairwell,) = territory.list_stairwells(session, on=town.BEFORE, limit=9)
        assert (stairwell.compound_name, stairwell.building_name) == ("旧苑", "旧栋")
        (community,) = territory.list_communities(session, on=town.BEFORE)
        assert (community.compound_count, community.household_count) == (1, 9)


def test_who_saw_an_older_version_gets_both_and_changes_nothing(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        service.redraw(session, STAIRWELL, Change("甲"), version=1, reason=WHY)
        with pytest.raises(StaleVersionError) as caught:
            service.redraw(session, STAIRWELL, Change("乙"), version=1, reason=WHY)
        assert service.get(session, STAIRWELL).name == "甲"
    assert [one["grid"]["name"] for one in caught.value.faults] == ["2梯", "甲"]  # type: ignore[index]


def test_of_two_at_once_one_wins_and_the_other_is_told(own_town: Clone) -> None:
    gate, outcomes = Barrier(2), []

    def change(name: str) -> None:
        with coordinator(own_town) as session:
            gate.wait(timeout=10)
            try:
                service.redraw(session, STAIRWELL, Change(name), version=1, reason=WHY)
                session.commit()
                outcomes.append(name)
            except StaleVersionError:
                outcomes.append("stale")

    threads = [Thread(target=change, args=(name,)) for name in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(outcomes) in (["stale", "甲"], ["stale", "乙"])


@pytest.mark.parametrize(
    ("moved", "fault"),
    [
        ((0, 0, 8, 4), "overlap"),  # over its neighbour to the east
        ((0, 0, 4, 9), "outside-parent"),  # out of the building to the north
    ],
)
def test_a_shape_that_does_not_fit_is_refused(
    own_town: Clone, moved: tuple[float, float, float, float], fault: str
) -> None:
    west, south, east, north = (side * town.UNIT for side in moved)
    with coordinator(own_town) as session:
        xmin, ymin, *_ = service.get(session, STAIRWELL).geometry.bounds
        shape = box(xmin + west, ymin + south, xmin + east, ymin + north)
        with pytest.raises(ShapeRefusedError) as caught:
            service.redraw(session, STAIRWELL, Change(geometry=shape), version=1, reason=WHY)
    assert fault in {str(one["fault"]) for one in caught.value.faults}


def test_a_parent_must_still_hold_its_parts(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        building = service.get(session, BUILDING)
        half = halves(building)[0].geometry
        with pytest.raises(ShapeRefusedError, match="would lie outside"):
            service.redraw(session, BUILDING, Change(geometry=half), version=1, reason=WHY)


@pytest.mark.parametrize(
    ("change", "on"),
    [
        (Change(), None),
        (Change("2梯"), None),
        (Change(fields={"levels": 3}), None),
        (Change("新"), town.FIRST_DAY - timedelta(days=1)),
        (Change("新"), TODAY + timedelta(days=1)),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    own_town: Clone, change: Change, on: date | None
) -> None:
    with coordinator(own_town) as session, pytest.raises(InvalidEditError):
        service.redraw(session, STAIRWELL, change, version=1, reason=WHY, on=on)


def test_a_grid_of_others_is_as_absent(own_town: Clone) -> None:
    with coordinator(own_town, B) as session, pytest.raises(NotFoundError):
        service.redraw(session, STAIRWELL, Change("新"), version=1, reason=WHY)


# ---- split


def test_a_split_stairwell_ends_and_its_parts_are_numbered_on(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        grid = service.get(session, STAIRWELL)
        edit = service.split(session, STAIRWELL, halves(grid), version=1, reason=WHY)
        assert [one.code[-2:] for one in edit.grids] == ["04", "05"]
        assert [one.fields["household_count"] for one in edit.grids] == [10, 10]
        assert [round(one.share, 6) for one in edit.descents] == [0.5, 0.5]
        assert service.get(session, STAIRWELL).retired_reason == WHY
        assert codes_in_force(session) == (
            codes_in_force(session, on=town.FIRST_DAY) - {STAIRWELL}
        ) | {one.code for one in edit.grids}
        with pytest.raises(GridEndedError):
            service.void(session, STAIRWELL, version=1, reason=WHY)


def test_a_code_is_never_used_again(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        last = town.stairwell_code(A, building=2, number=3)
        service.void(session, last, version=1, reason=WHY)
        grid = service.get(session, STAIRWELL)
        edit = service.split(session, STAIRWELL, halves(grid), version=1, reason=WHY)
        assert last not in {one.code for one in edit.grids}
        assert [one.code[-2:] for one in edit.grids] == ["04", "05"]


def test_what_lies_in_a_split_compound_moves_with_its_part(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        compound = service.get(session, COMPOUND)
        west, south, east, north = compound.geometry.bounds
        middle = (south + north) / 2  # between the south and the north building
        pieces = [
            Piece(box(west, south, east, middle), "南园"),
            Piece(box(west, middle, east, north), "北园"),
        ]
        edit = service.split(session, COMPOUND, pieces, version=2, reason=WHY)
        by_kind = {
            kind: [grid for grid in edit.grids if grid.kind == kind]
            for kind in ("compound", "building", "stairwell")
        }
        assert [len(group) for group in by_kind.values()] == [2, 2, 6]
        assert {len(code) for code in edit.retired} == {15, 18, 20}
        for building in by_kind["building"]:
            parent = next(one for one in by_kind["compound"] if one.code == building.parent_code)
            assert parent.geometry.covers(building.geometry)
        for name, code in ((one.name, one.code) for one in by_kind["compound"]):
            found = territory.get_compound(session, code)
            assert (found.name, found.building_count, found.stairwell_count) == (name, 1, 3)
            assert found.household_count == 54


def faulty_pieces(grid: Grid) -> dict[str, Sequence[Piece]]:
    west, south, east, north = grid.geometry.bounds
    middle = (west + east) / 2
    whole, half = grid.geometry, box(west, south, middle, north)
    return {
        "gap": [Piece(half), Piece(box(middle + (east - middle) / 3, south, east, north))],
        "overlap": [Piece(whole), Piece(half)],
        "outside-parent": [Piece(half), Piece(box(middle, south, east + 4e-5, north))],
        "invalid-geometry": [Piece(half), Piece(Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))],
        "not-a-polygon": [Piece(half), Piece(half.boundary)],
    }


@pytest.mark.parametrize(
    "fault", list(faulty_pieces(Grid("0" * 20, "", 1, TODAY, box(0, 0, 1, 1))))
)
def test_pieces_that_are_not_the_grid_are_refused(own_town: Clone, fault: str) -> None:
    with coordinator(own_town) as session:
        pieces = faulty_pieces(service.get(session, STAIRWELL))[fault]
        with pytest.raises(ShapeRefusedError) as caught:
            service.split(session, STAIRWELL, pieces, version=1, reason=WHY)
        assert fault in {str(one["fault"]) for one in caught.value.faults}


def test_households_of_the_pieces_must_add_up(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        west, east = halves(service.get(session, STAIRWELL))
        with pytest.raises(InvalidEditError, match="20"):
            service.split(
                session,
                STAIRWELL,
                [Piece(west.geometry, household_count=15), Piece(east.geometry, household_count=6)],
                version=1,
                reason=WHY,
            )


# ---- merge and void


def test_neighbours_merge_into_one_that_is_both(own_town: Clone) -> None:
    both = [town.stairwell_code(A, building=2, number=number) for number in (1, 2)]
    with coordinator(own_town) as session:
        shapes = [service.get(session, code).geometry for code in both]
        edit = service.merge(session, dict.fromkeys(both, 1), name="大梯", reason=WHY)
        (merged,) = edit.grids
        assert merged.geometry.equals(shapely.union_all(shapes))
        assert merged.fields == {"household_count": 24}
        assert {one.predecessor_code for one in edit.descents} == set(both)


def test_only_what_touches_and_shares_a_parent_can_be_merged(own_town: Clone) -> None:
    apart = [town.stairwell_code(A, building=2, number=number) for number in (1, 3)]
    elsewhere = [STAIRWELL, town.stairwell_code(A, building=1, number=2)]
    with coordinator(own_town) as session:
        for codes in (apart, elsewhere, [STAIRWELL]):
            with pytest.raises(InvalidEditError):
                service.merge(session, dict.fromkeys(codes, 1), name="x", reason=WHY)


def test_a_grid_ends_with_all_that_lies_in_it(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        edit = service.void(session, BUILDING, version=1, reason="拆除")
        assert len(edit.retired) == 4
        assert len(codes_in_force(session)) == 3
        assert territory.get_compound(session, COMPOUND).building_count == 1


# ---- people follow


def leads(clone: Clone, code: str) -> list[object]:
    return contacts_of(clone, code, "AND kind = 'lead'")


def contacts_of(clone: Clone, code: str, more: str = "") -> list[object]:
    with clone.root.connect() as connection:
        return list(
            connection.scalars(
                text(
                    "SELECT member_id FROM gridsvc.contact WHERE stairwell_code = :code"  # noqa: S608 - our own words
                    f" AND valid @> cast(:day AS date) {more}"
                ),
                {"code": code, "day": TODAY + timedelta(days=1)},
            )
        )


def test_both_parts_of_a_stairwell_keep_its_contact(own_town: Clone) -> None:
    before = leads(own_town, STAIRWELL)
    assert len(before) == 1
    with coordinator(own_town) as session:
        grid = service.get(session, STAIRWELL)
        edit = overview.split(session, STAIRWELL, halves(grid), version=1, reason=WHY)
        session.commit()
    assert leads(own_town, STAIRWELL) == []
    assert [leads(own_town, one.code) for one in edit.grids] == [before, before]


def test_a_merged_stairwell_has_one_lead_and_the_other_goes_on(own_town: Clone) -> None:
    both = [town.stairwell_code(A, building=2, number=number) for number in (2, 3)]
    former = {member for code in both for member in contacts_of(own_town, code)}
    with coordinator(own_town) as session:
        (merged,) = overview.merge(session, dict.fromkeys(both, 1), name="大梯", reason=WHY).grids
        session.commit()
    assert len(leads(own_town, merged.code)) == 1
    going_on = own_town.count("contact", f"stairwell_code = '{merged.code}'")
    assert going_on == len(former)


def test_contacts_end_with_a_voided_stairwell(own_town: Clone) -> None:
    with coordinator(own_town) as session:
        overview.void(session, STAIRWELL, version=1, reason="拆除")
        session.commit()
    assert leads(own_town, STAIRWELL) == []


def test_homes_and_posts_follow_a_building_that_moves(own_town: Clone) -> None:
    old = f"{COMPOUND}001"
    homes = own_town.count("member", f"home_stairwell_code LIKE '{old}%'")
    posts = own_town.count("post", f"building_code = '{old}'")
    assert homes > 0
    assert posts > 0
    with coordinator(own_town) as session:
        compound = service.get(session, COMPOUND)
        overview.split(session, COMPOUND, halves_across(compound), version=2, reason=WHY)
        session.commit()
    new = f"{A}004"  # the southern half: numbers go from the north where west is equal
    assert own_town.count("member", f"home_stairwell_code LIKE '{new}%'") == homes
    assert own_town.count("post", f"building_code LIKE '{new}%'") == posts
    assert own_town.count("post", f"compound_code = '{COMPOUND}'") == 0


def halves_across(grid: Grid) -> list[Piece]:
    west, south, east, north = grid.geometry.bounds
    middle = (south + north) / 2
    return [Piece(box(west, south, east, middle)), Piece(box(west, middle, east, north))]


# ---- as a property


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["split", "merge", "void"]), st.integers(0, 99)), max_size=5
    )
)
def test_whatever_is_done_each_day_shows_a_sound_map(
    town_session: ScopedSession, steps: list[tuple[str, int]]
) -> None:
    with town_session.begin_nested() as scratch:
        first = codes_in_force(town_session, on=town.FIRST_DAY)
        for step, pick in steps:
            living = sorted(codes_in_force(town_session))
            if not living:
                break
            grid = service.get(town_session, living[pick % len(living)])
            try:
                if step == "split":
                    service.split(
                        town_session, grid.code, halves(grid), version=grid.version, reason=WHY
                    )
                elif step == "void":
                    service.void(town_session, grid.code, version=grid.version, reason=WHY)
                else:
                    other = service.get(town_session, living[(pick + 1) % len(living)])
                    versions = {grid.code: grid.version, other.code: other.version}
                    service.merge(town_session, versions, name="合", reason=WHY)
            except InvalidEditError:
                continue
        assert codes_in_force(town_session, on=town.FIRST_DAY) == first
        shapes = [service.get(town_session, code).geometry for code in codes_in_force(town_session)]
        total = sum(shape.area for shape in shapes)
        assert shapely.union_all(shapes).area == pytest.approx(total, rel=1e-9)
        scratch.rollback()

"""The overview counts what there is, and keeps nothing of its own."""

import pytest
from sqlalchemy import text

from geodata.writers.formats import FORMATS
from gridsvc.access.model import FIELD_ROLES
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import NotFoundError, RoleNotAllowedError
from gridsvc.overview import exports, service
from gridsvc.overview.exports import Export
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def test_results_of_nothing_are_nothing(empty_session: ScopedSession) -> None:
    results = service.read_results(empty_session)
    assert results.incidents == results.stairwells == results.households == 0
    assert len(results.incidents_by_class) == 7
    assert results.organisations == {}


def test_results_of_the_whole_are_those_of_its_parts_and_what_lies_outside(
    town_database: Clone,
) -> None:
    found = {}
    for code in (A, B, STREET):
        with town_database.api.session(Scope("coordinator", (Interval.of(code),))) as session:
            found[code] = service.read_results(session)
    for name in ("compounds", "buildings", "stairwells", "households", "building_chiefs"):
        parts = [getattr(found[code], name) for code in (A, B)]
        assert sum(parts) == getattr(found[STREET], name) > max(parts) > 0
    assert found[STREET].incidents == found[A].incidents + found[B].incidents + 2
    assert found[STREET].incidents_by_place["outside"] == 2


def test_a_card_names_the_stairwell_its_contact_and_its_incidents(
    town_session: ScopedSession,
) -> None:
    card = service.get_card(town_session, town.stairwell_code(A))
    assert card.stairwell.household_count == 4
    assert card.incident_count == 12
    assert card.contact is not None
    assert card.contact.phone_masked is not None
    assert "****" in card.contact.phone_masked
    quiet = service.get_card(town_session, town.stairwell_code(A, number=2))
    assert quiet.incident_count == 0
    with pytest.raises(NotFoundError):
        service.get_card(town_session, "9" * 20)


def test_what_is_uncovered_is_listed_with_its_names(town_session: ScopedSession) -> None:
    assert len(service.read_uncovered(town_session)) == 0
    town_session.execute(text("DELETE FROM gridsvc.contact WHERE community_code = 440605011002"))
    uncovered = service.read_uncovered(town_session)
    assert len(uncovered) == 12
    assert uncovered["code"].is_monotonic_increasing
    assert uncovered.crs == "EPSG:4326"
    assert uncovered.geometry.geom_type.eq("Point").all()
    assert uncovered["compound_name"].nunique() == 2
    assert len(service.read_uncovered(town_session, limit=5)) == 5


@pytest.mark.parametrize("role", ["planner", "patrol", "contact", "resident"])
def test_results_count_no_row_that_the_policies_hide(town_database: Clone, role: str) -> None:
    with town_database.api.session(Scope(role, (Interval.of(A),))) as session:
        results = service.read_results(session)
    assert results.stairwells == 12
    assert (results.building_chiefs, results.party_members_reported_in) == (0, 0)
    public = town_database.count("incident", f"community_code = {A} AND is_public")
    assert public > 0
    seen = {"resident": public} | dict.fromkeys(FIELD_ROLES, 24)
    assert results.incidents == seen.get(role, 0)


@pytest.mark.parametrize("role", ["planner", "patrol", "contact", "resident"])
def test_single_incidents_leave_the_house_for_staff_only(town_database: Clone, role: str) -> None:
    scope = Scope(role, (Interval.of(A),))
    with town_database.api.session(scope) as session, pytest.raises(RoleNotAllowedError):
        exports.check(session, Export("incidents", FORMATS["geojson"]))


def test_a_contact_is_bound_to_the_stairwells_led_today_and_others_are_not(own_town: Clone) -> None:
    person = town.id_of("member", A, 0)
    lead = f"UPDATE gridsvc.contact SET member_id = '{person}' WHERE stairwell_code"  # noqa: S608
    first, second, third = (town.stairwell_code(A, number=number) for number in (1, 2, 3))
    own_town.run(
        f"DELETE FROM gridsvc.contact WHERE member_id = '{person}' OR kind = 'supporting'",  # noqa: S608
        f"{lead} IN ('{first}', '{second}', '{third}')",
        f"UPDATE gridsvc.contact SET valid = '[2020-01-01,2020-02-01)' WHERE stairwell_code = '{second}'",  # noqa: E501, S608
        f"UPDATE gridsvc.contact SET kind = 'supporting' WHERE stairwell_code = '{third}'",  # noqa: S608
    )
    intervals = (Interval.of(A),)
    seen = {
        scope: own_stairwells(own_town, scope)
        for scope in (
            Scope("contact", intervals, person=person),
            Scope("contact", intervals),
            Scope("contact", (Interval.of(B),), person=person),
            Scope("patrol", intervals, person=person),
            Scope("coordinator", intervals),
        )
    }
    assert list(seen.values()) == [{first}, set(), set(), None, None]


def own_stairwells(clone: Clone, scope: Scope) -> frozenset[str] | None:
    with clone.api.session(scope, read_only=True) as session:
        return service.own_stairwells(session)


def test_a_layer_that_is_none_is_not_found(town_session: ScopedSession) -> None:
    with pytest.raises(NotFoundError):
        exports.check(town_session, Export("members", FORMATS["geojson"]))
    with pytest.raises(NotFoundError):
        service.read_tile(town_session, layer="members", zoom=0, x=0, y=0)

"""What everybody may know of incidents: as role resident, by compound, never by exclusion."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import shapely
from sqlalchemy import select

from geodata.categories import load_categories
from gridsvc.db import NOBODY, Interval, Scope, ScopedSession
from gridsvc.errors import NotFoundError, UnfitServiceRequestError
from gridsvc.incidents import service as incidents
from gridsvc.incidents import store as incident_store
from gridsvc.incidents.public import service
from gridsvc.incidents.public.model import PublicIncident, PublicQuery
from gridsvc.incidents.tables import IncidentRow
from tests import neighbour, town
from tests.conftest import MakeDatabase
from tests.databases import Clone
from tests.gridsvc.incidents import lives

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
EVERYTHING = PublicQuery()
PUBLIC = {A: 12 + 9 + 2 + 1, B: 3}
PRIVATE = town.id_of("incident", B, "neighbour_dispute.noise", 0)
LIFT = town.id_of("incident", A, "lift.fault", 0)


def asked(
    clone: Clone, query: PublicQuery = EVERYTHING, code: int = STREET
) -> list[PublicIncident]:
    """Ask as the public does."""
    scope = Scope("resident", (Interval.of(code),))
    with clone.api.session(scope, read_only=True) as session, session.begin():
        return service.list_public(session, query)


def test_the_public_is_told_public_categories_only(town_database: Clone) -> None:
    found = asked(town_database)
    assert {code: sum(one.community_code == code for one in found) for code in PUBLIC} == PUBLIC
    assert len(found) == sum(PUBLIC.values())  # nothing from outside of the communities
    assert {one.category_code.partition(".")[0] for one in found} == {
        *("sanitation", "parking", "lift")
    }


def test_no_place_is_finer_than_a_compound(town_database: Clone) -> None:
    places: dict[str, set[tuple[float, float]]] = {}
    for one in asked(town_database):
        key = one.compound_code or str(one.community_code)
        places.setdefault(key, set()).add((one.lon, one.lat))
    assert {key: len(points) for key, points in places.items()} == dict.fromkeys(
        (town.compound_code(A, 1), town.compound_code(A, 2), str(A), town.compound_code(B, 1)), 1
    )
    truth = {town.place(A, *town.IN_STAIRWELL), town.place(A, *town.IN_LAST_STAIRWELL)}
    assert truth.isdisjoint(point for points in places.values() for point in points)


def test_the_point_lies_inside_its_compound(town_database: Clone) -> None:
    for one in asked(town_database, PublicQuery(category_codes=["sanitation.rubbish"])):
        assert town.rectangle(A, (1, 1), (18, 38)).covers(shapely.Point(one.lon, one.lat))


def test_nobody_finds_the_true_place_with_ever_smaller_boxes(town_database: Clone) -> None:
    lon, lat = town.place(A, *town.IN_STAIRWELL)
    around = (lon - 1e-4, lat - 1e-4, lon + 1e-4, lat + 1e-4)
    assert asked(town_database, PublicQuery(box=around)) == []
    told = asked(town_database, PublicQuery(category_codes=["sanitation.rubbish"]))[0]
    exactly = (told.lon, told.lat, told.lon, told.lat)
    assert len(asked(town_database, PublicQuery(box=exactly))) == 12 + 2


def test_a_compound_of_few_households_is_not_named(own_town: Clone) -> None:
    own_town.run(
        "UPDATE gridsvc.compound SET told_household_count = NULL"  # noqa: S608 - a code of ours
        f" WHERE code = '{town.compound_code(A, 1)}'"
    )
    found = asked(own_town, PublicQuery(category_codes=["sanitation.rubbish", "lift.fault"]))
    assert len(found) == 13
    assert {(one.compound_code, one.compound_name) for one in found} == {(None, None)}
    assert len({(one.lon, one.lat) for one in found}) == 1


def test_what_is_private_absent_or_elsewhere_is_answered_alike(town_database: Clone) -> None:
    nothing = UUID(int=7)
    scope = Scope("resident", (Interval.of(A),))
    with town_database.api.session(scope, read_only=True) as session:
        assert service.get_public(session, LIFT).id == LIFT
        words = set()
        for incident_id in (PRIVATE, nothing, town.id_of("incident", B, "parking.blocking", 0)):
            with pytest.raises(NotFoundError) as caught:
                service.get_public(session, incident_id)
            words.add(str(caught.value))
    assert len(words) == 1
    everything = PublicQuery(ids=[PRIVATE, nothing, LIFT])
    assert [one.id for one in asked(town_database, everything)] == [LIFT]


def test_a_resident_cannot_read_a_private_row_by_any_query(town_database: Clone) -> None:
    """The policy says it, not only our statement."""
    scope = Scope("resident", (Interval.of(STREET),))
    with town_database.api.session(scope, read_only=True) as session:
        codes = set(session.scalars(select(IncidentRow.category_code)))
    assert codes == {"sanitation.rubbish", "parking.blocking", "parking.ebike", "lift.fault"}


def test_queries_narrow_the_list(town_database: Clone) -> None:
    first = town.MONTH
    assert len(asked(town_database, PublicQuery(is_closed=True))) == 5
    assert len(asked(town_database, PublicQuery(is_closed=False))) == sum(PUBLIC.values()) - 5
    assert len(asked(town_database, PublicQuery(since=first, until=first))) == 1
    assert asked(town_database, PublicQuery(category_codes=[])) == []
    assert asked(town_database, PublicQuery(until=datetime(2019, 1, 1, tzinfo=UTC))) == []
    paged = [
        one.id
        for offset in range(0, 30, 10)
        for one in asked(town_database, PublicQuery(offset=offset, limit=10))
    ]
    assert paged == [one.id for one in asked(town_database)]
    assert len(paged) == sum(PUBLIC.values())


def test_the_newest_come_first_and_history_ends_with_the_last_change(town_database: Clone) -> None:
    found = asked(town_database)
    assert found == sorted(found, key=lambda one: (one.reported_at, one.id), reverse=True)
    for one in found:
        steps = ["report", "close"] if one.is_closed else ["report"]
        assert [moment.step for moment in one.history] == steps
        assert one.updated_at == (one.closed_at or one.reported_at)


def test_the_life_of_an_incident_shows_in_its_state_and_history(own_town: Clone) -> None:
    """Without a word of it: solved is open until somebody else has verified it."""
    lives.add_workers(own_town)
    with lives.acting(own_town, lives.ANNA) as session:
        incident = lives.report(session)

    def told() -> tuple[str, bool, list[str]]:
        (one,) = asked(own_town, PublicQuery(ids=[incident.id]))
        assert "。" not in str(one)  # each step had a note
        assert one.updated_at == max(moment.at for moment in one.history)
        return one.status, one.is_closed, [moment.step for moment in one.history]

    assert told() == ("reported", False, ["report"])
    solved = lives.solve(own_town, incident, by=lives.ANNA)
    assert told() == ("resolved", False, ["report", "answer", "resolve"])
    with lives.acting(own_town, lives.BERT) as session:
        verified = lives.make(session, solved, "verify")
    steps = ["report", "answer", "resolve", "verify", "close"]
    assert told() == ("verified", True, steps[:4])
    with lives.acting(own_town, lives.BERT) as session:
        closed = lives.make(session, verified, "close")
    assert told() == ("closed", True, steps)
    with lives.acting(own_town, lives.BERT) as session:
        lives.make(session, closed, "reopen")
    assert told() == ("assigned", False, ["report", "answer"])


def test_when_the_next_step_is_due_is_told(own_town: Clone) -> None:
    lives.add_workers(own_town)
    with lives.acting(own_town, lives.ANNA) as session:
        incident = lives.report(session)
    (told,) = asked(own_town, PublicQuery(ids=[incident.id]))
    assert told.due_at is not None
    assert told.due_at == incident.due_at
    assert told.due_at > told.reported_at


def test_a_category_that_turns_private_takes_its_incidents_along(
    town_session: ScopedSession,
) -> None:
    def are_public() -> int:
        rows = town_session.scalars(
            select(IncidentRow.is_public).where(IncidentRow.category_code == "parking.blocking")
        )
        return sum(rows)

    assert are_public() == 12
    hidden = [replace(one, is_public=False) for one in load_categories()]
    incident_store.put_categories(town_session, hidden)
    assert are_public() == 0
    incidents.apply_catalogue(town_session)
    assert are_public() == 12


def test_one_sub_district_needs_no_name_and_of_two_one_must_be_named(
    make_database: MakeDatabase, town_template: str
) -> None:
    clone = make_database(town_template)
    with clone.api.session(NOBODY, read_only=True) as session:
        assert service.get_jurisdiction(session, None).code == STREET
        assert service.get_jurisdiction(session, str(STREET)).name == "试验街道"
        with pytest.raises(NotFoundError):
            service.get_jurisdiction(session, "sfgov.org")
    clone.run(f"INSERT INTO gridsvc.street VALUES ({neighbour.STREET}, '邻街')")  # noqa: S608
    with clone.api.session(NOBODY, read_only=True) as session:
        assert service.get_jurisdiction(session, str(neighbour.STREET)).name == "邻街"
        with pytest.raises(UnfitServiceRequestError, match="jurisdiction_id was not provided"):
            service.get_jurisdiction(session, None)

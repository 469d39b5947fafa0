"""Reports without an account: where they fall, that none is lost or doubled, how they go on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from gridsvc.access.signing_in import Caller
from gridsvc.db import Interval, Scope, scope_of
from gridsvc.errors import (
    IdempotencyMismatchError,
    IdTakenError,
    NotFoundError,
    ReplyRefusedError,
    RetiredCategoryError,
    TooManyTriesError,
    UnknownCategoryError,
    UnknownPlaceError,
)
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.model import Event
from gridsvc.incidents.model import Incident
from gridsvc.incidents.reporting import places, service
from gridsvc.incidents.reporting.model import (
    Address,
    Filed,
    FollowToken,
    NewReport,
    Where,
    id_of_key,
    new_secret,
)
from tests import town
from tests.databases import Clone
from tests.gridsvc.incidents.lives import ANNA, BERT, acting, add_workers, make, solve

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
STAIRWELL = Where(stairwell_code=town.stairwell_code(A, building=2, number=2))
NOW = datetime.now(UTC)
CALLER = Caller("203.0.113.7", "")


@pytest.fixture(scope="module")
def clone(cluster: Any, town_template: str) -> Iterator[Clone]:
    """The town, to which these tests add reports that do not meet."""
    from tests.databases import drop, make_clone

    made = make_clone(cluster, town_template)
    add_workers(made)
    yield made
    drop(made)


def report(where: Where = STAIRWELL, **changes: Any) -> NewReport:
    made = NewReport(uuid4(), "public_facility.stairwell_lights", "三楼的灯不亮", where, NOW)
    return replace(made, **changes)


def file(clone: Clone, wanted: NewReport, caller: Caller | None = None) -> Filed:
    return service.file(clone.api, town.VAULT, wanted, caller=caller)


def token_of(filed: Filed) -> FollowToken:
    token = FollowToken.read(filed.token)
    assert token is not None
    return token


def row(clone: Clone, incident_id: UUID) -> Any:
    query = "SELECT * FROM gridsvc.incident WHERE id = :id"
    with clone.root.connect() as connection:
        return connection.execute(text(query), {"id": incident_id}).one()


def at(x: float, y: float, community_code: int = A) -> Where:
    lon, lat = town.place(community_code, x, y)
    return Where(lon=lon, lat=lat)


# ---- where


@pytest.mark.parametrize(
    ("where", "place", "community_code"),
    [
        (STAIRWELL, "stairwell", A),
        (Where(compound_code=town.compound_code(B, 2)), "compound", B),
        (at(*town.IN_STAIRWELL), "stairwell", A),
        (at(*town.IN_COMPOUND, B), "compound", B),
        (at(*town.IN_COMMUNITY), "community", A),
        (at(10, 60), "outside", STREET),
    ],
)
def test_a_report_falls_where_it_is_meant(
    clone: Clone, where: Where, place: str, community_code: int
) -> None:
    filed = file(clone, report(where))
    kept = row(clone, filed.id)
    assert (kept.place, kept.community_code) == (place, community_code)
    assert kept.is_flagged == (place == "outside")
    assert kept.is_public
    assert filed.spot.compound_code == kept.compound_code
    if where.lon is not None:
        assert (filed.spot.lon, filed.spot.lat) == (where.lon, where.lat)
    assert service.follow(clone.api, token_of(filed)).place == place


@pytest.mark.parametrize(
    "where",
    [
        Where(lon=0.0, lat=0.0),
        Where(lon=2.35, lat=48.85),
        Where(lon=180.0, lat=-85.0),
        Where(),
        Where(stairwell_code="9" * 20),
        Where(compound_code=f"{A}999"),
    ],
)
def test_a_place_that_nobody_looks_after_is_refused_in_words(clone: Clone, where: Where) -> None:
    before = clone.count("incident")
    with pytest.raises(UnknownPlaceError, match=r"Choose a point"):
        file(clone, report(where))
    assert clone.count("incident") == before


def test_a_stairwell_that_ended_is_no_place_any_more(own_town: Clone) -> None:
    code = STAIRWELL.stairwell_code
    own_town.run(
        "UPDATE gridsvc.stairwell SET retired_on = CURRENT_DATE, retired_reason = '拆除'"  # noqa: S608
        f" WHERE code = '{code}'"
    )
    with pytest.raises(UnknownPlaceError, match="No stairwell in use"):
        file(own_town, report())


# ---- what


def test_a_category_that_is_not_there_or_no_longer_is_refused(own_town: Clone) -> None:
    with pytest.raises(UnknownCategoryError):
        file(own_town, report(category_code="public_facility.dragons"))
    own_town.run(
        "UPDATE gridsvc.category SET is_retired = true WHERE code = 'public_facility.trees'"
    )
    with pytest.raises(RetiredCategoryError, match="no longer in use: take public_facility"):
        file(own_town, report(category_code="public_facility.trees"))


def test_a_report_is_counted_once_in_the_heat_and_noted(clone: Clone) -> None:
    cells = "SELECT sum(incident_count) FROM gridsvc.heat_cell WHERE class_code = 'sanitation'"
    with clone.root.connect() as connection:
        before = connection.scalar(text(cells))
        wanted = report(category_code="sanitation.pests", secret=new_secret())
        file(clone, wanted)
        file(clone, wanted)
        assert connection.scalar(text(cells)) == before + 1
    assert clone.count("audit_event", f"subject = '{wanted.id}'") == 1


def test_the_catalogue_tells_the_incidents_who_may_see_them(own_town: Clone) -> None:
    filed = file(own_town, report())
    own_town.run("UPDATE gridsvc.category SET is_public = false WHERE code = 'lift.fault'")
    own_town.run("UPDATE gridsvc.incident SET is_public = false WHERE category_code = 'lift.fault'")
    with town.job_session(own_town.job) as session, session.begin():
        incidents.apply_catalogue(session)
    assert row(own_town, town.id_of("incident", A, "lift.fault", 0)).is_public
    assert row(own_town, filed.id).is_public


# ---- once


def test_a_repetition_with_its_secret_gets_the_first_answer(clone: Clone) -> None:
    wanted = report(secret=new_secret())
    first = file(clone, wanted)
    again = file(clone, replace(wanted, reported_at=NOW + timedelta(minutes=5)))
    assert (first.is_new, again.is_new) == (True, False)
    assert replace(again, is_new=True) == first
    assert clone.count("incident", f"id = '{wanted.id}'") == 1


def test_a_repetition_with_its_key_and_no_id_gets_the_first_answer(clone: Clone) -> None:
    wanted = report(id=id_of_key("key-of-a-phone"), key="key-of-a-phone")
    first, again = file(clone, wanted), file(clone, wanted)
    assert first.token == again.token
    with pytest.raises(IdempotencyMismatchError):
        file(clone, replace(wanted, words="另一件"))


def test_who_only_knows_the_id_never_gets_the_link(clone: Clone) -> None:
    wanted = report(secret=new_secret())
    file(clone, wanted)
    for thief in (
        replace(wanted, secret=None),
        replace(wanted, secret=new_secret()),
        replace(wanted, secret=None, key="a-guessed-key"),
        replace(wanted, words="另一件"),
    ):
        with pytest.raises(IdTakenError):
            file(clone, thief)
    staffs = report(id=town.id_of("incident", A, "lift.fault", 0), secret=new_secret())
    with pytest.raises(IdTakenError):
        file(clone, staffs)


def test_fifty_times_at_once_is_one_report(clone: Clone) -> None:
    wanted = report(secret=new_secret())
    found: list[Filed] = []
    threads = [Thread(target=lambda: found.append(file(clone, wanted))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found += [file(clone, wanted) for _ in range(47)]
    assert [one.is_new for one in found].count(True) == 1
    assert len({one.token for one in found}) == 1
    assert clone.count("incident", f"id = '{wanted.id}'") == 1


def test_the_same_words_without_an_id_are_taken_once_and_then_have_to_wait(clone: Clone) -> None:
    file(clone, report(words="同样的话"), CALLER)
    with pytest.raises(TooManyTriesError) as caught:
        file(clone, report(words="同样的话"), CALLER)
    assert 500 < caught.value.retry_after_s <= 600
    file(clone, report(words="别的话"), CALLER)
    assert clone.count("incident", "summary = '同样的话'") == 1


def test_one_subnet_cannot_flood_and_a_repetition_is_not_counted(own_town: Clone) -> None:
    caller = Caller("198.51.100.1", "")
    known = report(secret=new_secret(), words="0")
    file(own_town, known, caller)
    for number in range(1, 120):
        file(own_town, report(words=str(number)), caller)
    with pytest.raises(TooManyTriesError):
        file(own_town, report(words="120"), caller)
    assert not file(own_town, known, caller).is_new
    assert file(own_town, report(words="121"), Caller("198.51.101.1", "")).is_new


def test_a_listener_writes_in_the_same_transaction(clone: Clone) -> None:
    heard: list[tuple[UUID, str]] = []

    def fails(_: object, incident: Incident, event: Event) -> None:
        heard.append((incident.id, event.step))
        raise RuntimeError("the notice cannot be written")

    wanted = report()
    with pytest.raises(RuntimeError):
        service.file(clone.api, town.VAULT, wanted, caller=None, on_event=[fails])
    assert heard == [(wanted.id, "report")]
    assert clone.count("incident", f"id = '{wanted.id}'") == 0


# ---- the address and the link


def test_address_and_link_are_stored_encrypted_and_the_address_can_be_forgotten(
    clone: Clone,
) -> None:
    filed = file(clone, report(email="lin@example.com"))
    query = "SELECT row_to_json(r)::text FROM gridsvc.report r WHERE incident_id = :id"
    with clone.root.connect() as connection:
        kept = str(connection.scalar(text(query.replace("::", "\\:\\:")), {"id": filed.id}))
    assert "example" not in kept
    assert filed.token not in kept
    assert service.follow(clone.api, token_of(filed)).has_email
    service.forget_email(clone.api, token_of(filed))
    assert not service.follow(clone.api, token_of(filed)).has_email


@pytest.mark.parametrize("role", ["contact", "patrol", "coordinator"])
def test_whoever_works_on_it_can_have_a_notice_sent_and_reads_the_replies(
    clone: Clone, role: str
) -> None:
    filed = file(clone, report(email="lin@example.com", language="en"))
    service.reply(clone.api, token_of(filed), "word", "还是黑的")
    silent = file(clone, report())
    scope = Scope(role, (Interval(A, A),))
    with clone.api.session(scope, read_only=True) as session:
        incident = incidents.get(session, filed.id)
        address = service.find_address(session, town.VAULT, incident)
        assert address == Address("lin@example.com", "en", filed.token)
        assert "example" not in repr(address)
        assert "还是黑的" in [one.note for one in life.list_events(session, incident.id)]
        other = incidents.get(session, silent.id)
        assert service.find_address(session, town.VAULT, other) is None
        assert scope_of(session) == scope


def test_a_link_with_another_secret_or_community_opens_nothing(clone: Clone) -> None:
    token = token_of(file(clone, report()))
    for wrong in (
        replace(token, secret=bytes(18)),
        replace(token, community_code=B),
        replace(token, incident_id=town.reported(A)),
        replace(token, community_code=2**48 - 1),
    ):
        with pytest.raises(NotFoundError):
            service.follow(clone.api, wrong)
        with pytest.raises(NotFoundError):
            service.reply(clone.api, wrong, "word", "我猜的")


# ---- what is near


def near(clone: Clone, where: Where, category_code: str) -> list[UUID]:
    spot = places.locate(clone.api, where)
    return [one.id for one in places.list_similar(clone.api, spot, category_code)]


def test_what_is_suggested_is_open_near_new_public_and_of_the_class(own_town: Clone) -> None:
    here = at(20, 30)
    lon, lat = here.lon or 0, here.lat or 0
    own = file(own_town, report(here, words="打 13812345678 找我"))
    file(own_town, report(Where(lon=lon, lat=lat + 0.001)))  # 111 m
    file(own_town, report(here, category_code="sanitation.rubbish"))
    file(own_town, report(here, reported_at=NOW - timedelta(days=29)))
    private = file(own_town, report(here, category_code="neighbour_dispute.noise", words="王某"))
    ended = file(own_town, report(here))
    own_town.run(f"UPDATE gridsvc.incident SET status = 'closed' WHERE id = '{ended.id}'")  # noqa: S608
    close = Where(lon=lon, lat=lat + 0.0004)  # 44 m
    assert near(own_town, close, "public_facility.pavement") == [own.id]
    assert near(own_town, here, "neighbour_dispute") == []
    assert near(own_town, here, "neighbour_dispute.noise") == []
    spot = places.locate(own_town.api, close)
    found = places.list_similar(own_town.api, spot, "public_facility")[0]
    assert (found.words, found.distance_m) == ("打 *** 找我", 50)
    assert private.id not in {one.id for one in places.list_similar(own_town.api, spot, "lift")}


def test_a_suggestion_shows_a_photo_only_once_it_is_published(own_town: Clone) -> None:
    own_town.run(
        f"UPDATE gridsvc.incident SET reported_at = now() WHERE id = '{town.reported(A)}'"  # noqa: S608
    )
    spot = places.locate(own_town.api, at(*town.IN_LAST_STAIRWELL))
    shown = places.list_similar(own_town.api, spot, "parking")
    assert [one.photo_id for one in shown if one.id == town.reported(A)] == [town.photo_of(A)]
    own_town.run("DELETE FROM gridsvc.published_photo")
    shown = places.list_similar(own_town.api, spot, "parking")
    assert [one.photo_id for one in shown if one.id == town.reported(A)] == [None]


# ---- going on


def solved(clone: Clone, token: FollowToken, *more: str) -> None:
    """Let somebody of the community solve a report, and somebody else go on from there."""
    with acting(clone, ANNA) as session:
        incident = incidents.get(session, token.incident_id)
    incident = solve(clone, incident)
    with acting(clone, BERT) as session:
        make(session, incident, *more)


def test_a_reporter_adds_words_and_sees_them(clone: Clone) -> None:
    token = token_of(file(clone, report()))
    service.reply(clone.api, token, "word", "今天还是不亮")
    followed = service.follow(clone.api, token)
    assert [(one.kind, one.words) for one in followed.steps] == [
        ("report", ""),
        ("note", "今天还是不亮"),
    ]
    assert all(one.is_own for one in followed.steps)
    assert followed.words == "三楼的灯不亮"


def test_a_reporter_confirms_only_what_is_said_to_be_solved(clone: Clone) -> None:
    token = token_of(file(clone, report()))
    for kind in ("confirm", "reopen", "word", "nonsense"):
        with pytest.raises(ReplyRefusedError):
            service.reply(clone.api, token, kind)
    solved(clone, token)
    assert service.follow(clone.api, token).can_confirm
    service.reply(clone.api, token, "confirm")
    followed = service.follow(clone.api, token)
    assert followed.status == "verified"
    assert [one.kind for one in followed.steps if not one.is_own] == ["triage", "start", "resolve"]


def test_a_reporter_who_finds_it_unsolved_sends_it_back(clone: Clone) -> None:
    token = token_of(file(clone, report()))
    solved(clone, token)
    service.reply(clone.api, token, "reopen")
    followed = service.follow(clone.api, token)
    assert followed.status == "in_progress"
    assert (followed.steps[-1].kind, followed.steps[-1].is_own) == ("refuse", True)
    assert followed.steps[-1].words


def test_a_reporter_has_what_was_closed_opened_again(clone: Clone) -> None:
    token = token_of(file(clone, report()))
    solved(clone, token, "verify", "close")
    service.reply(clone.api, token, "reopen", "只修好了一盏")
    followed = service.follow(clone.api, token)
    assert (followed.status, followed.closed_at) == ("assigned", None), "it reaches its owner"
    assert followed.steps[-1].words == "只修好了一盏"
    with pytest.raises(ReplyRefusedError):
        service.reply(clone.api, token, "reopen")


def test_a_reporter_who_writes_too_often_has_to_wait(clone: Clone) -> None:
    token = token_of(file(clone, report()))
    for number in range(20):
        service.reply(clone.api, token, "word", str(number))
    with pytest.raises(TooManyTriesError):
        service.reply(clone.api, token, "word", "20")


def test_the_resident_role_itself_counts_nothing_and_moves_none_but_the_own(clone: Clone) -> None:
    """What the service does in another role, the visitor's own role may not."""
    filed = file(clone, report())
    scope = Scope("resident", (Interval(A, A),), report=filed.id)
    with clone.api.session(scope) as session:
        moved = text("UPDATE gridsvc.incident SET version = version + 1 RETURNING id")
        assert list(session.scalars(moved)) == [filed.id]
        assert session.scalar(text("SELECT count(*) FROM gridsvc.heat_cell")) == 0
        session.rollback()

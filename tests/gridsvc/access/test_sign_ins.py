"""People see what is signed in to their account, and end it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from gridsvc.access import service as access
from gridsvc.access.devices import service
from gridsvc.db import NOBODY
from gridsvc.errors import NotFoundError
from tests import town
from tests.databases import Clone
from tests.gridsvc.access.enrolled import Enrolled, enrol
from tests.gridsvc.access.phones import (
    acting,
    credentials,
    is_in,
    listed,
    outcome,
    refresh,
    start,
    start_browser,
    who,
)

pytestmark = pytest.mark.db

A, STREET = town.EAST_SHORE, town.STREET


@pytest.fixture
def patrol(database: Clone) -> Enrolled:
    return enrol(database, "patrol", A)


def test_the_list_names_browsers_and_devices_the_present_one_first(
    database: Clone, patrol: Enrolled
) -> None:
    phone, tablet = start(database, patrol, "手机"), start(database, patrol, "平板")
    browser = start_browser(database, patrol)
    start(database, enrol(database, "patrol", A), "别人的")
    database.run(
        "UPDATE gridsvc.sign_in SET used_at = now() - interval '2 hours'",
        "UPDATE gridsvc.device SET created_at = now() - interval '3 hours'",
        f"UPDATE gridsvc.sign_in SET used_at = now() WHERE device_id = '{tablet.device_id}'",  # noqa: S608
    )
    found = listed(database, phone.token)
    assert [(one.kind, one.name, one.is_current) for one in found] == [
        ("device", "手机", True),
        ("device", "平板", False),
        ("browser", "Firefox", False),
    ]
    assert found[0].id == phone.device_id
    assert [round((datetime.now(UTC) - one.used_at) / timedelta(hours=1)) for one in found][1:] == [
        0,
        2,
    ]
    assert {one.is_current for one in listed(database, browser) if one.kind == "browser"} == {True}
    renewed = refresh(database.api, tablet.refresh_token)
    by_tablet = {one.name: one for one in listed(database, renewed.token)}
    assert by_tablet["平板"].id == tablet.device_id, "it keeps its place through every refresh"
    assert by_tablet["平板"].is_current


def test_the_list_leaves_out_what_is_over_or_not_in_yet(database: Clone, patrol: Enrolled) -> None:
    browser = start_browser(database, patrol)
    start_browser(database, patrol, lasts=timedelta(seconds=-1))
    expired, revoked, asleep = (start(database, patrol, name) for name in ("旧", "失", "睡"))
    of_expired = f"device_id = '{expired.device_id}'"
    account = credentials(database, patrol)
    with database.api.session(NOBODY) as session, session.begin():
        access.start(session, account, stage="second_factor", client="Chrome")
    database.run(
        f"UPDATE gridsvc.device_token SET expires_at = now() WHERE {of_expired}",  # noqa: S608
        "UPDATE gridsvc.sign_in SET expires_at = now() WHERE device_id IS NOT NULL",
    )
    acting(database, browser, lambda one, principal: service.end(one, principal, revoked.device_id))
    assert [(one.name, one.is_current) for one in listed(database, browser)] == [
        ("Firefox", True),
        ("睡", False),
    ], "a phone that slept for an hour can still come back"
    refresh(database.api, asleep.refresh_token)


def test_an_own_sign_in_is_ended_and_noted_where_the_office_is(database: Clone) -> None:
    patrol = enrol(database, "patrol", A, office_code=STREET)
    browser, other, phone = (
        start_browser(database, patrol),
        start_browser(database, patrol),
        start(database, patrol),
    )
    other_id = who(database.api, other).sign_in_id
    assert other_id is not None
    acting(database, browser, lambda one, principal: service.end(one, principal, other_id))
    acting(database, browser, lambda one, principal: service.end(one, principal, phone.device_id))
    assert [is_in(database.api, token) for token in (browser, other, phone.token)] == [
        True,
        False,
        False,
    ]
    assert outcome(partial(refresh, database.api, phone.refresh_token)) == "wrong-credentials"
    for action, subject in (("sign-in.end", other_id), ("device.revoke", phone.device_id)):
        noted = f"action = '{action}' AND subject = '{subject}' AND account_id = '{patrol.id}'"
        assert database.count("audit_event", f"{noted} AND community_code = {STREET}") == 1


def test_what_is_somebody_elses_or_nothing_is_equally_absent(
    database: Clone, patrol: Enrolled
) -> None:
    other = enrol(database, "patrol", A)
    theirs, their_phone = start_browser(database, other), start(database, other)
    mine = start_browser(database, patrol)
    their_id = who(database.api, theirs).sign_in_id
    assert their_id is not None
    of_phone = who(database.api, their_phone.token).sign_in_id
    assert of_phone is not None
    before = database.count("audit_event")
    for absent in (their_id, their_phone.device_id, of_phone, uuid4()):
        with pytest.raises(NotFoundError, match=f"No sign-in {absent}"):
            acting(database, mine, partial(service.end, sign_in_id=absent))
    assert is_in(database.api, theirs)
    assert is_in(database.api, their_phone.token)
    assert database.count("audit_event") == before


@pytest.mark.parametrize("present", ["browser", "device"])
def test_all_but_the_present_one_are_ended(database: Clone, patrol: Enrolled, present: str) -> None:
    others = [start(database, patrol), start(database, patrol)]
    browsers = [start_browser(database, patrol) for _ in range(2)]
    mine = others.pop() if present == "device" else None
    token = mine.token if mine else browsers.pop()
    bystander = start(database, enrol(database, "patrol", A))
    acting(database, token, service.end_others)
    assert not any(is_in(database.api, one) for one in browsers)
    for one in others:
        assert not is_in(database.api, one.token)
        assert outcome(partial(refresh, database.api, one.refresh_token)) != "good"
    assert is_in(database.api, token)
    assert is_in(database.api, bystander.token)
    if mine:
        refresh(database.api, mine.refresh_token)
    assert database.count("audit_event", "action = 'sign-in.end-others'") == 1


def test_signing_out_a_phone_ends_its_refresh_token_too(database: Clone, patrol: Enrolled) -> None:
    phone, browser = start(database, patrol), start_browser(database, patrol)
    for token in (phone.token, browser, "a" * 43):
        with database.api.session(NOBODY) as session, session.begin():
            service.sign_out(session, token)
    assert not is_in(database.api, phone.token)
    assert not is_in(database.api, browser)
    assert outcome(partial(refresh, database.api, phone.refresh_token)) == "wrong-credentials"


def test_all_devices_of_an_account_end_together(database: Clone, patrol: Enrolled) -> None:
    phones = [start(database, patrol) for _ in range(3)]
    other = start(database, enrol(database, "patrol", A))
    with database.api.session(NOBODY) as session, session.begin():
        assert service.revoke_all(session, patrol.id) == 3
        assert service.revoke_all(session, patrol.id) == 0
    assert not any(is_in(database.api, phone.token) for phone in phones)
    assert is_in(database.api, other.token)

"""Phones, the list of sign-ins, and that rights follow the account from request to request."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from api.credentials import csrf_token
from gridsvc.access.invitations import service as invitations
from gridsvc.access.model import Principal
from gridsvc.access.signing_in import Caller
from gridsvc.db import NOBODY, Interval, Scope
from gridsvc.throttle.model import Key
from gridsvc.throttle.tables import ThrottleRow
from tests import town
from tests.api.holders import KINDS, SAME_ORIGIN, Holder, bearer, browser, hold
from tests.api.service import Service, is_problem
from tests.gridsvc.access.enrolled import PASSWORD, enrol

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
SESSION, REFRESH, SIGN_INS = "/api/v1/session", "/api/v1/session/refresh", "/api/v1/sign-ins"
PROBE = "/api/v1/compounds"
NEW_PASSWORD = "灯湖边的七盏路灯亮了"  # noqa: S105  (invented)


@pytest.fixture
def holder(own_service: Service) -> Holder:
    return hold(own_service, A)


def phone(service: Service, role: str = "patrol", *codes: int) -> dict[str, Any]:
    """Sign in a phone, and return its tokens."""
    body = enrol(service.clone, role, *(codes or (A,))).proof() | {"device": {"name": "一队"}}
    answer = service.visitor().post(SESSION, json=body)
    assert answer.status_code == 201, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def renew(service: Service, token: str, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return service.visitor().post(REFRESH, json={"refresh_token": token}, headers=headers)


# ---- phones


def test_a_phone_renews_its_token(own_service: Service) -> None:
    first = phone(own_service)
    answer = renew(own_service, first["refresh_token"])
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].endswith("no-store")
    assert "Set-Cookie" not in answer.headers
    second = answer.json()
    assert set(second) == {"token", "expires_at", "refresh_token", "device_id"}
    assert second["device_id"] == first["device_id"]
    assert is_problem(bearer(own_service, first["token"]).get(SESSION), 401, "not-signed-in")
    assert bearer(own_service, second["token"]).get(SESSION).json()["role"] == "patrol"


def test_a_second_use_is_refused_and_ends_the_phone(own_service: Service) -> None:
    first = phone(own_service)
    second = renew(own_service, first["refresh_token"]).json()
    assert is_problem(renew(own_service, first["refresh_token"]), 401, "wrong-credentials")
    assert is_problem(renew(own_service, second["refresh_token"]), 401, "wrong-credentials")
    assert is_problem(bearer(own_service, second["token"]).get(SESSION), 401, "not-signed-in")


def test_a_repetition_with_its_key_gets_a_pair_of_its_own(own_service: Service) -> None:
    first = phone(own_service)
    lost, again = (renew(own_service, first["refresh_token"], "lost-answer-1") for _ in range(2))
    assert (lost.status_code, again.status_code) == (200, 200)
    assert lost.json()["refresh_token"] != again.json()["refresh_token"]
    assert bearer(own_service, again.json()["token"]).get(SESSION).status_code == 200
    assert is_problem(bearer(own_service, lost.json()["token"]).get(SESSION), 401, "not-signed-in")
    assert own_service.clone.count("idempotency_key", "answer::text LIKE '%token%'") == 0


@pytest.mark.parametrize("body", [{}, {"refresh_token": "x"}, {"refresh_token": None}])
def test_a_refresh_without_a_token_does_not_fit(service: Service, body: dict[str, object]) -> None:
    assert is_problem(service.visitor().post(REFRESH, json=body), 422, "invalid-request")


def test_a_subnet_that_renews_too_often_has_to_wait(own_service: Service) -> None:
    tokens = phone(own_service)
    with own_service.clone.api.session(NOBODY) as session, session.begin():
        soon = datetime.now(UTC) + timedelta(seconds=65)
        key = Key("refresh from", "unknown")
        session.execute(insert(ThrottleRow).values(key_hash=key.hashed, tries=650, free_at=soon))
    answer = renew(own_service, tokens["refresh_token"])
    assert is_problem(answer, 429, "too-many-tries")
    assert answer.headers["Retry-After"] == "6"
    assert bearer(own_service, tokens["token"]).get(SESSION).status_code == 200


def test_a_phone_that_signs_out_cannot_renew(own_service: Service) -> None:
    tokens = phone(own_service)
    assert bearer(own_service, tokens["token"]).delete(SESSION).status_code == 204
    assert is_problem(renew(own_service, tokens["refresh_token"]), 401, "wrong-credentials")


def test_a_phone_needs_the_second_factor_of_its_owner_once(own_service: Service) -> None:
    tokens = phone(own_service, "coordinator")
    for _ in range(3):
        tokens = renew(own_service, tokens["refresh_token"]).json()
    assert bearer(own_service, tokens["token"]).get(SESSION).json()["role"] == "coordinator"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE gridsvc.account SET is_disabled = true", 401),
        ("UPDATE gridsvc.device SET revoked_at = now()", 401),
        ("UPDATE gridsvc.device_token SET expires_at = now()", 401),
        ("UPDATE gridsvc.sign_in SET expires_at = now()", 200),
    ],
)
def test_a_refresh_ends_with_account_and_device_but_outlives_the_hour(
    own_service: Service, change: str, status: int
) -> None:
    tokens = phone(own_service)
    own_service.clone.run(change)
    assert renew(own_service, tokens["refresh_token"]).status_code == status


def test_a_renewed_token_has_the_rights_of_now(own_service: Service) -> None:
    tokens = phone(own_service, "patrol", A)
    own_service.clone.run(
        "UPDATE gridsvc.account SET role = 'contact'",
        f"UPDATE gridsvc.account_scope SET lo = {B}, hi = {B}",  # noqa: S608
    )
    renewed = renew(own_service, tokens["refresh_token"]).json()
    who = bearer(own_service, renewed["token"]).get(SESSION).json()
    assert (who["role"], who["territories"]) == ("contact", [{"lo": B, "hi": B}])


# ---- the list


def test_everybody_sees_what_is_signed_in_to_the_own_account(
    own_service: Service, holder: Holder
) -> None:
    hold(own_service, A)  # somebody else
    for kind in ("cookie", "bearer", "device"):
        found = holder.clients[kind].get(SIGN_INS).json()
        assert sorted(one["kind"] for one in found) == ["browser", "browser", "device"]
        assert [one["is_current"] for one in found] == [True, False, False]
        assert found[0]["kind"] == ("device" if kind == "device" else "browser")
        named = {one["name"] for one in found if one["kind"] == "device"}
        assert named == {"手机"}
        assert holder.device["device_id"] in {one["id"] for one in found}


def test_a_sign_in_is_ended_from_another_one(own_service: Service, holder: Holder) -> None:
    mine = holder.clients["bearer"]
    gone = [one for one in mine.get(SIGN_INS).json() if not one["is_current"]]
    for one in gone:
        assert mine.delete(f"{SIGN_INS}/{one['id']}").status_code == 204
        assert is_problem(mine.delete(f"{SIGN_INS}/{one['id']}"), 404, "not-found")
    for kind in ("cookie", "device"):
        assert is_problem(holder.clients[kind].get(PROBE), 401, "not-signed-in")
    refused = renew(own_service, holder.device["refresh_token"])
    assert is_problem(refused, 401, "wrong-credentials")
    assert len(mine.get(SIGN_INS).json()) == 1


def test_all_others_are_ended_at_once_and_keys_are_not(
    own_service: Service, holder: Holder
) -> None:
    token = csrf_token(holder.secrets["cookie"])
    headers = SAME_ORIGIN | {"X-CSRF-Token": token}
    assert holder.clients["cookie"].delete(SIGN_INS, headers=headers).status_code == 204
    answers = {kind: holder.clients[kind].get(PROBE).status_code for kind in KINDS}
    assert answers == {"cookie": 200, "bearer": 401, "device": 401, "key": 200}
    refused = renew(own_service, holder.device["refresh_token"])
    assert is_problem(refused, 401, "wrong-credentials")


def test_somebody_elses_sign_in_is_absent(own_service: Service, holder: Holder) -> None:
    other = bearer(own_service, phone(own_service)["token"])
    for one in holder.clients["bearer"].get(SIGN_INS).json():
        answer = other.delete(f"{SIGN_INS}/{one['id']}")
        assert is_problem(answer, 404, "not-found")
    assert all(holder.clients[kind].get(PROBE).status_code == 200 for kind in KINDS)


# ---- rights follow the account (ASVS 5.0, 7.4.1, 7.4.2, 8.3.2)


def answers(holder: Holder, path: str = PROBE) -> dict[str, int]:
    return {kind: holder.clients[kind].get(path).status_code for kind in KINDS}


def alike(status: int) -> dict[str, int]:
    return dict.fromkeys(KINDS, status)


def test_signing_out_ends_each_kind_by_itself(holder: Holder) -> None:
    assert answers(holder) == alike(200)
    csrf = SAME_ORIGIN | {"X-CSRF-Token": csrf_token(holder.secrets["cookie"])}
    left = alike(200)
    for kind in ("cookie", "device", "key", "bearer"):
        if kind == "key":
            path = f"/api/v1/keys/{holder.key_id}"
            assert holder.clients["bearer"].delete(path).status_code == 204
        else:
            headers = csrf if kind == "cookie" else {}
            assert holder.clients[kind].delete(SESSION, headers=headers).status_code == 204
        left |= {kind: 401}
        assert answers(holder) == left


def test_a_disabled_account_is_out_at_once(own_service: Service, holder: Holder) -> None:
    own_service.clone.run("UPDATE gridsvc.account SET is_disabled = true")
    assert answers(holder) == alike(401)
    for kind in KINDS:
        assert is_problem(holder.clients[kind].get(PROBE), 401, "not-signed-in")
    refused = own_service.visitor().post(SESSION, json=holder.enrolled.proof())
    assert is_problem(refused, 401, "wrong-credentials")


def test_a_changed_role_holds_from_the_next_request(own_service: Service, holder: Holder) -> None:
    path = "/api/v1/patrols/routes"
    assert answers(holder, path) == alike(403), "a planner plans no patrols"
    own_service.clone.run("UPDATE gridsvc.account SET role = 'patrol'")
    assert answers(holder, path) == alike(200) | {"key": 401}
    own_service.clone.run("UPDATE gridsvc.account SET role = 'resident'")
    assert answers(holder) == alike(403) | {"key": 401}
    own_service.clone.run("UPDATE gridsvc.account SET role = 'coordinator'")
    assert answers(holder, path) == alike(200) | {"key": 403}, "a key stays a planner"


def test_a_changed_territory_holds_from_the_next_request(
    own_service: Service, holder: Holder
) -> None:
    def seen() -> dict[str, set[int]]:
        return {
            kind: {one["community_code"] for one in client.get(PROBE).json()["items"]}
            for kind, client in holder.clients.items()
        }

    def alike(*codes: int) -> dict[str, set[int]]:
        return {kind: set(codes) for kind in KINDS}

    widen, narrow = (f"UPDATE gridsvc.account_scope SET {end} = {B}" for end in ("hi", "lo"))  # noqa: S608
    assert seen() == alike(A)
    own_service.clone.run(widen)
    assert seen() == alike(A, B) | {"key": {A}}
    own_service.clone.run(narrow)
    assert seen() == alike(B) | {"key": set()}
    own_service.clone.run("DELETE FROM gridsvc.account_scope")
    assert seen() == alike()


def test_a_changed_password_ends_all_but_the_one_that_changed_it(
    own_service: Service, holder: Holder
) -> None:
    mine = bearer(own_service, holder.secrets["bearer"])
    (current,) = [one for one in mine.get(SIGN_INS).json() if one["is_current"]]
    scope = Scope("planner", (Interval.of(A),), account=holder.enrolled.id)
    principal = Principal(holder.enrolled.id, "石凳", scope, "browser", current["id"])
    invitations.change_password(
        own_service.clone.api, principal, old=PASSWORD, new=NEW_PASSWORD, caller=Caller()
    )
    assert answers(holder) == alike(401) | {"bearer": 200}
    refused = renew(own_service, holder.device["refresh_token"])
    assert is_problem(refused, 401, "wrong-credentials")
    refused = own_service.visitor().post(SESSION, json=holder.enrolled.proof())
    assert is_problem(refused, 401, "wrong-credentials")


def test_time_ends_each_kind(own_service: Service, holder: Holder) -> None:
    own_service.clone.run(
        "UPDATE gridsvc.sign_in SET expires_at = now()",
        "UPDATE gridsvc.api_key SET expires_at = now()",
    )
    assert answers(holder) == alike(401)


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_or_truncated_secret_opens_nothing(
    own_service: Service, holder: Holder, kind: str
) -> None:
    secret = holder.secrets[kind]
    last = "A" if secret[-1] != "A" else "B"
    for forged in (secret[:-1], secret[:-1] + last, secret + "A", secret.swapcase(), secret[:8]):
        client = own_service.visitor()
        if kind == "cookie":
            client.cookies.set("gridsvc_session", forged)
        else:
            client.headers["Authorization"] = f"Bearer {forged}"
        assert is_problem(client.get(PROBE), 401, "not-signed-in")
    assert holder.clients[kind].get(PROBE).status_code == 200


def test_a_header_that_claims_another_account_claims_nothing(
    own_service: Service, holder: Holder
) -> None:
    other = hold(own_service, B)
    claims = {
        "X-Account-Id": str(other.enrolled.id),
        "X-Forwarded-User": other.enrolled.login,
        "X-Remote-User": other.enrolled.login,
        "X-Role": "administrator",
    }
    for kind in KINDS:
        found = holder.clients[kind].get(PROBE, headers=claims).json()["items"]
        assert {one["community_code"] for one in found} == {A}
    assert is_problem(own_service.visitor().get(PROBE, headers=claims), 401, "not-signed-in")


def test_a_browser_is_listed_by_what_it_calls_itself(own_service: Service) -> None:
    login = enrol(own_service.clone, "patrol", A).login
    client = browser(own_service, login)
    own_service.clone.run("UPDATE gridsvc.sign_in SET client = 'Firefox, Android'")
    assert [one["name"] for one in client.get(SIGN_INS).json()] == ["Firefox, Android"]

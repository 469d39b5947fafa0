"""Taking up an invitation over HTTP."""

import logging
from typing import Any

import pytest

from tests import town
from tests.api.service import Service, is_problem

pytestmark = pytest.mark.db

A = town.EAST_SHORE
REDEEM = "/api/v1/invitations/redeem"
PASSWORD = "七号楼下的老榕树很凉快"  # noqa: S105  (of nobody)


def invite(service: Service, role: str = "contact") -> dict[str, Any]:
    wanted = {"name": "陈试一", "role": role, "territory_codes": [A]}
    answer = service.caller("administrator", A).post("/api/v1/accounts", json=wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def redeem(service: Service, code: str, password: str = PASSWORD) -> Any:
    return service.visitor().post(REDEEM, json={"code": code, "password": password})


def test_a_code_and_a_password_are_a_sign_in(own_service: Service) -> None:
    made = invite(own_service)
    answer = redeem(own_service, made["code"].lower().replace("-", " "))
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"].endswith("no-store")
    assert "set-cookie" not in answer.headers, "browsers use the page"
    assert answer.json()["next"] is None
    client = own_service.visitor()
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    who = client.get("/api/v1/session").json()
    assert (who["name"], who["role"]) == ("陈试一", "contact")
    login = {"login": made["account"]["login"], "password": PASSWORD}
    assert own_service.visitor().post("/api/v1/session", json=login).status_code == 201


def test_where_a_second_factor_is_needed_the_answer_says_so(own_service: Service) -> None:
    made = invite(own_service, "coordinator")
    answer = redeem(own_service, made["code"])
    assert answer.status_code == 201
    assert answer.json()["next"] == "second_factor"
    client = own_service.visitor()
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    assert is_problem(client.get("/api/v1/session"), 401, "not-signed-in")


def test_a_used_and_an_unknown_code_are_one_answer(own_service: Service) -> None:
    code = invite(own_service)["code"]
    assert redeem(own_service, code).status_code == 201
    used, unknown = redeem(own_service, code), redeem(own_service, "7QK2-M0XA-1123-ZZZZ")
    assert is_problem(used, 401, "wrong-credentials")
    assert used.json() == unknown.json()


def test_a_weak_password_is_refused_and_the_code_stays_good(own_service: Service) -> None:
    code = invite(own_service)["code"]
    answer = redeem(own_service, code, "1234567890")
    assert is_problem(answer, 422, "weak-password")
    assert redeem(own_service, code).status_code == 201


def test_whoever_guesses_is_slowed_down(own_service: Service) -> None:
    statuses = [
        redeem(own_service, f"7QK2-M0XA-1123-{number:04d}").status_code for number in range(11)
    ]
    assert statuses == [401] * 10 + [429]
    answer = redeem(own_service, invite(own_service)["code"])
    assert is_problem(answer, 429, "too-many-tries")
    assert int(answer.headers["Retry-After"]) >= 1


def test_neither_code_nor_password_nor_name_is_logged_or_repeated(
    own_service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = invite(own_service)
        wrong = own_service.visitor().post(
            REDEEM, json={"code": made["code"], "password": PASSWORD, "more": made["code"]}
        )
        assert is_problem(wrong, 422, "invalid-request")
        assert redeem(own_service, made["code"], "陈试一陈试一陈试一陈试一").status_code == 422
        assert redeem(own_service, made["code"]).status_code == 201
    for secret in (made["code"], made["code"].replace("-", ""), PASSWORD, "陈试一"):
        assert secret not in caplog.text
        assert secret not in wrong.text

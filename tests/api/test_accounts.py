"""Accounts over HTTP: invited one by one or by a list, looked up, changed, and signed out."""

import logging
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from gridsvc.access.tokens import hashed_code
from tests import town
from tests.api.service import Service, is_problem
from tests.workbooks import HEADER, workbook

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
ACCOUNTS = "/api/v1/accounts"
CHEN = {"name": "陈试一", "role": "contact", "territory_codes": [A]}
PASSWORD = "七号楼下的老榕树很凉快"  # noqa: S105  (of nobody)


def invite(administrator: TestClient, **wanted: Any) -> dict[str, Any]:
    answer = administrator.post(ACCOUNTS, json=CHEN | wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def redeem(service: Service, code: str) -> TestClient:
    """Take an invitation up and return the client that is signed in by it."""
    client = service.visitor()
    answer = client.post("/api/v1/invitations/redeem", json={"code": code, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return client


def upload(client: TestClient, content: bytes, name: str = "list.xlsx") -> Any:
    return client.post(f"{ACCOUNTS}/list", files={"file": (name, content)})


def test_an_invitation_is_answered_with_its_code_and_a_link_that_keeps_it_from_logs(
    own_service: Service,
) -> None:
    administrator = own_service.caller("administrator", STREET)
    answer = administrator.post(ACCOUNTS, json=CHEN | {"login": " Chen.Shi "})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"].endswith("no-store")
    made = answer.json()
    assert made["link"] == f"http://127.0.0.1:8000/invite#{made['code']}"
    account = made["account"]
    assert account == administrator.get(f"{ACCOUNTS}/{account['id']}").json()
    assert {key: account[key] for key in ("login", "name", "role", "office_code")} == {
        "login": "chen.shi",
        "name": "陈试一",
        "role": "contact",
        "office_code": STREET,
    }
    assert account["territories"] == [{"lo": A, "hi": A}]
    assert (account["has_password"], account["is_disabled"]) == (False, False)
    hidden = f"code_hash = '\\x{hashed_code(made['code']).hex()}'"
    assert own_service.clone.count("invitation", hidden) == 1


def test_who_was_invited_signs_in_is_changed_and_disabled_from_one_request_to_the_next(
    own_service: Service,
) -> None:
    administrator = own_service.caller("administrator", STREET)
    made = invite(administrator)
    address = f"{ACCOUNTS}/{made['account']['id']}"
    client = redeem(own_service, made["code"])
    assert client.get("/api/v1/session").json()["territories"] == [{"lo": A, "hi": A}]
    assert client.get("/api/v1/patrols/routes").status_code == 403
    change = {"role": "patrol", "territory_codes": [B]}
    changed = administrator.patch(address, json=change).json()
    assert (changed["role"], changed["has_password"]) == ("patrol", True)
    assert client.get("/api/v1/session").json()["territories"] == [{"lo": B, "hi": B}]
    assert client.get("/api/v1/patrols/routes").status_code == 200
    assert administrator.patch(address, json={"is_disabled": True}).json()["is_disabled"]
    assert is_problem(client.get("/api/v1/session"), 401, "not-signed-in")
    login = {"login": made["account"]["login"], "password": PASSWORD}
    assert is_problem(
        own_service.visitor().post("/api/v1/session", json=login), 401, "wrong-credentials"
    )
    assert not administrator.patch(address, json={"is_disabled": False}).json()["is_disabled"]
    assert is_problem(client.get("/api/v1/session"), 401, "not-signed-in")
    assert own_service.visitor().post("/api/v1/session", json=login).status_code == 201


def test_a_new_invitation_ends_the_password_and_a_reset_the_authenticator(
    own_service: Service,
) -> None:
    administrator = own_service.caller("administrator", STREET)
    made = invite(administrator)
    address = f"{ACCOUNTS}/{made['account']['id']}"
    client = redeem(own_service, made["code"])
    own_service.clone.run("UPDATE gridsvc.account SET totp_is_confirmed = true WHERE login ~ '^0'")
    again = administrator.post(f"{address}/invitation")
    assert again.status_code == 201
    assert again.json()["code"] != made["code"]
    told = again.json()["account"]
    assert (told["has_password"], told["has_second_factor"]) == (False, True)
    assert is_problem(client.get("/api/v1/session"), 401, "not-signed-in")
    assert not administrator.delete(f"{address}/second-factor").json()["has_second_factor"]
    assert redeem(own_service, again.json()["code"]).get("/api/v1/session").status_code == 200


def test_nobody_changes_themselves(service: Service) -> None:
    account = service.account("administrator", (STREET,))
    client = service.sign_in(account)
    address = f"{ACCOUNTS}/{account.id}"
    assert client.get(address).json()["role"] == "administrator"
    for answer in (
        client.patch(address, json={"role": "planner"}),
        client.post(f"{address}/invitation"),
        client.delete(f"{address}/second-factor"),
    ):
        assert is_problem(answer, 409, "own-account")
    assert client.get("/api/v1/session").status_code == 200


def test_the_list_is_paged_filtered_and_searched_in_a_body(own_service: Service) -> None:
    administrator = own_service.caller("administrator", STREET)
    for number in range(5):
        invite(administrator, name=f"陈试{number}", territory_codes=[A if number < 3 else B])
    invite(administrator, name="李试四", role="planner", login="li_si")
    query: dict[str, str | int] = {"role": "contact", "limit": 2}
    seen: list[str] = []
    page = administrator.get(ACCOUNTS, params=query).json()
    while True:
        seen += [one["login"] for one in page["items"]]
        if page["next"] is None:
            break
        page = administrator.get(ACCOUNTS, params=query | {"cursor": page["next"]}).json()
    assert seen == ["001-0001", "001-0002", "001-0003", "002-0001", "002-0002"]
    of_b = administrator.get(ACCOUNTS, params={"community": B, "role": "contact"}).json()
    assert [one["login"] for one in of_b["items"]] == ["002-0001", "002-0002"]
    first = administrator.post(f"{ACCOUNTS}/search", json={"words": "陈 试", "limit": 3}).json()
    rest = administrator.post(
        f"{ACCOUNTS}/search", json={"words": "陈 试", "limit": 3, "cursor": first["next"]}
    ).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == [f"陈试{n}" for n in range(5)]
    assert rest["next"] is None
    for words, found in (("LI_", ["李试四"]), ("%", []), ("' OR true --", []), ("李 planner", [])):
        answer = administrator.post(f"{ACCOUNTS}/search", json={"words": words}).json()
        assert [one["name"] for one in answer["items"]] == found


@pytest.mark.parametrize("cursor", ["!", "YQ", "YQpi", "YQpiCmM", "%00"])
def test_a_cursor_of_another_list_is_refused(service: Service, cursor: str) -> None:
    administrator = service.caller("administrator", STREET)
    answer = administrator.get(f"{ACCOUNTS}?cursor={cursor}")
    assert is_problem(answer, 422, "invalid-request")
    answer = administrator.post(f"{ACCOUNTS}/search", json={"words": "x", "cursor": cursor})
    assert is_problem(answer, 422, "invalid-request")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"name": ""}, {"name": " "}, {"name": "x" * 101}, {"name": "a\x00b"}, {"name": None}),
        *({"role": "resident"}, {"role": "owner"}, {"role": None}),
        *({"territory_codes": []}, {"territory_codes": [1]}, {"territory_codes": [A] * 5}),
        *({"territory_codes": None}, {"login": "ab"}, {"login": "陈试一"}, {"login": "a b c"}),
        *({"person_id": "x"}, {"is_disabled": True}, {"office_code": A}, {"password": PASSWORD}),
    ],
)
def test_a_wrong_wish_is_a_problem_that_repeats_nothing(
    service: Service, wrong: dict[str, Any]
) -> None:
    answer = service.caller("administrator", STREET).post(ACCOUNTS, json=CHEN | wrong)
    assert is_problem(answer, 422, "invalid-request")
    assert "陈试一" not in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("codes", [[B], [STREET], [A, B], [440605012001]])
def test_more_than_the_own_territory_cannot_be_given(service: Service, codes: list[int]) -> None:
    answer = service.caller("administrator", A).post(
        ACCOUNTS, json=CHEN | {"territory_codes": codes}
    )
    assert is_problem(answer, 422, "beyond-own-territory")


def test_a_county_is_no_territory(service: Service) -> None:
    wanted = CHEN | {"territory_codes": [440605000000]}
    answer = service.caller("administrator", STREET).post(ACCOUNTS, json=wanted)
    assert is_problem(answer, 422, "invalid-account")


def test_an_account_of_another_office_is_as_absent_as_one_that_is_not(own_service: Service) -> None:
    theirs = invite(own_service.caller("administrator", STREET))["account"]["id"]
    client = own_service.caller("administrator", A)
    assert theirs not in client.get(ACCOUNTS).text
    for account_id in (theirs, str(UUID(int=7))):
        address = f"{ACCOUNTS}/{account_id}"
        for answer in (
            client.get(address),
            client.patch(address, json={"is_disabled": True}),
            client.post(f"{address}/invitation"),
            client.delete(f"{address}/second-factor"),
        ):
            assert is_problem(answer, 404, "not-found")
            assert answer.json()["detail"] == f"No account {account_id}."


# ---- a list


def test_a_list_is_invited_in_its_order(own_service: Service) -> None:
    content = workbook(
        ("桂城街道楼长名单",),
        HEADER,
        ("陈试一", "楼长", A),
        ("李试四", "巡查队", f"{A}、{B}", "Li.Shi"),
    )
    answer = upload(own_service.caller("administrator", STREET), content)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"].endswith("no-store")
    items = answer.json()["items"]
    told = [(one["account"]["login"], one["account"]["role"]) for one in items]
    assert told == [("001-0001", "contact"), ("li.shi", "patrol")]
    assert [one["account"]["name"] for one in items] == ["陈试一", "李试四"]
    for one in items:
        assert one["link"].endswith(f"/invite#{one['code']}")
        assert redeem(own_service, one["code"]).get("/api/v1/session").status_code == 200


def test_csv_under_any_name_is_a_list_too(own_service: Service) -> None:
    content = f"姓名,角色,管辖\n陈试一,楼长,{A}\n".encode("gb18030")
    answer = upload(own_service.caller("administrator", STREET), content, "../../名单.xlsx")
    assert [one["account"]["name"] for one in answer.json()["items"]] == ["陈试一"]


def test_a_list_with_faults_names_each_row_and_column_and_invites_nobody(
    own_service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    administrator = own_service.caller("administrator", A)
    invite(administrator, login="taken")
    content = workbook(
        HEADER,
        ("陈试一", "楼长", A),
        (None, "村长", A),
        ("李试四", "楼长", B),
        ("王试五", "楼长", A, "TAKEN"),
    )
    with caplog.at_level(logging.DEBUG):
        answer = upload(administrator, content)
    assert is_problem(answer, 422, "faulty-list")
    assert [(*one["where"], one["fault"]) for one in answer.json()["errors"]] == [
        ("row 3", "name", "missing"),
        ("row 3", "role", "unknown-role"),
        ("row 4", "territory", "beyond-own-territory"),
        ("row 5", "login", "login-taken"),
    ]
    assert all(one["what"] for one in answer.json()["errors"])
    for word in ("陈试一", "村长", "王试五", "TAKEN"):
        assert word not in answer.text
        assert word not in caplog.text
    assert own_service.clone.count("account", "login LIKE '001-%'") == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unreadable-list"),
        (b"MZ\x90\x00", "unreadable-list"),
        (workbook(("姓名", "角色")), "unreadable-list"),
        (b"a" * 5_000_001, "unreadable-list"),
    ],
)
def test_what_is_no_list_is_a_problem(service: Service, content: bytes, code: str) -> None:
    answer = upload(service.caller("administrator", STREET), content)
    assert is_problem(answer, 422, code)


def test_an_upload_without_a_file_is_a_problem(service: Service) -> None:
    administrator = service.caller("administrator", STREET)
    for sent in ({}, {"data": {"file": "text"}}, {"files": {"other": b"x"}}, {"json": {"file": 1}}):
        answer = administrator.post(f"{ACCOUNTS}/list", **sent)
        assert is_problem(answer, 422, "invalid-request")

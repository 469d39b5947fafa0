"""The pages of a report without an account, as a browser without scripts gets them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests import town
from tests.api.service import Service, serving
from tests.databases import drop, make_clone
from tests.gridsvc.incidents.pictures import photo

pytestmark = pytest.mark.db

A = town.EAST_SHORE
CODE = town.stairwell_code(A, building=2, number=2)
HTML = {"Accept": "text/html"}
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def reporting(cluster: Any, town_template: str) -> Iterator[Service]:
    clone = make_clone(cluster, town_template)
    try:
        with serving(clone) as service:
            yield service
    finally:
        drop(clone)


@pytest.fixture
def phone(reporting: Service) -> TestClient:
    reporting.clone.run("TRUNCATE gridsvc.throttle")
    client = reporting.visitor()
    client.headers["Accept"] = "text/html"
    return client


def form_of(page: Response) -> dict[str, str]:
    """Return the hidden fields of the form of a report."""
    return dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', page.text))


def form_at(phone: TestClient, path: str) -> dict[str, str]:
    page = phone.get(path)
    assert page.status_code == 200, page.text
    return form_of(page)


def send(phone: TestClient, form: dict[str, str], **more: Any) -> Response:
    return phone.post("/report", data=form, follow_redirects=False, **more)


def test_a_stairwells_code_leads_to_seven_icons_and_their_kinds(phone: TestClient) -> None:
    page = phone.get(f"/g/{CODE}")
    assert page.status_code == 200
    assert page.text.count("<details") == 7
    assert "东岸社区 · 东苑_1% · 2栋 2梯" in page.text
    assert f'href="/g/{CODE}?what=public_facility.stairwell_lights"' in page.text
    assert phone.get(f"/g/{CODE}?what=nonsense").text.count("<details") == 7


@pytest.mark.parametrize("code", ["1", "9" * 20, "x" * 20, "%3Cimg onerror=alert(1)%3E"])
def test_an_unknown_code_says_so_and_still_lets_one_report(phone: TestClient, code: str) -> None:
    page = phone.get(f"/g/{code}")
    assert page.status_code == 404
    assert "没有找到这个楼道" in page.text
    assert 'href="/report"' in page.text
    assert "<img onerror" not in page.text


def test_a_code_that_ended_leads_to_what_it_became(phone: TestClient, reporting: Service) -> None:
    old, middle, new = (f"{town.compound_code(A)}0019{digit}" for digit in (1, 2, 3))
    own = town.stairwell_code(A, number=2)
    for code in (old, middle):
        reporting.clone.run(
            "INSERT INTO gridsvc.stairwell (community_code, code, name, building_code,"  # noqa: S608
            " compound_code, household_count, told_household_count, geom, valid_from, retired_on,"
            f" retired_reason) SELECT community_code, '{code}', name, building_code, compound_code,"
            " household_count, told_household_count, geom, valid_from, '2026-01-02', '合并'"
            f" FROM gridsvc.stairwell WHERE code = '{own}'"
        )
    for before, after in ((old, middle), (middle, own), (middle, new)):
        reporting.clone.run(
            "INSERT INTO gridsvc.grid_lineage (community_code, predecessor_code, successor_code,"  # noqa: S608
            f" kind, happened_on, share) VALUES ({A}, '{before}', '{after}', 'split',"
            " '2026-01-02', 0.5)"
        )
    page = phone.get(f"/g/{old}")
    assert page.status_code == 410
    assert "到 2026-01-02 为止" in page.text
    assert f'href="/g/{own}"' in page.text
    assert f'href="/g/{new}"' not in page.text, "there is no such stairwell"
    assert 'href="/report"' in page.text


def test_a_report_by_form_is_sent_followed_and_confirmed(
    phone: TestClient, reporting: Service
) -> None:
    form = form_at(phone, f"/g/{CODE}?what=public_facility.stairwell_lights")
    files = [("photo", ("a.jpg", photo(), "image/jpeg")), ("photo", ("b.jpg", b"GIF89a", "x/y"))]
    sent = send(phone, form | {"words": "三楼的灯不亮"}, files=files)
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"] == "/report/follow?new=1&refused=not-an-image"
    page = phone.get(sent.headers["location"])
    assert "已收到，谢谢" in page.text
    assert "这不是照片" in page.text
    link = re.search(r'value="(http[^"]+/report/follow#[A-Za-z0-9_-]{54})"', page.text)
    assert link is not None
    (thumbnail,) = re.findall(r'<img src="(/api/v1/reports/[^"]+)"', page.text)
    assert phone.get(thumbnail).headers["content-type"] == "image/jpeg"

    stranger = reporting.visitor()
    assert stranger.get(thumbnail).status_code == 404
    assert "粘贴" in stranger.get("/report/follow", headers=HTML).text
    opened = stranger.post("/report/follow", data={"code": link[1]}, headers=HTML)
    assert "三楼的灯不亮" in opened.text

    reporting.clone.run(
        f"UPDATE gridsvc.incident SET status = 'resolved' WHERE id = '{form['id']}'"  # noqa: S608
    )
    assert "解决了吗" in phone.get("/report/follow").text
    done = phone.post("/report/follow/say", data={"deed": "confirm", "words": "修好了"})
    assert "已确认解决" in done.text
    assert "修好了" in done.text
    again = phone.post("/report/follow/say", data={"deed": "confirm"})
    assert again.status_code == 409
    assert "情况已经变了" in again.text
    gone = phone.post("/report/follow/say", data={"deed": "leave"})
    assert "粘贴" in gone.text


def test_the_token_is_in_no_address_and_scripts_cannot_read_its_cookie(phone: TestClient) -> None:
    form = form_at(phone, f"/g/{CODE}?what=lift.fault")
    sent = send(phone, form | {"words": "电梯停了"})
    cookie = sent.headers["set-cookie"]
    token = cookie.split("=", 1)[1].split(";")[0]
    assert len(token) == 54
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert token not in sent.headers["location"]
    page = phone.get("/report/follow")
    assert page.headers["cache-control"] == "private, no-store"
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
    assert not [one for one in addresses if token in one]


def test_the_button_pressed_twice_is_one_report(phone: TestClient, reporting: Service) -> None:
    form = form_at(phone, f"/g/{CODE}?what=lift.fault") | {"words": "按了两次"}
    assert [send(phone, form).status_code for _ in range(2)] == [303, 303]
    assert reporting.clone.count("incident", "summary = '按了两次'") == 1


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"words": ""}, 422, "请写几个字"),
        ({"words": "字" * 501}, 422, "请写几个字"),
        ({"words": "x" * 500_000}, 422, "请写几个字"),
        ({"email": "nobody"}, 422, "不像是一个邮箱"),
        ({"stairwell": ""}, 422, "请在地图上点一下"),
        ({"stairwell": "", "lon": "0", "lat": "0"}, 422, "不在我们负责的社区里"),
        ({"stairwell": "", "lon": "x", "lat": "0"}, 422, "请在地图上点一下"),
        ({"stairwell": "9" * 20}, 422, "不在我们负责的社区里"),
        ({"what": "lift.nothing"}, 422, "这一类现在不能上报"),
    ],
)
def test_a_fault_is_said_beside_its_field_and_nothing_that_was_written_is_lost(
    phone: TestClient, changes: dict[str, str], status: int, told: str
) -> None:
    form = form_at(phone, f"/g/{CODE}?what=lift.fault") | {"words": "电梯停了 & 有人"}
    page = send(phone, form | changes)
    assert page.status_code == status, page.text
    assert told in page.text
    if "words" not in changes and "what" not in changes:
        assert "电梯停了 &amp; 有人</textarea>" in page.text
        assert form_of(page)["id"] == form["id"]


def test_a_megabyte_of_words_is_too_large_and_a_hundred_photos_are_too_many(
    phone: TestClient,
) -> None:
    form = form_at(phone, f"/g/{CODE}?what=lift.fault") | {"words": "x" * 1_200_000}
    for files in (None, [("photo", ("a.jpg", photo(), "image/jpeg"))]):
        page = send(phone, form, files=files)
        assert page.status_code == 413
        assert "太大" in page.text
    many = [("photo", (f"{n}.jpg", b"x", "image/jpeg")) for n in range(100)]
    page = send(phone, form | {"words": "很多"}, files=many)
    assert page.status_code == 422
    assert "照片或者栏目太多" in page.text


def test_html_and_script_come_back_as_text(phone: TestClient) -> None:
    form = form_at(phone, f"/g/{CODE}?what=lift.fault")
    hostile = form | {"words": f'</textarea>{SCRIPT}"onload=x'}
    again = send(phone, hostile | {"email": f'"{SCRIPT}', "stairwell": SCRIPT[:20]})
    assert again.status_code == 422
    assert SCRIPT not in again.text
    assert send(phone, hostile).status_code == 303
    for path in ("/report/follow", f"/g/{CODE}?what=lift"):
        page = phone.get(path)
        assert "&lt;script&gt;alert(1)" in page.text, path
        assert SCRIPT not in page.text


def test_anywhere_a_compound_can_be_chosen_without_a_script(phone: TestClient) -> None:
    page = phone.get("/report?what=sanitation.rubbish")
    compound = town.compound_code(A, 2)
    assert f'<option value="{compound}">' in page.text
    assert '<optgroup label="东岸社区">' in page.text
    sent = send(phone, form_of(page) | {"compound": compound, "words": "垃圾没人收"})
    assert sent.status_code == 303, sent.text
    assert "西苑_2%" in phone.get("/report/follow").text


def test_what_is_near_a_stairwell_is_shown_before_anything_is_written(phone: TestClient) -> None:
    form = form_at(phone, f"/g/{CODE}?what=safety.facade") | {"words": "外墙掉皮"}
    assert send(phone, form).status_code == 303
    page = phone.get(f"/g/{CODE}?what=safety.fire_lane")
    assert "附近有人上报过" in page.text
    assert "外墙掉皮" in page.text
    assert "外墙掉皮" not in phone.get(f"/g/{CODE}?what=lift.fault").text


def test_too_often_is_said_in_the_form(phone: TestClient) -> None:
    form = form_at(phone, f"/g/{CODE}?what=lift.fault") | {"words": "又来一遍"}
    assert send(phone, form).status_code == 303
    other = form_at(phone, f"/g/{CODE}?what=lift.fault") | {"words": "又来一遍"}
    page = send(phone, other)
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 500
    assert "您写的内容还在" in page.text


def test_seven_photos_become_five_and_nothing_is_lost(phone: TestClient) -> None:
    form = form_at(phone, f"/g/{CODE}?what=lift.fault") | {"words": "很多照片"}
    files = [("photo", (f"{n}.jpg", photo((40 + n, 30)), "image/jpeg")) for n in range(6)]
    sent = send(phone, form, files=files)
    assert sent.headers["location"].endswith("refused=too-many")
    assert phone.get("/report/follow").text.count("?size=thumb") == 5


def test_somebody_with_an_account_reports_by_the_same_form(reporting: Service) -> None:
    client = reporting.visitor()
    account = reporting.account("coordinator", (A,))
    client.post("/login", data={"code": account.code})
    page = client.get(f"/g/{CODE}?what=lift.fault", headers=HTML)
    csrf = re.search(r'name="csrf" type="hidden" value="([0-9a-f]+)"', page.text)
    assert csrf is not None
    form = form_of(page) | {"words": "我自己看到的", "csrf": csrf[1]}
    assert send(client, form | {"csrf": "0" * 64}).status_code == 403
    assert send(client, form).status_code == 303


# ---- the coordinator's photos


def test_a_coordinator_blurs_publishes_and_withdraws(reporting: Service, phone: TestClient) -> None:
    form = form_at(phone, f"/g/{CODE}?what=sanitation.pests") | {"words": "老鼠"}
    send(phone, form, files=[("photo", ("a.jpg", photo(), "image/jpeg"))])
    staff = reporting.caller("coordinator", A)
    waiting = staff.get("/incidents/photos", headers=HTML)
    path = re.findall(r'href="(/incidents/photos/[0-9a-f-]{36})"', waiting.text)[0]
    assert staff.get(f"{path}/image").headers["content-type"] == "image/jpeg"
    public = f"/api/v1/photos/{A}/{path.rpartition('/')[2]}"
    for refused in (
        {"deed": "publish"},
        {"deed": "publish", "rectangles": "nonsense"},
        {"deed": "publish", "rectangles": '[{"left":0,"top":0,"width":9,"height":1}]'},
    ):
        assert staff.post(path, data=refused).status_code == 422
    assert phone.get(public).status_code == 404
    covered = '[{"left":0.1,"top":0.1,"width":0.3,"height":0.3}]'
    done = staff.post(path, data={"deed": "publish", "rectangles": covered})
    assert path not in done.text
    assert phone.get(public).status_code == 200
    assert "已经发布" in staff.get(path).text
    staff.post(path, data={"deed": "withdraw"})
    assert phone.get(public).status_code == 404

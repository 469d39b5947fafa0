"""The pages over a town that is counted by hand: who sees what, in which words."""

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.pages.text import load_words
from geodata.writers.formats import FORMATS
from gridsvc.local_time import LOCAL_TIME
from tests import town
from tests.api.pages.markup import Page, parse
from tests.api.service import PROBLEM, Service, is_problem

pytestmark = pytest.mark.db

EAST, WEST, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
BROWSER = {"Accept": "text/html,application/xhtml+xml"}
EVIL = "</script><img src=x onerror=alert(1)>"
PAGES = ("/", "/map?view=coverage", "/map?view=heat", "/map?view=routes", "/results")
PLANNER_PAGES = ("/", "/map", "/map?view=heat", "/map?view=territory")


def see(client: TestClient, path: str, *, status: int = 200) -> Page:
    answer = client.get(path, headers=BROWSER, follow_redirects=False)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return parse(answer.text)


def uncover(service: Service, community_code: int, *numbers: int, compound: int = 1) -> None:
    """Take the contacts of stairwells of the first building of a compound."""
    codes = [
        town.stairwell_code(community_code, compound=compound, number=number) for number in numbers
    ]
    with service.clone.root.begin() as connection:
        connection.execute(
            text("DELETE FROM gridsvc.contact WHERE stairwell_code = ANY(:codes)"), {"codes": codes}
        )


# ---- who comes in


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_is_led_to_login_and_back_to_the_page(service: Service, path: str) -> None:
    answer = service.visitor().get(path, headers=BROWSER, follow_redirects=False)
    assert answer.status_code == 303
    login = see(service.visitor(), answer.headers["location"])
    assert set(goals(login)) == {path}


@pytest.mark.parametrize("path", ["//elsewhere.example", "https://elsewhere.example", "/\\x"])
def test_login_leads_to_a_page_of_ours_rather_than_to_another_site(
    service: Service, path: str
) -> None:
    browser = service.visitor()
    assert set(goals(see(browser, f"/login?next={path}"))) == {""}
    form = {"code": service.account("planner", (EAST,)).code, "next": path}
    answer = browser.post("/login", data=form, headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/map")


def goals(login: Page) -> list[str]:
    """Return where the forms of the login page lead."""
    return [field["value"] for field in login.all("input") if field.get("name") == "next"]


def test_the_form_signs_in_and_out_without_a_script(service: Service) -> None:
    account = service.account("coordinator", (EAST,))
    browser = service.visitor()
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    form = {"code": f" {account.code} ", "next": "/results"}
    answer = browser.post("/login", data=form, headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/results")
    assert "HttpOnly" in answer.headers["set-cookie"]
    home = see(browser, "/")
    assert account.name in home.words
    token = next(field["value"] for field in home.all("input") if field["name"] == "csrf")
    answer = browser.post("/logout", data={"csrf": token}, headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert browser.get("/", headers=BROWSER, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("code", ["short", "wrong-but-long-enough", "x" * 90])
def test_a_wrong_code_is_answered_by_the_form_with_a_sentence(service: Service, code: str) -> None:
    answer = service.visitor().post("/login", data={"code": code}, headers=BROWSER)
    assert answer.status_code == 401
    assert load_words()["login_wrong_code"]["zh"] in parse(answer.text).words
    assert "set-cookie" not in answer.headers


def test_another_site_cannot_sign_a_browser_in(service: Service) -> None:
    account = service.account("coordinator", (EAST,))
    forged = {"Origin": "http://elsewhere.example", **BROWSER}
    answer = service.visitor().post("/login", data={"code": account.code}, headers=forged)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


# ---- what they see


@pytest.mark.parametrize(
    ("codes", "total"), [((EAST,), 12), ((STREET,), 24)], ids=["community", "street"]
)
def test_the_headline_counts_the_stairwells_of_the_callers_territory(
    own_service: Service, codes: tuple[int, ...], total: int
) -> None:
    uncover(own_service, EAST, 1, 2)
    uncover(own_service, WEST, 3)
    caller = own_service.caller("coordinator", *codes)
    lo, hi = (codes[0], codes[0]) if codes[0] % 1000 else (codes[0], codes[0] + 999)
    uncovered = own_service.clone.count(
        "stairwell",
        f"community_code BETWEEN {lo} AND {hi} AND NOT EXISTS (SELECT FROM gridsvc.contact"
        " WHERE contact.stairwell_code = stairwell.code)",
    )
    assert 0 < uncovered < total
    page = see(caller, "/map?view=coverage")
    assert f"{total} 个楼道中 {uncovered} 个没有联系人" in page.words
    assert f"{uncovered} 个楼道没有联系人" in see(caller, "/").words
    english = see(caller, "/map?view=coverage&lang=en")
    caller.cookies.clear()
    assert f"{uncovered} of {total} stairwells have no contact" in english.words


def test_compounds_come_with_most_uncovered_first(own_service: Service) -> None:
    uncover(own_service, EAST, 1, compound=1)
    uncover(own_service, EAST, 1, 2, compound=2)
    page = see(own_service.caller("coordinator", EAST), "/map")
    listed = [link["data-compound"] for link in page.all("a") if "data-compound" in link]
    assert listed == [town.compound_code(EAST, 2), town.compound_code(EAST, 1)]
    assert "缺 2" in page.words
    assert "缺 1" in page.words


def test_a_community_narrows_words_and_list_but_not_the_map(service: Service) -> None:
    caller = service.caller("coordinator", STREET)
    page = see(caller, f"/map?view=coverage&community={WEST}")
    assert re.search(r"\b12 个楼道", page.words)
    listed = [link["data-compound"] for link in page.all("a") if "data-compound" in link]
    assert {code[:12] for code in listed} == {str(WEST)}
    assert len(listed) == 2
    drawn = "".join(page.scripts)
    assert town.compound_code(EAST, 1) in drawn
    box = next(section["data-box"] for section in page.all("section") if "data-box" in section)
    west, south = town.place(WEST, 0, 0)
    assert [float(edge) for edge in box.split()][:2] == pytest.approx([west, south])


@pytest.mark.parametrize("query", [f"community={WEST}", f"compound={town.compound_code(WEST)}"])
def test_a_neighbours_community_is_not_found(service: Service, query: str) -> None:
    caller = service.caller("coordinator", EAST)
    page = see(caller, f"/map?{query}", status=404)
    assert load_words()["error_404_text"]["zh"] in page.words
    see(service.caller("coordinator", STREET), f"/map?{query}")


def test_results_count_and_one_more_incident_shows_one_more(own_service: Service) -> None:
    caller = own_service.caller("coordinator", EAST)
    before = own_service.clone.count("incident", f"community_code = {EAST}")
    assert f"合计 {before}" in see(caller, "/results").words
    lon, lat = town.place(EAST, *town.IN_COMMUNITY)
    report = {"category_code": "lift.fault", "summary": "电梯停了", "lon": lon, "lat": lat}
    assert caller.post("/api/v1/incidents", json=report).status_code == 201
    words = see(caller, "/results").words
    assert f"合计 {before + 1}" in words
    assert "电梯（旧楼加装） 2" in words


def test_home_lists_the_newest_incident_with_its_place_on_the_map(own_service: Service) -> None:
    caller = own_service.caller("coordinator", EAST)
    lon, lat = town.place(EAST, *town.IN_STAIRWELL)
    report = {"category_code": "safety.ebike_stairwell", "summary": EVIL, "lon": lon, "lat": lat}
    assert caller.post("/api/v1/incidents", json=report).status_code == 201
    page = see(caller, "/")
    assert EVIL in page.words
    assert "1 分钟前 · 已上报" in page.words
    assert any(f"stairwell={town.stairwell_code(EAST)}" in link for link in page.links())


def test_tonights_routes_are_drawn_and_teams_of_one_name_are_told_apart(
    own_service: Service,
) -> None:
    tonight = datetime.now(LOCAL_TIME).replace(hour=19, minute=0, second=0, microsecond=0)
    with own_service.clone.root.begin() as connection:
        connection.execute(
            text("UPDATE gridsvc.patrol_shift SET during = tstzrange(:start, :end)"),
            {"start": tonight, "end": tonight + timedelta(hours=2)},
        )
    page = see(own_service.caller("coordinator", STREET), "/map?view=routes")
    assert "今晚 2 条巡查路线，4 个点位" in page.words
    teams = [link["data-team"] for link in page.all("a") if "data-team" in link]
    assert sorted(teams) == ["东岸社区 第1队", "西桥社区 第1队"]
    alone = see(own_service.caller("coordinator", EAST), "/map?view=routes")
    assert [link["data-team"] for link in alone.all("a") if "data-team" in link] == ["第1队"]
    files = [link for link in alone.links() if link.endswith("?f=gpx")]
    assert own_service.caller("coordinator", EAST).get(files[0]).status_code == 200
    assert own_service.caller("coordinator", WEST).get(files[0]).status_code == 404


def test_a_night_without_routes_says_so(service: Service) -> None:
    caller = service.caller("coordinator", STREET)
    assert load_words()["routes_none_headline"]["zh"] in see(caller, "/map?view=routes").words
    assert load_words()["card_no_routes"]["zh"] in see(caller, "/").words


# ---- planners


def test_a_planner_is_told_what_the_release_shows_and_withholds(service: Service) -> None:
    caller = service.caller("planner", STREET)
    heat = caller.get("/api/v1/heat").json()
    assert heat["shown"] > 0
    words = see(caller, "/").words
    assert f"{heat['shown']} 件事项已发布到热力图" in words
    assert f"截至 {heat['through'][:7]}" in words
    assert f"{heat['shown']} 件事项" in see(caller, "/map").words


def test_every_download_that_a_planner_is_offered_is_there(service: Service) -> None:
    caller = service.caller("planner", STREET)
    files = [link for link in see(caller, "/").links() if "/export/" in link]
    layers = ("communities", "compounds", "buildings", "stairwells", "walkways", "heat")
    assert sorted(files) == sorted(
        f"/api/v1/export/{layer}.{name}" for layer in layers for name in FORMATS
    )
    for file in files:
        answer = caller.get(file)
        assert answer.status_code == 200, file
        assert answer.content, file
        if file.endswith(".geojson"):
            assert answer.json()["features"], file


@pytest.mark.parametrize("path", ["/map?view=coverage", "/map?view=routes", "/results"])
def test_a_planner_gets_a_page_that_says_what_is_not_for_planners(
    service: Service, path: str
) -> None:
    caller = service.caller("planner", STREET)
    page = see(caller, path, status=403)
    assert load_words()["error_403"]["zh"] in page.words
    assert "/" in page.links()
    english = see(caller, f"{path}{'&' if '?' in path else '?'}lang=en", status=403)
    caller.cookies.clear()
    assert load_words()["error_403"]["en"] in english.words


@pytest.mark.parametrize("path", PLANNER_PAGES)
def test_no_page_of_a_planner_holds_a_name_or_a_contact(service: Service, path: str) -> None:
    html = service.caller("planner", STREET).get(path, headers=BROWSER).text
    assert "甲" not in html
    assert "covered_" not in "".join(parse(html).words)


# ---- form


@pytest.mark.parametrize(
    ("role", "path"),
    [("coordinator", path) for path in PAGES] + [("planner", path) for path in PLANNER_PAGES],
)
def test_every_inline_script_carries_the_nonce_of_its_answer(
    service: Service, role: str, path: str
) -> None:
    caller = service.caller(role, STREET)
    first, second = (caller.get(path, headers=BROWSER) for _ in range(2))
    nonces = [
        re.findall("'nonce-([^']+)'", answer.headers["content-security-policy"])
        for answer in (first, second)
    ]
    assert len(set(nonces[0])) == 1
    assert nonces[0] != nonces[1]
    page = parse(first.text)
    for tag in ("script", "style"):
        inline = [attributes for attributes in page.all(tag) if "src" not in attributes]
        assert {attributes.get("nonce") for attributes in inline} <= {nonces[0][0]}
    assert not [
        (tag, name)
        for tag, attributes in page.elements
        for name in attributes
        if name.startswith("on") or name == "style"
    ]
    assert first.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", [*PAGES, "/map?view=territory"])
def test_a_name_never_becomes_markup(own_service: Service, path: str) -> None:
    with own_service.clone.root.begin() as connection:
        for table, code in (("compound", town.compound_code(EAST)), ("community", WEST)):
            connection.execute(
                text(f"UPDATE gridsvc.{table} SET name = :name WHERE code = :code"),  # noqa: S608 - words of the test
                {"name": EVIL + "{{7*7}}", "code": code},
            )
    role = "planner" if path.endswith("territory") else "coordinator"
    page = see(own_service.caller(role, STREET), path)
    assert [image for image in page.all("img") if image.get("src") == "x"] == []
    assert "onerror" not in {name for _, attributes in page.elements for name in attributes}
    if path != "/results":
        assert EVIL in page.words
        assert "{{7*7}}" in page.words


def test_the_language_is_chinese_until_another_is_chosen_and_then_remembered(
    service: Service,
) -> None:
    browser = service.visitor()
    assert "登录码" in see(browser, "/login").words
    english = see(browser, "/login?lang=en&next=/results")
    assert "Login code" in english.words
    assert "/login?lang=zh&next=%2Fresults" in english.links()
    assert "Login code" in see(browser, "/login").words
    assert "登录码" in see(browser, "/login?lang=zh").words
    assert "登录码" in see(browser, "/login").words


# ---- errors


def test_an_unknown_address_is_a_page_for_browsers_and_a_problem_for_programs(
    service: Service,
) -> None:
    visitor = service.visitor()
    assert load_words()["error_404"]["zh"] in see(visitor, "/nowhere", status=404).words
    assert is_problem(visitor.get("/nowhere"), 404, "not-found")
    answer = visitor.get("/api/v1/nowhere", headers=BROWSER)
    assert answer.headers["content-type"] == PROBLEM


def test_an_address_that_makes_no_sense_is_a_page(service: Service) -> None:
    caller = service.caller("coordinator", STREET)
    for query in ("view=nonsense", "community=1", "compound=x"):
        page = see(caller, f"/map?{query}", status=422)
        assert load_words()["error_422"]["zh"] in page.words


def test_a_visitor_without_html_gets_the_problem(service: Service) -> None:
    assert is_problem(service.visitor().get("/map"), 401, "not-signed-in")

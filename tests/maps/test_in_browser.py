"""The pages in a real Chromium: all is drawn, nothing comes from outside, the policy holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maps.assets import asset_files
from maps.base import Ground
from maps.coverage import coverage_map
from maps.elements import GridMap
from maps.heat import heat_map
from maps.page import document, parts
from maps.routes import routes_map
from tests.maps import town
from tests.maps.conftest import Visit
from tests.maps.server import NONCE, serve, write_tiles

pytestmark = pytest.mark.browser

Open = Callable[[str, str, str], Visit]

HOSTILE = "</script><img src=x onerror=alert(1)>"
BASE = {"communities": 2, "compounds": 6, "buildings": 72, "walkways": 10}


def pages() -> dict[str, str]:
    stairwells = town.stairwells()
    uncovered = stairwells[stairwells["state"] == "uncovered"]
    counts = town.state_counts()
    tiled = Ground(town.communities(), town.compounds(), tile_url="/tiles/{layer}/{z}/{x}/{y}.mvt")
    framed = replace(tiled, tile_url="", buildings=town.buildings(), walkways=town.walkways())
    hostile = replace(
        framed, compounds=town.compounds().assign(name=[HOSTILE, "{{7*7}}", *town.NAMES[2:]])
    )
    many = tuple(f"第{number}队" for number in range(1, 61))
    made: dict[str, GridMap] = {
        "/coverage": coverage_map(
            tiled, counts=counts, uncovered=uncovered, title="216 个楼道中 24 个没有联系人"
        ),
        "/coverage-en": coverage_map(
            replace(tiled, lang="en"),
            counts=counts,
            uncovered=uncovered,
            title="24 of 216 stairwells have no contact",
        ),
        "/heat": heat_map(
            town.cells(), tiled, total=457, withheld=7, least_shown=5, title="事项集中在哪里？"
        ),
        "/routes": routes_map(
            town.routes(), town.stops(), framed, posts=town.posts(), title="今晚"
        ),
        "/routes-60": routes_map(town.routes(many), town.stops(many), framed),
        "/hostile": routes_map(
            town.routes((HOSTILE,)),
            town.stops((HOSTILE,)),
            hostile,
            title=HOSTILE,
            detail="{{7*7}}",
        ),
        "/hostile-search": heat_map(town.cells(), hostile, total=457),
        "/no-tiles": coverage_map(
            replace(tiled, tile_url="/nowhere/{layer}/{z}/{x}/{y}.mvt"), counts=counts
        ),
    }
    breach = '<p style="color: red">a</p><img src="http://elsewhere.example/a.png">'
    return {"/breach": breach} | {
        path: document(parts(page, nonce=NONCE), title=path) for path, page in made.items()
    }


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tiles: Path = tmp_path_factory.mktemp("tiles")
    layers = {
        "stairwells": town.stairwells(),
        "buildings": town.buildings(),
        "walkways": town.walkways(),
    }
    write_tiles(layers, tiles)
    with serve(pages(), asset_files(), tiles) as address:
        yield address


each_size = pytest.mark.parametrize("size", ["desktop", "phone"])


@each_size
@pytest.mark.parametrize(
    ("path", "features"),
    [
        ("/coverage", BASE | {"stairwells": 216, "uncovered": 24}),
        ("/coverage-en", BASE | {"stairwells": 216, "uncovered": 24}),
        ("/heat", BASE | {"cells": 35, "hot_spots": 5, "heat": 0}),
        ("/routes", BASE | {"routes": 2, "stops": 12, "posts": 2}),
        ("/routes-60", BASE | {"routes": 60, "stops": 360, "posts": 60}),
    ],
)
def test_a_page_draws_every_feature_and_asks_no_other_host(
    visit: Open, host: str, path: str, features: dict[str, int], size: str
) -> None:
    seen = visit(host, path, size)
    seen.wait_for(features)
    seen.shoot(f"{path[1:]}-{size}")
    assert seen.page.evaluate("gridsvc.failed") == 0
    seen.assert_clean()


def test_the_watch_sees_a_breach_of_the_policy_and_a_request_outside(
    visit: Open, host: str
) -> None:
    seen = visit(host, "/breach", "desktop")
    seen.page.wait_for_function("window.violations.length === 2")
    assert sorted(text.split()[0] for text in seen.page.evaluate("window.violations")) == [
        "img-src",
        "style-src-attr",
    ]
    assert seen.complaints
    with pytest.raises(AssertionError):
        seen.assert_clean()


def test_tiles_deliver_exactly_the_codes_of_the_town(visit: Open, host: str) -> None:
    seen = visit(host, "/coverage", "desktop")
    seen.wait_for({"stairwells": 216})
    codes = seen.page.evaluate("[...gridsvc.codes.stairwells].sort()")
    assert codes == sorted(town.stairwells()["code"])


def test_what_is_drawn_is_seen(visit: Open, host: str) -> None:
    """The middle of a stairwell has the colour of its state: a blank canvas would not."""
    seen = visit(host, "/coverage", "desktop")
    seen.wait_for({"stairwells": 216})
    stairwell = town.stairwells().query("state == 'covered_party'").iloc[0]
    lat, lon = town.middle(stairwell["geometry"])
    x, y = _pixel(seen, lat, lon)
    seen.page.wait_for_timeout(400)
    colour = _colour_at(seen, x, y)
    assert colour == [0x7F, 0xB5, 0xA2]


@each_size
def test_a_click_on_a_stairwell_opens_its_card_and_tells_the_page(
    visit: Open, host: str, size: str
) -> None:
    seen = visit(host, "/coverage", size)
    seen.wait_for({"stairwells": 216})
    stairwell = town.stairwells().iloc[1]
    lat, lon = town.middle(stairwell["geometry"])
    seen.page.evaluate("place => gridsvc.show(place)", {"lat": lat, "lon": lon, "zoom": 18})
    seen.page.wait_for_timeout(1200)
    x, y = _pixel(seen, lat, lon)
    if size == "phone":
        seen.page.touchscreen.tap(x, y)
    else:
        seen.page.mouse.click(x, y)
    card = seen.page.locator(".gridsvc-card")
    card.wait_for()
    assert card.locator("h2").inner_text() == "翠湖花园 1栋 2梯"
    assert "联系人超负荷" in card.inner_text()
    assert stairwell["code"] in card.inner_text()
    assert seen.page.evaluate("window.told") == [["stairwell", {"code": stairwell["code"]}]]
    seen.shoot(f"coverage-card-{size}")
    seen.assert_clean()


@pytest.mark.parametrize("zoom", [13.5, 17.5])
def test_tiles_are_drawn_and_clickable_between_two_zoom_levels(
    visit: Open, host: str, zoom: float
) -> None:
    seen = visit(host, "/coverage", "desktop")
    seen.wait_for({"stairwells": 216})
    stairwell = town.stairwells().query("state == 'covered_party'").iloc[0]
    lat, lon = town.middle(stairwell["geometry"])
    seen.page.evaluate("place => gridsvc.show(place)", {"lat": lat, "lon": lon, "zoom": zoom})
    seen.page.wait_for_timeout(1500)
    assert seen.page.evaluate("gridsvc.map.getZoom()") == zoom
    canvases = seen.page.locator(".gridsvc-pane-grids canvas.leaflet-tile-loaded")
    assert canvases.count() > 0
    if zoom > 17:
        x, y = _pixel(seen, lat, lon)
        assert _colour_at(seen, x, y) == [0x7F, 0xB5, 0xA2]
        seen.page.mouse.click(x, y)
        seen.page.locator(".gridsvc-card").wait_for()
        assert stairwell["code"] in seen.page.locator(".gridsvc-card").inner_text()
    seen.assert_clean()


def test_a_mark_of_a_stairwell_without_contact_opens_the_same_card_from_afar(
    visit: Open, host: str
) -> None:
    seen = visit(host, "/coverage", "desktop")
    seen.wait_for({"uncovered": 24})
    stairwell = town.stairwells().query("state == 'uncovered'").iloc[0]
    lat, lon = town.middle(stairwell["geometry"])
    seen.page.evaluate("place => gridsvc.show(place)", {"lat": lat, "lon": lon, "zoom": 13})
    seen.page.wait_for_timeout(1200)
    seen.page.mouse.click(*_pixel(seen, lat, lon))
    seen.page.locator(".gridsvc-card").wait_for()
    kinds = {name for name, _ in seen.page.evaluate("window.told")}
    assert kinds == {"stairwell"}
    assert "没有联系人" in seen.page.locator(".gridsvc-card").inner_text()
    seen.assert_clean()


@each_size
def test_a_compound_is_found_by_a_part_of_its_name(visit: Open, host: str, size: str) -> None:
    seen = visit(host, "/heat", size)
    seen.wait_for({"compounds": 6})
    field = seen.page.get_by_role("combobox", name="搜索小区")
    field.fill("新村")
    assert seen.page.get_by_role("option").all_text_contents() == ["朝阳新村西桥社区"]
    seen.shoot(f"search-{size}")
    seen.page.get_by_role("option").first.click()
    seen.page.wait_for_timeout(800)
    assert seen.page.evaluate("window.told") == [["compound", {"code": "440605011002005"}]]
    lat, lon = town.middle(town.compounds().iloc[4]["geometry"])
    assert seen.page.evaluate("p => gridsvc.map.getBounds().contains(p)", [lat, lon])
    field.fill("没有这个")
    assert seen.page.get_by_text("没有找到这个小区").is_visible()
    seen.assert_clean()


def test_the_heat_surface_replaces_the_squares_when_asked(visit: Open, host: str) -> None:
    seen = visit(host, "/heat", "desktop")
    seen.wait_for({"cells": 35})
    seen.page.locator(".leaflet-control-layers").hover()
    seen.page.get_by_label("热力面").check()
    seen.page.get_by_label("热力格").uncheck()
    seen.wait_for({"cells": 0, "heat": 33})
    seen.shoot("heat-surface")
    seen.assert_clean()


def test_a_team_is_brought_forward_and_a_stop_says_when_and_why(visit: Open, host: str) -> None:
    seen = visit(host, "/routes", "desktop")
    seen.wait_for({"stops": 12})
    seen.page.locator(".gridsvc-stop", has_text="3").first.click()
    card = seen.page.locator(".gridsvc-card")
    assert "19:57" in card.inner_text()
    assert "近三个月有 4 件电动车充电事项" in card.inner_text()
    assert "第 3 站，共 6 站" in card.inner_text()
    seen.page.evaluate("gridsvc.focusTeam('第2队')")
    pale = seen.page.locator(".gridsvc-marker").evaluate_all(
        "marks => marks.filter((mark) => mark.style.opacity === '0.2').length"
    )
    assert pale == 7
    seen.shoot("routes-focus")
    seen.assert_clean()


def test_a_team_can_be_switched_off(visit: Open, host: str) -> None:
    seen = visit(host, "/routes", "desktop")
    seen.wait_for({"stops": 12})
    seen.page.locator(".leaflet-control-layers").hover()
    seen.page.get_by_label("第1队").uncheck()
    seen.wait_for({"routes": 1, "stops": 6, "posts": 1})


@pytest.mark.parametrize("path", ["/hostile", "/hostile-search"])
def test_names_with_scripts_in_them_are_shown_as_text(visit: Open, host: str, path: str) -> None:
    seen = visit(host, path, "desktop")
    seen.wait_for({"compounds": 6})
    labels = seen.page.locator(".gridsvc-label-compound").all_text_contents()
    assert {HOSTILE, "{{7*7}}"} <= set(labels)
    assert seen.page.locator("img[src='x']").count() == 0
    if path == "/hostile":
        assert seen.page.locator("h1").inner_text() == HOSTILE
        seen.page.locator(".leaflet-control-layers").hover()
        assert seen.page.locator(".leaflet-control-layers").get_by_text(HOSTILE).is_visible()
        seen.page.locator(".gridsvc-post").click()
        assert seen.page.locator(".gridsvc-card h2").inner_text() == HOSTILE
    else:
        seen.page.get_by_role("combobox").fill("img")
        assert HOSTILE in seen.page.get_by_role("option").first.inner_text()
    seen.shoot(path[1:])
    assert seen.page.locator("img[src='x']").count() == 0
    seen.assert_clean()


def test_tiles_that_do_not_arrive_are_said_and_stop_nothing(visit: Open, host: str) -> None:
    seen = visit(host, "/no-tiles", "desktop")
    note = seen.page.get_by_role("status")
    note.wait_for()
    assert note.inner_text() == "部分地图没有载入，请刷新重试"
    seen.wait_for({"compounds": 6, "stairwells": 0})
    assert seen.page.evaluate("gridsvc.failed") > 0
    assert seen.outside() == []


@each_size
def test_the_legend_lies_open_on_a_desk_and_closed_on_a_phone(
    visit: Open, host: str, size: str
) -> None:
    seen = visit(host, "/coverage", size)
    seen.wait_for({"stairwells": 216})
    legend = seen.page.locator(".gridsvc-legend")
    assert legend.evaluate("legend => legend.open") == (size == "desktop")
    if size == "phone":
        legend.locator("summary").tap()
    counts = legend.locator(".gridsvc-count").all_inner_texts()
    assert counts == ["24", "24", "24", "72", "72"]
    box = legend.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["width"] * box["height"] < 0.25 * 390 * 844
    seen.shoot(f"legend-{size}")


def _pixel(seen: Visit, lat: float, lon: float) -> tuple[float, float]:
    point = seen.page.evaluate("p => gridsvc.map.latLngToContainerPoint(p)", [lat, lon])
    return point["x"], point["y"]


def _colour_at(seen: Visit, x: float, y: float) -> list[int]:
    """The colour of the tile canvas at a pixel of the page."""
    colour: list[int] = seen.page.evaluate(
        """([x, y]) => {
            for (const canvas of document.querySelectorAll(".gridsvc-pane-grids canvas")) {
                const box = canvas.getBoundingClientRect();
                const inside = x >= box.left && x < box.right && y >= box.top && y < box.bottom;
                if (!inside) continue;
                const scale = canvas.width / box.width;
                const at = [(x - box.left) * scale, (y - box.top) * scale];
                return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3);
            }
            return [];
        }""",
        [x, y],
    )
    return colour

"""A whole report on a phone in a real Chromium, a photo blurred by hand, and nothing executed."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import served
from tests.api.service import Service
from tests.browser import OpenTab
from tests.gridsvc.incidents.pictures import GPS, photo

pytestmark = [pytest.mark.db, pytest.mark.browser]

A = town.EAST_SHORE
CODE = town.stairwell_code(A, building=2, number=2)
HOSTILE = '</textarea><script>window.ran=1</script><img src=x onerror="window.ran=1">'


@pytest.fixture
def base_url(own_service: Service) -> Iterator[str]:
    with served(own_service) as address:
        yield address


def test_a_resident_reports_by_the_qr_code_and_follows_it_to_its_end(
    open_tab: OpenTab, own_service: Service, base_url: str, tmp_path: Path
) -> None:
    taken = tmp_path / "IMG_0001.jpg"
    taken.write_bytes(photo((3000, 2000), orientation=6))
    tab = open_tab(base_url, "phone")
    page = tab.page
    tab.open(f"/g/{CODE}")
    page.get_by_text("公共设施", exact=True).click()
    tab.shoot("report-what")
    assert small_targets(page) == []
    page.get_by_role("link", name="楼道照明").click()
    expect(page.get_by_text("东岸社区 · 东苑_1% · 2栋 2梯")).to_be_visible()
    page.get_by_label("请说说情况").fill(f"三楼的灯不亮 🛗 {HOSTILE}")
    page.get_by_label("照片（可以不传）").set_input_files(taken)
    expect(page.locator(".previews canvas")).to_have_count(1)
    page.get_by_label("电子邮箱").fill("lin@example.com")
    tab.shoot("report-form")
    assert small_targets(page) == []
    page.get_by_role("button", name="上报").click()
    expect(page.get_by_text("已收到，谢谢！")).to_be_visible()
    expect(page.locator(".previews img")).to_have_js_property("naturalWidth", 213)
    tab.shoot("report-sent")
    assert small_targets(page) == []
    link = page.get_by_label("跟进链接").input_value()
    assert_small_and_bare(own_service)

    # Somewhere else, by the link; its secret leaves the address at once.
    other = open_tab(base_url, "phone")
    other.open("/report/follow#" + link.partition("#")[2])
    expect(other.page.get_by_text("已收到，等待受理")).to_be_visible()
    assert other.page.url == f"{base_url}/report/follow"
    assert not [url for url in other.requests if link.partition("#")[2] in url.partition("#")[0]]
    own_service.clone.run(
        "UPDATE gridsvc.incident SET status = 'resolved' WHERE left(summary, 2) = '三楼'"
    )
    other.page.reload()
    other.page.get_by_label("想说的话").fill("亮了")
    other.shoot("report-follow")
    assert small_targets(other.page) == []
    other.page.get_by_role("button", name="解决了").click()
    expect(other.page.get_by_text("已确认解决")).to_be_visible()
    for one in (tab, other):
        assert one.page.evaluate("window.ran") is None, "words were executed"
        one.assert_clean()


def assert_small_and_bare(service: Service) -> None:
    with service.clone.root.connect() as connection:
        kept = connection.exec_driver_sql(
            "SELECT image FROM gridsvc.photo ORDER BY created_at DESC LIMIT 1"
        ).scalar_one()
    image = Image.open(io.BytesIO(kept))
    assert max(image.size) == 1600
    assert image.height > image.width, "it was taken upright"
    assert GPS not in image.getexif()


def test_anywhere_a_tap_on_the_map_says_where_and_what_is_near(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    own_service.clone.run("UPDATE gridsvc.incident SET reported_at = now() - interval '1 day'")
    tab = open_tab(base_url, "phone")
    page = tab.page
    tab.open("/report?what=parking.ebike")
    page.wait_for_function("window.gridsvc && window.gridsvc.map")
    lon, lat = town.place(A, *town.IN_COMPOUND)
    page.evaluate("([lat, lon]) => { gridsvc.map.setView([lat, lon], 18); }", [lat, lon])
    page.locator("#map-box").scroll_into_view_if_needed()
    box = page.locator("#map-box").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#found")).to_have_text("东岸社区 · 东苑_1%")
    expect(page.locator("#similar-list li")).to_have_count(1)  # the other one is closed
    tab.shoot("report-map")
    assert small_targets(page) == []
    page.get_by_label("请说说情况").fill("充电棚满了")
    page.get_by_role("button", name="上报").click()
    expect(page.get_by_text("已收到，谢谢！")).to_be_visible()
    assert own_service.clone.count("incident", "summary = '充电棚满了' AND place = 'compound'") == 1
    tab.assert_clean()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_coordinator_covers_a_face_by_pointer_and_by_keyboard(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    own_service.clone.run("DELETE FROM gridsvc.published_photo")
    tab = open_tab(base_url, size, code=own_service.account("coordinator", (A,)).code)
    page = tab.page
    tab.open("/incidents/photos")
    tab.shoot("photos")
    page.locator(".gallery a").first.click()
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5, steps=5)
    page.mouse.up()
    (drawn,) = covers(page.locator("#rectangles").input_value())
    assert drawn == pytest.approx([0.4, 0.2, 0.2, 0.3], abs=0.02)
    page.get_by_role("button", name="加一个方框").focus()
    page.keyboard.press("Enter")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    first, second = covers(page.locator("#rectangles").input_value())
    assert second == pytest.approx([0.39, 0.39, 0.21, 0.21], abs=0.001)
    tab.shoot("photo-blur")
    if size == "phone":
        small = [one for one in small_targets(page) if "cover" not in str(one)]
        assert small == []
    page.keyboard.press("Delete")
    assert covers(page.locator("#rectangles").input_value()) == [first]
    page.get_by_role("button", name="打码并发布").click()
    expect(page.get_by_text("没有照片等待处理")).to_be_visible()
    assert own_service.clone.count("published_photo", "blurred_count = 1") == 1
    tab.assert_clean()


def covers(text: str) -> list[list[float]]:
    return [[one[key] for key in ("left", "top", "width", "height")] for one in json.loads(text)]


def test_words_with_script_run_nowhere_they_are_shown(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    """Of a report, all that somebody types is hostile; every page that shows it stays quiet."""
    resident = open_tab(base_url, "phone")
    resident.open(f"/g/{CODE}?what=lift.fault")
    resident.page.get_by_label("请说说情况").fill(HOSTILE)
    resident.page.get_by_role("button", name="上报").click()
    resident.page.get_by_label("想说的话").fill(HOSTILE)
    resident.page.get_by_role("button", name="补充", exact=True).click()
    expect(resident.page.get_by_text("window.ran=1").first).to_be_visible()
    resident.open(f"/g/{CODE}?what=lift")
    expect(resident.page.locator(".similar")).to_contain_text("window.ran=1")
    resident.open("/report?what=lift")
    resident.page.wait_for_function("window.gridsvc && window.gridsvc.map")
    lon, lat = own_service_point(own_service)
    resident.page.evaluate(
        "([lat, lon]) => gridsvc.map.fire('click', { latlng: L.latLng(lat, lon) })", [lat, lon]
    )
    expect(resident.page.locator("#similar-list")).to_contain_text("window.ran=1")
    staff = open_tab(base_url, code=own_service.account("coordinator", (A,)).code)
    staff.open("/")
    for tab in (resident, staff):
        assert tab.page.evaluate("window.ran") is None
        assert not re.search(r"<script>window\.ran", tab.page.content())
        tab.assert_clean()


def own_service_point(service: Service) -> tuple[float, float]:
    with service.clone.root.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT ST_X(geom), ST_Y(geom) FROM gridsvc.incident"
            " WHERE position('window.ran' IN summary) > 0"
        ).one()
    return float(row[0]), float(row[1])

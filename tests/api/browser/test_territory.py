"""Territory from files in a real Chromium: sent with entrances, read in Chinese, applied."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from shapely import Point

from tests import town
from tests.api.browser.targets import small_targets
from tests.api.conftest import served
from tests.api.service import Service
from tests.browser import OpenTab
from tests.gridsvc.territory.importing.files import Row, geojson

pytestmark = [pytest.mark.db, pytest.mark.browser]

A, STREET = town.EAST_SHORE, town.STREET


@pytest.fixture
def base_url(own_service: Service) -> Iterator[str]:
    with served(own_service) as address:
        yield address


def faulty(folder: Path) -> tuple[Path, Path]:
    """Write buildings of which some overlap or are too thin, and entrances, one of them lost."""
    rows: list[Row] = [
        ({"name": "3栋"}, town.rectangle(A, (4, 12), (5, 0.9))),
        ({"name": "4栋"}, town.rectangle(A, (4, 12.88), (5, 0.9))),
        ({"name": "5栋"}, town.rectangle(A, (4, 15), (5, 0.1))),
    ]
    doors: list[Row] = [({}, Point(town.place(A, x, y))) for x, y in ((4.5, 12), (8, 12), (2, 20))]
    buildings = geojson(folder / "桂园路楼栋 2026.geojson", rows)
    # Without an ending, as some systems send files.
    bare = buildings.rename(folder / "桂园路楼栋")
    return bare, geojson(folder / "出入口.geojson", doors)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_file_with_faults_is_read_in_chinese_and_applied(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str, tmp_path: Path
) -> None:
    buildings, entrances = faulty(tmp_path)
    code = own_service.account("administrator", (STREET,)).code
    tab = open_tab(base_url, size, code=code)
    tab.open("/admin/territory")
    tab.page.get_by_text("楼栋出入口（用于切分楼道）").click()
    tab.page.get_by_label("文件", exact=True).set_input_files(buildings)
    tab.page.get_by_label("内容").select_option("buildings")
    tab.page.get_by_label("出入口文件").set_input_files(entrances)
    tab.assert_clean()
    tab.shoot("territory-send")
    tab.page.get_by_role("button", name="上传并检查").click()
    expect(tab.page.locator("h1.file-name")).to_have_text("桂园路楼栋")
    for summary in tab.page.locator(".fault-kind summary").all():
        summary.click()
    words = tab.page.locator("main").inner_text()
    assert "与第 1 行重叠" in words
    assert "处处不足 1.5 米宽" in words
    assert "出入口文件第 3 行的点距文件中最近的楼栋" in words
    assert not [
        cell for cell in tab.page.locator(".fault-kind td:last-child").all_inner_texts()
        if "It " in cell
    ]  # fmt: skip
    if size == "phone":
        assert small_targets(tab.page) == []
    tab.assert_clean()
    tab.shoot("territory-faults")
    tab.page.locator(".decide").scroll_into_view_if_needed()
    tab.shoot("territory-decide")
    for box in tab.page.get_by_label("接受").all():
        box.check()
    tab.page.get_by_label("没有楼道的楼栋自动切分楼道").check()
    tab.page.get_by_label("每栋楼道数").fill("3")
    tab.page.get_by_role("button", name="全部写入").click()
    expect(tab.page.get_by_text("其中按出入口 2")).to_be_visible()
    tab.assert_clean()
    tab.shoot("territory-applied")


def test_a_fault_on_the_map_says_why_in_chinese(
    open_tab: OpenTab, own_service: Service, base_url: str, tmp_path: Path
) -> None:
    code = own_service.account("administrator", (STREET,)).code
    sent = geojson(
        tmp_path / "x.geojson", [({"name": "5栋"}, town.rectangle(A, (4, 15), (5, 0.1)))]
    )
    tab = open_tab(base_url, code=code)
    tab.open("/admin/territory")
    tab.page.get_by_label("文件", exact=True).set_input_files(sent)
    tab.page.get_by_label("内容").select_option("buildings")
    tab.page.get_by_role("button", name="上传并检查").click()
    expect(tab.page.locator("h1.file-name")).to_have_text("x.geojson")
    tab.wait_for({"faults": 1})
    # The only fault is in the middle of the first view; it is painted, and is no element.
    tab.page.locator(".fault-map .leaflet-container").click()
    card = tab.page.locator(".fault-map .leaflet-popup")
    expect(card).to_contain_text("处处不足 1.5 米宽。")
    expect(card).to_contain_text("原因")
    tab.assert_clean()
    tab.shoot("territory-map")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_planner_finds_every_format_of_every_layer(
    open_tab: OpenTab, own_service: Service, base_url: str, size: str
) -> None:
    code = own_service.account("planner", (STREET,)).code
    tab = open_tab(base_url, size, code=code)
    tab.open("/")
    expect(tab.page.get_by_role("link", name="下载楼道（网格）：GeoPackage")).to_be_visible()
    if size == "phone":
        assert small_targets(tab.page) == []
    tab.assert_clean()
    tab.page.get_by_role("heading", name="下载").scroll_into_view_if_needed()
    tab.shoot("planner-downloads")


def test_downloads_are_on_the_page_of_the_trail(
    open_tab: OpenTab, own_service: Service, base_url: str
) -> None:
    own_service.caller("planner", STREET).get("/api/v1/export/stairwells.gpkg?as_of=2999-01-01")
    code = own_service.account("administrator", (STREET,)).code
    tab = open_tab(base_url, code=code)
    tab.open("/admin/audit?action=export")
    expect(tab.page.get_by_role("rowheader", name="下载数据")).to_be_visible()
    tab.assert_clean()
    tab.shoot("audit-downloads")

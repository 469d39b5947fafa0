"""The map of a quality report: its parts, and the page in a real browser."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from geodata.quality import QualityReport, inspect
from maps import quality
from maps.assets import asset_files
from maps.base import Ground
from maps.elements import GridMap
from maps.errors import MissingColumnError, WrongCRSError
from maps.page import document, parts
from maps.quality import FaultLayer, quality_legend, quality_map
from tests.maps import town
from tests.maps.conftest import Visit
from tests.maps.server import NONCE, serve

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}"


def features() -> GeoDataFrame:
    """The buildings of the town, eight of them spoilt."""
    drawn = town.buildings()[["geometry"]].assign(row=range(1, 73), code=None)
    shapes: list[BaseGeometry | None] = list(drawn.geometry)
    west, south, east, north = drawn.geometry[3].bounds
    shapes[3] = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    shapes[10] = affinity.scale(drawn.geometry[10], 1.8, 1)
    shapes[20] = shapes[21]
    shapes[30] = affinity.scale(drawn.geometry[30], 0.02, 1)
    shapes[40] = affinity.translate(drawn.geometry[40], 1)
    shapes[50] = None
    shapes[60] = shapely.transform(shapes[60], lambda xy: xy[:, ::-1])
    drawn["code"] = drawn["code"].astype("object")
    drawn.loc[70, "code"] = HOSTILE
    return drawn.set_geometry(np.array(shapes, dtype=object), crs=4326)


def report_on(buildings: GeoDataFrame) -> QualityReport:
    return inspect("buildings", buildings, parents=town.compounds(), siblings=None)


GROUND = Ground(town.communities(), town.compounds(), walkways=town.walkways())
SPOILT = features()
REPORT = report_on(SPOILT)
CLEAN = town.buildings()[["geometry"]].assign(row=range(1, 73))


def layers(page: GridMap) -> list[FaultLayer]:
    return [child for child in page._children.values() if isinstance(child, FaultLayer)]


def cards(page: GridMap) -> list[dict[str, Any]]:
    return [card for layer in layers(page) for card in json.loads(layer.drawing_json)["faults"]]


def draw(report: QualityReport, buildings: GeoDataFrame, **facts: Any) -> GridMap:
    return quality_map("buildings", buildings, report.faults, GROUND, **facts)


def test_the_report_has_what_was_spoilt() -> None:
    assert REPORT.errors == {
        "missing-geometry": 1,
        "swapped-axes": 1,
        "far-away": 1,
        "invalid-geometry": 1,
        "duplicate": 1,
        "overlap": 1,
        "malformed-code": 1,
    }
    assert REPORT.warnings == {"sliver": 1}


def test_every_fault_with_a_place_is_drawn_once_and_all_are_counted() -> None:
    page = draw(REPORT, SPOILT)
    assert len(cards(page)) == len(REPORT.faults) - 1
    legend = quality_legend(REPORT.faults, lang="zh")
    assert sum(line.count or 0 for line in legend.lines) == len(REPORT.faults)
    assert legend.remarks == ["地图上显示 7 处，共 8 处"]
    assert [line.label for line in legend.lines][:2] == ["没有图形", "经纬度颠倒"]
    assert legend.lines[-1].label == "碎面"


def test_each_severity_has_its_own_colour_and_icon_and_each_group_its_pattern() -> None:
    legend = quality_legend(REPORT.faults, lang="en")
    looks = {line.label: line.swatch for line in legend.lines}
    assert looks["Overlap"].icon != looks["Sliver"].icon
    assert looks["Overlap"].colour != looks["Sliver"].colour
    patterns = {looks[name].pattern for name in ("Overlap", "Far away", "Invalid geometry")}
    assert len(patterns) == 3


def test_a_card_says_row_size_sentence_and_advice_in_the_language_of_the_map() -> None:
    chinese = {card["heading"]: card for card in cards(draw(REPORT, SPOILT))}
    rows = {label: value for label, value in chinese["图形无效"]["rows"] if value is not None}
    assert rows["行"] == 4
    assert rows["大小"].endswith(" m²")
    assert "自相交" in rows["说明"]
    assert rows["原因"].startswith("图形无效：边界自相交。")
    english = quality_map("buildings", SPOILT, REPORT.faults, replace(GROUND, lang="en"))
    card = next(card for card in cards(english) if card["heading"] == "Duplicate")
    rows = dict(card["rows"])
    assert rows["Reason"] == "It is the same as row 21."
    assert rows["Concerns"] == "row 21"


def test_a_report_without_a_fault_says_so() -> None:
    report = report_on(CLEAN)
    assert len(report.faults) == 0
    page = draw(report, CLEAN)
    assert cards(page) == []
    assert quality_legend(report.faults, lang="zh").remarks == ["没有发现问题"]
    script = parts(page, nonce=NONCE).script
    assert json.dumps("楼栋共 72 个，没有发现问题")[1:-1] in script


def test_one_fault_is_one_layer_with_one_card() -> None:
    one = QualityReport(REPORT.faults[REPORT.faults["fault"] == "sliver"], REPORT.repairs)
    page = draw(one, SPOILT)
    assert [len(json.loads(layer.drawing_json)["faults"]) for layer in layers(page)] == [1]


def test_a_layer_of_nothing_but_faults_without_a_place_is_drawn() -> None:
    nothing = CLEAN.head(2).set_geometry(np.array([None, None], dtype=object), crs=4326)
    page = draw(report_on(nothing), nothing)
    assert cards(page) == []
    assert "gridsvc" in parts(page, nonce=NONCE).script


def test_kinds_that_the_catalogue_does_not_know_are_named_by_the_caller() -> None:
    faults = REPORT.faults.replace({"fault": {"sliver": "missing-name"}})
    own = QualityReport(faults, REPORT.repairs)
    names = {"missing-name": "没有名称"}
    assert "没有名称" in {card["heading"] for card in cards(draw(own, SPOILT, kind_names=names))}
    assert "missing-name" in {card["heading"] for card in cards(draw(own, SPOILT))}


def test_of_very_many_faults_the_errors_are_drawn_first_and_the_rest_is_counted() -> None:
    place = REPORT.faults[REPORT.faults["fault"] == "sliver"]
    error = REPORT.faults[REPORT.faults["fault"] == "overlap"].iloc[:1]
    many = GeoDataFrame(pd.concat([place] * quality.MOST_DRAWN + [error]), crs=4326)
    page = quality_map("buildings", SPOILT, many, GROUND)
    assert len(cards(page)) == quality.MOST_DRAWN
    assert any(card["heading"] == "重叠" for card in cards(page))
    legend = quality_legend(many, lang="en")
    assert legend.remarks == ["3,000 of 3,001 faults are on the map"]


def test_what_is_no_frame_of_faults_is_refused() -> None:
    with pytest.raises(MissingColumnError):
        quality_map("buildings", SPOILT, REPORT.faults.drop(columns="reason"), GROUND)
    with pytest.raises(WrongCRSError):
        quality_map("buildings", SPOILT, REPORT.faults.to_crs(3857), GROUND)


Open = Callable[[str, str, str], Visit]


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    pages = {
        "/quality": draw(REPORT, SPOILT),
        "/quality-clean": draw(report_on(CLEAN), CLEAN),
    }
    made = {path: document(parts(page, nonce=NONCE), title=path) for path, page in pages.items()}
    with serve(made, asset_files()) as address:
        yield address


@pytest.mark.browser
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_page_draws_every_fault_and_asks_no_other_host(
    visit: Open, host: str, size: str
) -> None:
    seen = visit(host, "/quality", size)
    seen.wait_for({"inspected": 70, "faults": 7})
    seen.shoot(f"quality-{size}")
    spot = next(card for card in cards(draw(REPORT, SPOILT)) if card["heading"] == "编码格式错误")
    seen.page.evaluate(
        "place => gridsvc.show(place)", {"lat": spot["lat"], "lon": spot["lon"], "zoom": 18}
    )
    seen.page.wait_for_timeout(1200)
    point = seen.page.evaluate(
        "p => { const q = gridsvc.map.latLngToContainerPoint(p); return [q.x, q.y]; }",
        [spot["lat"], spot["lon"]],
    )
    seen.page.mouse.click(*point)
    card = seen.page.locator(".gridsvc-card")
    card.wait_for()
    assert card.locator("h2").inner_text() == "编码格式错误"
    assert HOSTILE in card.inner_text()
    assert seen.page.locator("img[src='x']").count() == 0
    seen.shoot(f"quality-card-{size}")
    seen.assert_clean()


@pytest.mark.browser
def test_a_kind_can_be_switched_off_and_a_clean_layer_is_drawn(visit: Open, host: str) -> None:
    seen = visit(host, "/quality", "desktop")
    seen.wait_for({"faults": 7})
    seen.page.locator(".leaflet-control-layers").hover()
    seen.page.get_by_label("错误 · 重叠").uncheck()
    seen.wait_for({"faults": 6})
    clean = visit(host, "/quality-clean", "desktop")
    clean.wait_for({"inspected": 72})
    assert clean.page.get_by_text("没有发现问题").first.is_visible()
    clean.shoot("quality-clean")
    clean.assert_clean()

"""The pages in a real Chromium, over a tenth of the sample: all is drawn, nothing is amiss."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from tests.api.conftest import COMMUNITY, Server
from tests.browser import SIZES, OpenTab
from tests.databases import Clone

pytestmark = [pytest.mark.db, pytest.mark.browser]

IN_COMMUNITY = f"community_code = {COMMUNITY}"
HAS_CONTACT = (
    "EXISTS (SELECT FROM gridsvc.contact AS own WHERE own.stairwell_code = stairwell.code)"
)


@dataclass(frozen=True)
class Sight:
    """A page as somebody sees it.

    Attributes
    ----------
    layers
        Layer of the map → the question to the database whose answer must all be drawn.
    """

    who: str
    path: str
    words: tuple[str, ...]
    layers: Mapping[str, str]


def rows(table: str, condition: str) -> str:
    return f"SELECT count(*) FROM gridsvc.{table} WHERE {condition}"  # noqa: S608 - words of the tests


def whole(condition: str = "true") -> dict[str, str]:
    """Return the ground of every map."""
    return {
        "communities": rows("community", condition.replace("community_code", "code")),
        "compounds": rows("compound", condition),
        "buildings": rows("building", condition),
    }


def coverage(condition: str = "true") -> dict[str, str]:
    return whole(condition) | {
        "stairwells": rows("stairwell", condition),
        "uncovered": rows("stairwell", f"{condition} AND NOT {HAS_CONTACT}"),
    }


def routes(condition: str = "true") -> dict[str, str]:
    """Return what is walked tonight; the map shows the routes whole, not every building."""
    busy = f"{condition} AND geom IS NOT NULL"
    return {
        "compounds": rows("compound", condition),
        "routes": rows("patrol_route", busy),
        "posts": rows("patrol_route", busy),
        "stops": rows("patrol_stop", condition),
    }


# Cells are kept at zoom 20 and drawn at zoom 18: four by four become one.
CELLS = {"cells": "SELECT count(DISTINCT (cell_x >> 2, cell_y >> 2)) FROM gridsvc.heat_cell"}
RELEASED = {"cells": "SELECT count(DISTINCT (zoom, cell_x, cell_y)) FROM gridsvc.heat_release"}

SIGHTS = {
    "home": Sight("street", "/", ("今天先看什么", "各社区", "最近上报"), {}),
    "home-community": Sight("community", "/", ("今天先看什么", "各小区", "南海颐景园"), {}),
    "home-planner": Sight("planner", "/", ("下载", "GeoPackage"), {}),
    "coverage": Sight("street", "/map", ("个楼道", "小区（缺联系人多的在前）"), coverage()),
    "coverage-community": Sight(
        "community", "/map?view=coverage", ("个楼道", "南海颐景园"), coverage(IN_COMMUNITY)
    ),
    "coverage-chosen": Sight("street", f"/map?community={COMMUNITY}", ("翠颐",), whole()),
    "coverage-english": Sight("street", "/map?lang=en", ("stairwells", "Sign out"), coverage()),
    "heat": Sight("street", "/map?view=heat", ("件事项，最集中的一格有",), whole() | CELLS),
    "heat-planner": Sight("planner", "/map", ("截至",), whole() | RELEASED),
    "routes": Sight("street", "/map?view=routes", ("条巡查路线", "GPX"), routes()),
    "routes-community": Sight(
        "community", "/map?view=routes", ("翠颐", "GPX"), routes(IN_COMMUNITY)
    ),
    "territory-planner": Sight("planner", "/map?view=territory", ("23 个社区",), whole()),
    "results": Sight("street", "/results", ("熟人社区建设成效", "邻里纠纷", "小区党支部"), {}),
    "results-english": Sight("street", "/results?lang=en", ("Neighbour disputes",), {}),
    "login": Sight("", "/login", ("登录码",), {}),
}


def ask(clone: Clone, question: str) -> int:
    """Ask as superuser, past every policy."""
    with clone.root.connect() as connection:
        return int(connection.scalar(text(question)) or 0)


@pytest.mark.usefixtures("tonight")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SIGHTS)
def test_a_page_shows_what_the_database_holds_and_nothing_is_amiss(
    open_tab: OpenTab, server: Server, name: str, size: str
) -> None:
    sight = SIGHTS[name]
    tab = open_tab(server.base_url, size, code=server.codes.get(sight.who))
    tab.open(sight.path)
    clone = server.service.clone
    wanted = {layer: ask(clone, question) for layer, question in sight.layers.items()}
    if wanted:
        assert min(wanted[layer] for layer in wanted if layer != "uncovered") > 0
        tab.wait_for(wanted)
    shown = tab.page.text_content("body") or ""
    for words in sight.words:
        assert words in shown
    tab.shoot(name)
    tab.assert_clean()

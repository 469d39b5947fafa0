import re
from collections.abc import Callable

import pytest
from branca.element import Element
from folium.utilities import get_and_assert_figure_root

from maps.assets import asset_files
from maps.base import Ground
from maps.coverage import coverage_map
from maps.elements import GridMap
from maps.escape import html_text
from maps.heat import heat_map
from maps.page import document, parts
from maps.routes import routes_map
from tests.maps import town

NONCE = "bm9uY2U="
HOSTILE = "</script><img src=x onerror=alert(1)>"
TEMPLATE = "{{7*7}}{% raw %}{# no"


def ground(**changes: object) -> Ground:
    frames: dict[str, object] = {
        "communities": town.communities(),
        "compounds": town.compounds(),
        "tile_url": "/tiles/{layer}/{z}/{x}/{y}.mvt",
    }
    return Ground(**frames | changes)  # type: ignore[arg-type]  # a test's shorthand


def coverage(under: Ground) -> GridMap:
    return coverage_map(under, counts={"uncovered": 24}, uncovered=town.stairwells())


def heat(under: Ground) -> GridMap:
    return heat_map(town.cells(), under, total=500, withheld=7)


def routes(under: Ground) -> GridMap:
    return routes_map(town.routes(), town.stops(), under, posts=town.posts())


MAPS = [coverage, heat, routes]
each_map = pytest.mark.parametrize("make", MAPS)


@each_map
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_link_of_a_page_is_a_file_that_we_serve(
    make: Callable[[Ground], GridMap], lang: str
) -> None:
    made = parts(make(ground(lang=lang)), nonce=NONCE)
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", document(made, title="x"))
    ours = [link.removeprefix("/assets/") for link in links if link != "data:,"]
    assert len(ours) >= 8
    assert set(ours) <= set(asset_files())


@each_map
def test_inline_scripts_have_the_nonce_and_linked_ones_do_not(
    make: Callable[[Ground], GridMap],
) -> None:
    html = document(parts(make(ground()), nonce=NONCE), title="x")
    scripts = re.findall(r"<script[^>]*>", html)
    assert sum("src=" not in script for script in scripts) == 1
    for script in scripts:
        assert ("src=" in script) != (f'nonce="{NONCE}"' in script)


@each_map
def test_nothing_inline_that_the_policy_would_drop(make: Callable[[Ground], GridMap]) -> None:
    made = parts(make(ground()), nonce=NONCE)
    for part in (made.header, made.body):
        assert not re.search(r"\s(?:style|on\w+)\s*=", part)
    assert "user-scalable" not in made.header


@each_map
@pytest.mark.parametrize("name", [HOSTILE, TEMPLATE, "`${alert(1)}`", "\\'); alert(1); ('"])
def test_a_name_is_neither_markup_nor_script_nor_template(
    make: Callable[[Ground], GridMap], name: str
) -> None:
    compounds = town.compounds().assign(name=name)
    script = parts(make(ground(compounds=compounds)), nonce=NONCE).script
    assert script.count("<") == 2, "only the script element's own tags"
    assert ":49" not in script
    assert "img src=x" not in script or "\\u003cimg src=x" in script
    assert script.count("alert(1)") == 2 * len(compounds) * name.count("alert(1)")


@pytest.mark.parametrize("name", [HOSTILE, TEMPLATE])
def test_a_team_s_name_is_text_in_the_layer_control(name: str) -> None:
    under = ground()
    page = routes_map(town.routes((name,)), town.stops((name,)), under)
    script = parts(page, nonce=NONCE).script
    assert script.count("<") == 2
    # Leaflet reads the control's names as markup, and our template engine has left them alone.
    shown = html_text(name).replace("&", "\\u0026")
    assert shown in script.split("_layers = {")[1]


def test_a_style_gets_the_nonce_too() -> None:
    page = coverage(ground())
    figure = get_and_assert_figure_root(page)
    figure.header.add_child(Element("<style>p{}</style>"))
    assert f'<style nonce="{NONCE}">p{{}}</style>' in parts(page, nonce=NONCE).header


def test_a_nonce_that_could_end_its_attribute_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        parts(coverage(ground()), nonce='x" onload="')


def test_a_document_says_its_language_and_its_title_as_text() -> None:
    made = parts(coverage(ground()), nonce=NONCE)
    assert '<html lang="zh-CN"' in document(made, title="x")
    english = document(made, title="<b>{{7*7}}", lang="en")
    assert '<html lang="en"' in english
    assert "<title>&lt;b&gt;&#123;&#123;7*7}}</title>" in english


def test_both_languages_have_all_words() -> None:
    chinese = parts(coverage(ground()), nonce=NONCE).script
    english = parts(coverage(ground(lang="en")), nonce=NONCE).script
    assert "Nobody" in english
    assert "Nobody" not in chinese

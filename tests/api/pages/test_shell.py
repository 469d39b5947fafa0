"""What every page has, apart from a database: safe ways back, a policy, an escaped template."""

import pytest
from geopandas import GeoDataFrame
from hypothesis import given
from hypothesis import strategies as st
from pandas import Series
from shapely import box

from api.pages.shares import share_among
from api.pages.shell import new_nonce, own_path, policy, templates


@pytest.mark.parametrize(
    "path", ["/", "/map", "/map?view=heat&community=440605011016", "/map?view=%E7%83%AD"]
)
def test_a_path_of_this_site_leads_back(path: str) -> None:
    assert own_path(path, default="/elsewhere") == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "map",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\/elsewhere.example",
        "https://elsewhere.example/map",
        "javascript:alert(1)",
        "/\t/elsewhere.example",
        "/map\r\nSet-Cookie: a=b",
        " /map",
        "/map ",
    ],
)
def test_a_path_that_a_browser_could_read_as_another_site_does_not_lead_back(path: str) -> None:
    assert own_path(path, default="/map") == "/map"


@given(st.text(max_size=40))
def test_whatever_is_asked_the_way_back_starts_with_one_slash(text: str) -> None:
    path = own_path(text, default="/map")
    assert path.startswith("/")
    assert path[1:2] not in {"/", "\\"}


def test_a_policy_names_its_nonce_and_allows_nothing_else() -> None:
    nonce = new_nonce()
    rules = dict(rule.split(" ", 1) for rule in policy(nonce).split("; "))
    assert rules.pop("img-src") == "'self' data:"
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce}'",
        "style-src": f"'self' 'nonce-{nonce}'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
    }
    assert new_nonce() != nonce


def test_templates_escape_and_refuse_what_is_missing() -> None:
    made = templates().from_string("{{ name }}")
    assert made.render(name='<b>"') == "&lt;b&gt;&#34;"
    with pytest.raises(Exception, match="undefined"):
        made.render()


def squares(
    sides: list[tuple[float, float, float, float]], **columns: list[object]
) -> GeoDataFrame:
    return GeoDataFrame(columns, geometry=[box(*side) for side in sides], crs=4326)


HALVES = squares([(0, 0, 1, 1), (1, 0, 2, 1)], code=["west", "east"])


def test_a_cell_that_covers_two_compounds_is_divided_by_area() -> None:
    cells = squares([(0.5, 0, 2, 1), (0.2, 0.2, 0.4, 0.4)], incident_count=[30, 5])
    assert share_among(cells, HALVES).to_dict() == {"west": 15, "east": 20}


def test_what_lies_beside_every_compound_is_left_out() -> None:
    cells = squares([(5, 5, 6, 6)], incident_count=[9])
    assert share_among(cells, HALVES).empty


def test_no_cells_or_no_compounds_have_no_shares() -> None:
    cells = squares([(0, 0, 1, 1)], incident_count=[9])
    assert share_among(cells.iloc[:0], HALVES).equals(Series(dtype="int64"))
    assert share_among(cells, HALVES.iloc[:0]).equals(Series(dtype="int64"))

"""Territory goes in whole or not at all, and comes out as it went in."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from geopandas import GeoDataFrame
from shapely import Point
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from geodata.territory import Territory
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import DuplicateCodeError, NotFoundError, RoleNotAllowedError
from gridsvc.territory import service, store
from gridsvc.territory.tables import StreetRow
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def with_layer(territory: Territory, layer: str, rows: GeoDataFrame) -> Territory:
    layers: dict[str, Any] = {layer: rows}
    return replace(territory, **layers)


def test_a_load_says_how_much_it_loaded(empty_session: ScopedSession) -> None:
    loaded = service.load(empty_session, town.make_territory())
    assert loaded == {
        "communities": 2,
        "compounds": 4,
        "buildings": 8,
        "stairwells": 24,
        "walkways": 8,
    }


@pytest.mark.parametrize("layer", ["communities", "compounds", "buildings", "stairwells"])
def test_codes_that_are_taken_stop_the_load(empty_session: ScopedSession, layer: str) -> None:
    territory = town.make_territory()
    service.load(empty_session, territory)
    nothing = replace(
        territory,
        communities=territory.communities.iloc[:0],
        compounds=territory.compounds.iloc[:0],
        buildings=territory.buildings.iloc[:0],
        stairwells=territory.stairwells.iloc[:0],
        walkways=territory.walkways.iloc[:0],
    )
    again = with_layer(nothing, layer, getattr(territory, layer).iloc[:1])
    first = str(getattr(territory, layer)["code"].iloc[0])
    with pytest.raises(DuplicateCodeError, match=first) as caught:
        service.load(empty_session, again)
    assert caught.value.codes == [first]


@pytest.mark.parametrize("layer", ["communities", "compounds", "buildings", "stairwells"])
def test_a_code_that_comes_twice_stops_the_load_and_loads_nothing(
    empty_session: ScopedSession, layer: str
) -> None:
    territory = town.make_territory()
    rows = getattr(territory, layer)
    twice = GeoDataFrame(pd.concat([rows, rows.iloc[[1]]], ignore_index=True))
    with pytest.raises(DuplicateCodeError, match=str(rows["code"].iloc[1])):
        service.load(empty_session, with_layer(territory, layer, twice))
    assert service.list_communities(empty_session) == []
    assert service.list_stairwells(empty_session) == []


@pytest.mark.parametrize(
    ("layer", "column", "value"),
    [
        ("compounds", "code", "44060501100300001"),  # two digits too many
        ("compounds", "code", "440605011002009"),  # of another community
        ("buildings", "compound_code", "440605011001002"),  # not the code's beginning
        ("buildings", "kind", "castle"),
        ("stairwells", "household_count", -1),
        ("stairwells", "building_code", "440605011001001002"),
        ("walkways", "kind", "motorway"),
        ("compounds", "community_code", 440605011003),  # there is none
    ],
)
def test_the_tables_refuse_what_contradicts_itself(
    database: Clone, layer: str, column: str, value: object
) -> None:
    territory = town.make_territory()
    rows = getattr(territory, layer).copy()
    rows[column] = [value, *rows[column].iloc[1:]]
    with town.job_session(database.job) as session, pytest.raises(Exception, match=r"violates"):
        service.load(session, with_layer(territory, layer, rows))
    assert database.count("community") == database.count("compound") == 0


def test_only_the_job_loads(town_database: Clone) -> None:
    scope = Scope("administrator", (Interval.of(STREET),))
    with town_database.api.session(scope) as session, pytest.raises(RoleNotAllowedError):
        service.load(session, town.make_territory())


def test_a_sub_district_that_is_there_keeps_its_name(empty_session: ScopedSession) -> None:
    store.add_street(empty_session, code=STREET, name="旧名")
    store.add_street(empty_session, code=STREET, name="新名")
    assert empty_session.scalars(select(StreetRow.name)).all() == ["旧名"]


def test_a_compound_without_buildings_is_a_compound(empty_session: ScopedSession) -> None:
    territory = town.make_territory()
    bare = replace(
        territory, buildings=territory.buildings.iloc[:0], stairwells=territory.stairwells.iloc[:0]
    )
    service.load(empty_session, bare)
    first = service.get_compound(empty_session, town.compound_code(A))
    assert (first.building_count, first.stairwell_count, first.household_count) == (0, 0, 0)


def test_communities_come_with_their_counts(town_session: ScopedSession) -> None:
    first, second = service.list_communities(town_session)
    assert (first.code, first.name) == (A, "东岸社区")
    assert (first.compound_count, first.stairwell_count, first.household_count) == (2, 12, 216)
    assert second.code == B


def test_what_has_ended_is_counted_no_more(own_town: Clone) -> None:
    own_town.run(
        "UPDATE gridsvc.stairwell SET retired_on = '2020-01-01', retired_reason = '拆除'"
        " WHERE code = '44060501100100100101'"
    )
    with town.job_session(own_town.job) as session:
        assert service.list_communities(session)[0].stairwell_count == 11
        assert service.get_compound(session, town.compound_code(A)).household_count == 104
        with pytest.raises(NotFoundError):
            service.get_stairwell(session, town.stairwell_code(A))
        assert len(service.read_stairwells(session, community_code=A)) == 11


@pytest.mark.parametrize(
    ("get", "code"),
    [(service.get_compound, "440605011001009"), (service.get_stairwell, "44060501100100100109")],
)
def test_an_absent_grid_is_not_found(town_session: ScopedSession, get: object, code: str) -> None:
    assert callable(get)
    with pytest.raises(NotFoundError, match=code):
        get(town_session, code)


def test_frames_come_back_in_longitude_and_latitude(town_session: ScopedSession) -> None:
    territory = town.make_territory()
    communities = service.read_communities(town_session)
    assert communities.crs == "EPSG:4326"
    assert communities["code"].tolist() == [A, B]
    original = territory.communities.geometry
    assert communities.geometry.geom_type.eq("MultiPolygon").all()
    assert communities.geometry.geom_equals(original).all()
    compounds = service.read_compounds(town_session)
    assert compounds["name"].tolist() == territory.compounds["name"].tolist()
    walkways = service.read_walkways(town_session, community_code=A)
    assert sorted(walkways["kind"]) == ["footpath", "footpath", "street", "street"]
    assert walkways.crs == "EPSG:4326"


def test_stairwells_are_labelled_points_inside_themselves(town_session: ScopedSession) -> None:
    points = service.read_stairwells(town_session, community_code=B)
    own = town.make_territory().stairwells.query("community_code == @B").sort_values("code")
    assert points["code"].tolist() == own["code"].tolist()
    assert points.geometry.within(own.reset_index(drop=True).geometry).all()
    assert points["label"].iloc[0].replace(" ", "") == "东苑_1%1栋1梯"
    assert points["household_count"].sum() == 216


def test_no_rows_come_back_as_an_empty_frame(empty_session: ScopedSession) -> None:
    for frame in (
        service.read_communities(empty_session),
        service.read_compounds(empty_session),
        service.read_walkways(empty_session, community_code=A),
        service.read_stairwells(empty_session, community_code=A),
    ):
        assert len(frame) == 0
        assert frame.crs == "EPSG:4326"
        assert "geometry" in frame.columns


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (town.place(A, 20, 20), A),
        (town.place(B, 20, 20), B),
        (town.place(A, 40, 20), A),
        (town.place(A, 0, 0), A),
        ((113.0, 23.0), None),
    ],
)
def test_a_place_has_one_community_or_none(
    town_session: ScopedSession, place: tuple[float, float], code: int | None
) -> None:
    found = service.find_community_at(town_session, lon=place[0], lat=place[1])
    assert (found and found[0]) == code


def test_a_code_of_another_community_is_refused_by_the_key(own_town: Clone) -> None:
    with pytest.raises(IntegrityError, match="stairwell_code_check"):
        own_town.run(
            "UPDATE gridsvc.stairwell SET code = '44060501100200100199'"
            " WHERE code = '44060501100100100101'"
        )


def test_more_codes_than_a_statement_has_parameters_are_looked_up(
    town_session: ScopedSession,
) -> None:
    codes = [f"440605011016001{number:05d}" for number in range(70_000)]
    nothing = GeoDataFrame({"code": pd.Series([], dtype="str")}, geometry=[], crs="EPSG:4326")
    many = GeoDataFrame({"code": codes}, geometry=[Point(113.15, 23.03)] * len(codes), crs=4326)
    territory = Territory(
        street_code=440605011000,
        street_name="桂城",
        communities=nothing.astype({"code": "int64"}),
        compounds=nothing,
        buildings=nothing,
        stairwells=many,
        walkways=nothing,
    )
    taken = store.existing_codes(town_session, territory)
    assert taken["community"] == taken["compound"] == taken["building"] == []
    assert set(taken["stairwell"]) < set(codes)

"""Invented people, posts, organisations and teams."""

import re
import uuid

import numpy as np
import pandas as pd
import shapely

from geodata.sample import Sample
from tests.geodata.sample.measured import place

STREET = 440605011000


def test_members_are_whole_and_invented(full: Sample) -> None:
    members = full.members
    assert all(re.fullmatch(r"154000\d{5}", phone) for phone in members["phone"])
    assert members["phone"].is_unique
    assert members["name"].str.len().between(2, 3).all()
    assert set(members["affiliation"]) == {"party_member", "league_member", "masses"}
    assert 0.95 < members["available"].mean() < 0.99


def test_who_reported_in_carries_two_to_five_stairwells(full: Sample) -> None:
    reported = full.members[full.members["reported_in_on"].notna()]
    assert set(reported["capacity_stairwells"]) == {2, 3, 4, 5}
    assert (reported["capacity_households"] >= 12 * reported["capacity_stairwells"]).all()
    days = pd.to_datetime(reported["reported_in_on"])
    assert days.min() >= pd.Timestamp("2018-07-01")
    assert days.max() <= pd.Timestamp("2020-06-30")


def test_there_are_enough_party_members_for_every_stairwell(full: Sample) -> None:
    able = full.members[full.members["reported_in_on"].notna() & full.members["available"]]
    room = able.groupby("community_code")["capacity_stairwells"].sum()
    grids = full.territory.stairwells["community_code"].value_counts()
    assert (room / grids).min() > 0.95
    assert room.sum() > grids.sum()


def test_homes_are_points_in_their_stairwell(full: Sample) -> None:
    stairwells = full.territory.stairwells.set_index("code")
    at_home = full.members[full.members["home_stairwell_code"].notna()]
    homes = stairwells.loc[at_home["home_stairwell_code"]]
    assert shapely.contains(homes.geometry.to_numpy(), at_home.geometry.to_numpy()).all()
    assert (homes["community_code"].to_numpy() == at_home["community_code"].to_numpy()).all()


def test_some_members_live_outside(full: Sample) -> None:
    away = full.members[full.members["home_stairwell_code"].isna()]
    town = full.territory.communities.union_all()
    assert 20 < len(away) < 200
    assert not away.intersects(town).any()


def test_a_chief_lives_in_the_own_building(full: Sample) -> None:
    chiefs = full.posts.merge(full.members, left_on="member_id", right_on="id")
    assert len(chiefs) == len(full.posts)
    assert (chiefs["home_stairwell_code"].str[:18] == chiefs["building_code"]).all()
    assert (chiefs["building_code"].str[:15] == chiefs["compound_code"]).all()


def test_organisations_belong_to_known_places(full: Sample) -> None:
    known = set(full.territory.compounds["code"])
    places = full.organisations["compound_code"].dropna()
    assert set(places) <= known
    own = full.organisations.loc[places.index, "community_code"].astype("str")
    assert (places.str[:12] == own).all()
    alone = full.organisations[full.organisations["compound_code"].isna()]
    assert set(alone["kind"]) == {"mutual_aid_association", "society"}


def test_two_or_three_teams_start_at_a_way_in_their_community(full: Sample) -> None:
    teams = full.teams
    assert teams["community_code"].value_counts().between(2, 3).all()
    assert teams["community_code"].nunique() == 23
    communities = full.territory.communities
    own = communities.geometry.to_numpy()[place(communities, teams["community_code"])]
    assert shapely.contains(own, teams.geometry.to_numpy()).all()
    lines = full.territory.walkways.geometry.to_numpy()
    ends = {
        tuple(xy)
        for at in (0, -1)
        for xy in shapely.get_coordinates(shapely.get_point(lines, at)).tolist()
    }
    starts = shapely.get_coordinates(teams.geometry.to_numpy()).tolist()
    assert {tuple(xy) for xy in starts} <= ends
    assert "翠颐第1巡查队" in set(teams["name"])


def test_ids_are_uuids_of_version_seven(full: Sample) -> None:
    for frame in (full.members, full.posts, full.organisations, full.incidents, full.teams):
        assert frame["id"].is_unique
        assert {uuid.UUID(text).version for text in frame["id"]} == {7}
    stamps = [uuid.UUID(text).int >> 80 for text in full.incidents["id"]]
    moments = full.incidents["reported_at"].dt.tz_localize(None).to_numpy()
    assert np.array_equal(np.array(stamps) // 1000, moments.astype("datetime64[s]").astype(int))

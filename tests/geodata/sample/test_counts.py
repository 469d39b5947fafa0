"""What is published of the sub-district holds exactly at scale 1."""

import pytest

from geodata.categories import class_of, load_categories
from geodata.errors import SampleScaleError
from geodata.sample import Sample, make_sample

STREET = 440605011000
COMMUNITIES = {
    1: "桂一", 4: "叠二", 5: "花苑", 7: "桂雅", 8: "桂园", 10: "大圩", 11: "江滨", 15: "江南名居",
    16: "翠颐", 20: "灯湖", 43: "大德", 44: "凤鸣", 46: "桂花", 47: "桂南", 48: "怡海", 50: "同德",
    51: "中汇", 52: "大新", 53: "桂二", 56: "海逸", 57: "同成", 58: "文翰", 65: "同心",
}  # fmt: skip
INCIDENTS = {
    "neighbour_dispute": 1250,
    "sanitation": 1027,
    "security": 173,
    "public_facility": 1710,
    "safety": 309,
    "parking": 492,
    "lift": 88,
}
ORGANISATIONS = {
    "party_branch": 62,
    "mutual_aid_association": 36,
    "self_governance_group": 72,
    "chief_team": 64,
    "society": 245,
}


def test_the_communities_are_the_twenty_three_of_guicheng(full: Sample) -> None:
    communities = full.territory.communities
    named = dict(zip(communities["code"] - STREET, communities["name"], strict=True))
    assert named == COMMUNITIES


def test_grids_are_as_many_as_published(full: Sample) -> None:
    territory = full.territory
    assert len(territory.compounds) == 149
    assert 7300 <= len(territory.stairwells) <= 7700
    assert territory.compounds["is_demonstration"].sum() == 47


def test_people_are_as_many_as_published(full: Sample) -> None:
    members = full.members.set_index("id")
    reported = members["reported_in_on"].notna()
    assert reported.sum() == 2400
    assert (members.loc[reported, "affiliation"] == "party_member").all()
    assert len(full.posts) == 1502
    chiefs = members.loc[full.posts["member_id"]]
    assert chiefs.index.is_unique
    assert (chiefs["affiliation"] == "party_member").sum() == 384


def test_organisations_are_as_many_as_published(full: Sample) -> None:
    assert full.organisations["kind"].value_counts().to_dict() == ORGANISATIONS
    assert 7000 < full.organisations["people"].sum() < 7500
    assert full.organisations["name"].is_unique
    branches = full.organisations[full.organisations["kind"] == "party_branch"]
    assert branches["compound_code"].nunique() == 62


def test_incidents_are_as_many_as_published(full: Sample) -> None:
    classes = full.incidents["category_code"].map(class_of)
    assert classes.value_counts().to_dict() == INCIDENTS


def test_incidents_carry_known_sub_categories(full: Sample) -> None:
    known = {category.code for category in load_categories() if category.parent is not None}
    assert set(full.incidents["category_code"]) < known


@pytest.mark.parametrize(
    ("name", "community", "year", "buildings", "households"),
    [("南海颐景园", "翠颐", 2006, 42, 3218), ("滨江一号", "灯湖", None, 23, 2687)],
)
def test_compounds_have_their_published_figures(
    full: Sample, name: str, community: str, year: int | None, buildings: int, households: int
) -> None:
    territory = full.territory
    compounds = territory.compounds.set_index("name")
    code = compounds["code"][name]
    names = territory.communities.set_index("code")["name"]
    assert names[compounds["community_code"][name]] == community
    assert year is None or compounds["built_year"][name] == year
    assert (territory.buildings["compound_code"] == code).sum() == buildings
    own = territory.stairwells["compound_code"] == code
    assert territory.stairwells.loc[own, "household_count"].sum() == households


def test_chiefs_and_societies_of_named_compounds_are_as_published(full: Sample) -> None:
    codes = full.territory.compounds.set_index("name")["code"]
    chiefs = full.posts["compound_code"].value_counts()
    assert chiefs[codes["滨江一号"]] == chiefs[codes["桂华丽景"]] == 45
    stairwells = full.territory.stairwells["compound_code"].value_counts()
    assert stairwells[codes["桂华丽景"]] == 36
    societies = full.organisations[full.organisations["kind"] == "society"]
    assert (societies["compound_code"] == codes["滨江一号"]).sum() == 11


def test_building_46_of_guihua_agreed_on_a_lift(full: Sample) -> None:
    agreed = full.incidents[full.incidents["summary"].str.contains("四年")]
    assert len(agreed) == 1
    buildings = full.territory.buildings
    holding = buildings[buildings.contains(agreed.geometry.iloc[0])]
    assert holding["name"].tolist() == ["46栋"]
    assert holding["community_code"].tolist() == [STREET + 46]
    assert agreed["community_code"].tolist() == [STREET + 46]
    assert agreed["category_code"].tolist() == ["lift.retrofit"]


@pytest.mark.parametrize(("fixture", "scale"), [("small", 0.1), ("triple", 3.0)])
def test_other_scales_keep_the_communities_and_scale_the_rest(
    request: pytest.FixtureRequest, fixture: str, scale: float
) -> None:
    sample: Sample = request.getfixturevalue(fixture)
    territory = sample.territory
    assert len(territory.communities) == 23
    assert territory.compounds["community_code"].nunique() == 23
    assert set(territory.compounds["code"]) == set(territory.stairwells["compound_code"])
    assert len(territory.compounds) == max(23, round(149 * scale))
    assert len(territory.stairwells) == pytest.approx(7500 * scale, rel=0.03)
    assert len(sample.incidents) == pytest.approx(5049 * scale, abs=4)
    assert len(sample.posts) == round(1502 * scale)
    assert sample.members["reported_in_on"].notna().sum() == 2400 * scale


@pytest.mark.parametrize("scale", [0.0, -1.0, 0.05, float("nan"), float("inf")])
def test_a_scale_too_small_is_refused(scale: float) -> None:
    with pytest.raises(SampleScaleError, match="or more"):
        make_sample(scale=scale)

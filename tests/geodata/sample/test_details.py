"""What invented members said of themselves: enough to show, and no plan is another one for it."""

from datetime import date

import pandas as pd

from geodata.sample import Sample
from geodata.vocabularies import terms_of


def test_everybody_agreed_when_they_reported_in(full: Sample) -> None:
    consents = full.details["consents"].set_index("member_id")
    assert consents.index.is_unique
    assert set(consents.index) == set(full.members["id"])
    reported = full.members[full.members["reported_in_on"].notna()]
    days = consents.loc[reported["id"], "given_on"]
    assert list(days) == list(reported["reported_in_on"])


def test_only_who_is_not_available_is_away_without_an_end(full: Sample) -> None:
    absences = full.details["absences"]
    gone = set(full.members["id"][~full.members["available"]])
    is_open = absences["valid"].str.endswith(",)")
    assert set(absences["member_id"][is_open]) == gone
    assert not set(absences["member_id"][~is_open]) & gone
    ended = pd.to_datetime(absences["valid"][~is_open].str.extract(r",(.+)\)")[0])
    assert ended.max() < pd.Timestamp("2020-07-01")
    assert 0.03 < (~is_open).sum() / len(full.members) < 0.07


def test_hours_are_times_of_the_week_of_most_members(full: Sample) -> None:
    hours = full.details["hours"]
    assert hours["weekday"].between(1, 7).all()
    assert ((hours["from_minute"] >= 0) & (hours["from_minute"] < hours["to_minute"])).all()
    assert (hours["to_minute"] <= 1440).all()
    assert not hours.duplicated(["member_id", "weekday", "from_minute"]).any()
    assert 0.5 < hours["member_id"].nunique() / len(full.members) < 0.7


def test_an_exclusion_is_of_another_stairwell_of_the_own_compound(full: Sample) -> None:
    excluded = full.details["exclusions"].merge(
        full.members, left_on="member_id", right_on="id", suffixes=("", "_of_member")
    )
    assert 5 < len(excluded) < 40
    assert (excluded["stairwell_code"] != excluded["home_stairwell_code"]).all()
    same = excluded["stairwell_code"].str[:15] == excluded["home_stairwell_code"].str[:15]
    assert same.all()
    assert set(excluded["stairwell_code"]) <= set(full.territory.stairwells["code"])
    assert set(excluded["since"]) == {date(2020, 1, 1)}


def test_branches_are_of_the_compound_and_only_for_party_members(full: Sample) -> None:
    members = full.members[full.members["branch_id"].notna()]
    assert len(members) > 500
    assert set(members["affiliation"]) == {"party_member"}
    branches = full.organisations.set_index("id").loc[members["branch_id"]]
    assert set(branches["kind"]) == {"party_branch"}
    homes = members["home_stairwell_code"].str[:15]
    assert (branches["compound_code"].to_numpy() == homes.to_numpy()).all()


def test_skills_and_dialects_are_words_of_the_lists_each_once(full: Sample) -> None:
    for name, least in (("skills", 0), ("dialects", 1)):
        told = full.members[name]
        assert {code for codes in told for code in codes} <= set(terms_of(name))
        assert all(len(codes) == len(set(codes)) >= least for codes in told)

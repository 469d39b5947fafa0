"""Households find their stairwell, and where there is doubt a person does."""

import random
import time
from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame

from geodata.errors import InvalidParameterError
from geodata.register import Matches, household_counts, match_households

TERRITORY = {
    "翠湖花园": {"1栋": ["1梯"], "3栋": ["1单元", "2单元"], "5栋": ["1单元", "2单元", "3单元"]},
    "翠湖花园二期": {"3栋": ["1单元", "2单元"]},
    "桂园": {"1号楼": ["1梯", "2梯"], "2号楼": ["1梯"]},
    "滨江一号": {"A座": ["A梯", "B梯"], "B座": ["A梯"]},
    "南海颐景园雅居": {"10-1栋": ["1梯"], "10-2栋": ["1梯"]},
    "单楼大厦": {"主楼": [""]},
}


def territory(names: dict[str, dict[str, list[str]]] = TERRITORY) -> DataFrame:
    rows = [
        (f"440605011016{one:03d}{two:03d}{three:02d}", compound, building, stairwell)
        for one, (compound, buildings) in enumerate(names.items(), start=1)
        for two, (building, stairwells) in enumerate(buildings.items(), start=1)
        for three, stairwell in enumerate(stairwells, start=1)
    ]
    return DataFrame(rows, columns=["code", "compound_name", "building_name", "stairwell_name"])


STAIRWELLS = territory()


def code(compound: str, building: str, stairwell: str) -> str:
    one = STAIRWELLS[
        (STAIRWELLS["compound_name"] == compound)
        & (STAIRWELLS["building_name"] == building)
        & (STAIRWELLS["stairwell_name"] == stairwell)
    ]
    return str(one["code"].item())


def registered(*addresses: str, stairwells: DataFrame = STAIRWELLS) -> Matches:
    records = DataFrame({"row": range(2, 2 + len(addresses)), "address": list(addresses)})
    return match_households(records, stairwells)


def only(matches: Matches) -> tuple[str, float]:
    assert len(matches.matched) == 1, (matches.review, matches.unmatched)
    return matches.matched["stairwell_code"].item(), matches.matched["score"].item()


# ---- what is certain


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("翠湖花园3栋2单元302", ("翠湖花园", "3栋", "2单元")),
        ("翠湖花园三幢2梯302室", ("翠湖花园", "3栋", "2单元")),
        ("佛山市南海区桂城街道翠湖花园3-2-302", ("翠湖花园", "3栋", "2单元")),
        ("翠湖花园（二期）3号楼1单元", ("翠湖花园二期", "3栋", "1单元")),
        ("翠湖花园2期3栋1单元", ("翠湖花园二期", "3栋", "1单元")),
        ("翠湖花园1栋302", ("翠湖花园", "1栋", "1梯")),
        ("滨江1号A座B梯", ("滨江一号", "A座", "B梯")),
        ("南海颐景园雅居10-1栋", ("南海颐景园雅居", "10-1栋", "1梯")),
        ("单楼大厦 1203室", ("单楼大厦", "主楼", "")),
    ],
)
def test_an_address_that_names_one_stairwell_scores_1(
    text: str, home: tuple[str, str, str]
) -> None:
    assert only(registered(text)) == (code(*home), 1.0)


@pytest.mark.parametrize("none", ["无", "—", "/", None])
@pytest.mark.parametrize("home", [("翠湖花园", "1栋", "1梯"), ("单楼大厦", "主楼", "")])
def test_a_building_of_one_stairwell_needs_no_stairwell(
    home: tuple[str, str, str], none: str | None
) -> None:
    cells = {"row": [2], "compound": [home[0]], "building": [home[1]], "stairwell": [none]}
    assert only(match_households(DataFrame(cells), STAIRWELLS)) == (code(*home), 1.0)


def test_a_word_for_compound_makes_little_difference() -> None:
    assert only(registered("桂园小区2号楼")) == (code("桂园", "2号楼", "1梯"), 0.95)


def test_a_misspelling_of_a_long_name_is_forgiven() -> None:
    found, score = only(registered("南海怡景园雅居10-2栋"))
    assert found == code("南海颐景园雅居", "10-2栋", "1梯")
    assert score == pytest.approx(6 / 7)


def test_without_a_compound_the_only_one_is_meant() -> None:
    alone = territory({"翠湖花园": TERRITORY["翠湖花园"]})
    assert only(registered("3栋2单元302", stairwells=alone)) == (alone["code"][2], 0.9)


def test_aliases_are_other_names_and_addresses() -> None:
    stairwells = STAIRWELLS.assign(aliases=None)
    stairwells["aliases"] = stairwells["aliases"].astype("object")
    stairwells.loc[stairwells["compound_name"] == "桂园", "aliases"] = "老干部大院；桂园路12号"
    one = stairwells.index[stairwells["code"] == code("桂园", "2号楼", "1梯")]
    stairwells.loc[one, "aliases"] = "桂园路14号"
    assert only(registered("老干部大院1号楼2梯", stairwells=stairwells)) == (
        code("桂园", "1号楼", "2梯"),
        1.0,
    )
    found, _ = only(registered("桂园路14号302", stairwells=stairwells))
    assert found == code("桂园", "2号楼", "1梯")
    several = registered("桂园路12号302", stairwells=stairwells).review
    assert len(several["candidates"].item()) == 2


# ---- what is for a person


@pytest.mark.parametrize(
    ("text", "count", "score", "reason"),
    [
        ("翠湖花园3栋302", 2, 0.5, "No stairwell is named"),
        ("翠湖花园3栋4单元", 2, 0.25, "no stairwell of this name"),
        ("翠湖花园302室", 6, 0.5, "No building is named"),
        ("翠湖花园1-5栋", 6, 0.5, "5 buildings are named"),
        ("翠湖花园3栋1-2单元", 2, 0.5, "2 stairwells are named"),
        ("翠湖花园3号302", 2, 0.5, "may not be that of building 3"),
        ("翠湖花园3栋2单元5栋", 5, 0.5, "2 buildings are named"),
        ("翠湖花园3栋2单元302 4-1", 1, 1.0, "not understood"),
        ("桂园新村1号楼2梯", 1, 0.5, "most alike is 桂园"),
        ("翠湖花苑3栋2单元", 2, 0.75, "most alike is 翠湖花园"),
    ],
)
def test_what_could_mean_several_stairwells_is_for_review(
    text: str, count: int, score: float, reason: str
) -> None:
    matches = registered(text)
    assert matches.matched.empty
    candidates = matches.review["candidates"].item()
    assert len(candidates) == count
    assert candidates[0][1] == pytest.approx(score)
    assert [one for _, one in candidates] == sorted((one for _, one in candidates), reverse=True)
    assert reason in matches.review["reason"].item()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("翠湖花园9栋1单元", "翠湖花园 has no building of this name"),
        ("天河名都3栋1单元", "No compound or street has this name"),
        ("3栋1单元302", "names no compound"),
        ("无", "no address"),
        ("示例某", "No compound or street"),
    ],
)
def test_what_means_no_stairwell_is_unmatched(text: str, reason: str) -> None:
    matches = registered(text)
    assert matches.matched.empty
    assert matches.review.empty
    assert reason in matches.unmatched["reason"].item()


def test_reasons_do_not_quote_the_file() -> None:
    matches = registered("示例某3栋", "翠湖花园3栋示例某", "示例某翠湖园3栋", "翠湖花园3栋(示例某)")
    reasons = [*matches.review["reason"], *matches.unmatched["reason"]]
    assert len(reasons) == 4
    assert not any("示例某" in reason for reason in reasons)


def test_two_compounds_of_one_name_are_for_review() -> None:
    again = STAIRWELLS.assign(code="9" + STAIRWELLS["code"].str[1:])
    both = pd.concat([STAIRWELLS, again], ignore_index=True)
    matches = registered("翠湖花园3栋2单元302", stairwells=both)
    assert [score for _, score in matches.review["candidates"].item()] == [1.0, 1.0]
    assert "Several stairwells" in matches.review["reason"].item()


def test_a_name_that_could_be_cut_short_from_two_is_for_review() -> None:
    twins = territory({name: {"1栋": ["1梯"]} for name in ("丹桂小区", "丹桂苑", "怡翠小区")})
    matches = registered("丹桂1栋", "怡翠1栋", stairwells=twins)
    assert matches.matched["row"].tolist() == [3]
    assert len(matches.review["candidates"].item()) == 2


def test_phases_are_never_taken_for_each_other() -> None:
    matches = registered("翠湖花园一期3栋1单元", "翠湖花园三期3栋1单元", "翠湖花园东区3栋1单元")
    assert matches.matched.empty


# ---- counts


def test_households_are_counted_by_stairwell() -> None:
    texts = ("翠湖花园3栋2单元302", "翠湖花园3栋2单元402", "翠湖花园3栋1单元302", "翠湖花园3栋502")
    counts = household_counts(registered(*texts))
    assert counts.name == "household_count"
    assert counts.to_dict() == {
        code("翠湖花园", "3栋", "1单元"): 1,
        code("翠湖花园", "3栋", "2单元"): 2,
    }


def test_a_room_that_stands_twice_is_told_and_counted_once() -> None:
    matches = registered("翠湖花园3栋2单元302", "翠湖花园3-2-0302室", "翠湖花园3栋2单元")
    assert matches.duplicates[["row", "first_row"]].to_numpy().tolist() == [[3, 2]]
    assert matches.matched["household_count"].tolist() == [1, 0, 1]


def test_the_count_of_the_file_is_taken() -> None:
    records = DataFrame(
        {
            "row": [2, 3],
            "compound": ["翠湖花园"] * 2,
            "building": ["3"] * 2,
            "stairwell": ["1", "2"],
            "household_count": pd.array([24, 0], dtype="Int64"),
        }
    )
    assert household_counts(match_households(records, STAIRWELLS)).tolist() == [24, 0]


def test_no_records_give_empty_frames_with_their_columns() -> None:
    matches = registered()
    assert list(matches.matched) == ["row", "stairwell_code", "score", "household_count"]
    assert list(matches.review) == ["row", "candidates", "reason", "reason_zh"]
    assert list(matches.unmatched) == ["row", "reason", "reason_zh"]
    assert household_counts(matches).empty


def test_a_frame_of_stairwells_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="building_name"):
        registered("x", stairwells=STAIRWELLS.drop(columns="building_name"))
    twice = pd.concat([STAIRWELLS, STAIRWELLS.iloc[:1]])
    with pytest.raises(InvalidParameterError, match="each code once"):
        registered("x", stairwells=twice)


# ---- properties

FULL_WIDTH = str.maketrans("0123456789-", "０１２３４５６７８９－")
NUMERALS = dict(zip("123456789", "一二三四五六七八九", strict=True))
FORMS = (
    "{c}{b}栋{s}单元{r}室",
    "{c} {b}幢 {s}梯 {r}",
    "{c}，{b}号楼，{s}单元，{r}房",
    "{c}{b}-{s}-{r}",
    "{c}（{b}座）{s}门{r}",
    "佛山市南海区桂城街道{c}{b}栋{s}单元{r}号",
    "{r}室 {s}单元 {b}栋 {c}",
    "楼栋：{b} 单元：{s} 房号：{r} 小区：{c}",
)
COMPOUNDS = ("翠湖花园", "翠湖苑", "桂园", "桂园新村", "滨江一号", "金色家园一期", "金色家园二期")
THREE = ["1单元", "2单元", "3单元"]
TOWN = territory({name: {f"{at}栋": THREE for at in range(1, 13)} for name in COMPOUNDS})


@given(
    picks=st.lists(
        st.tuples(
            st.integers(0, len(TOWN) - 1),
            st.sampled_from(FORMS),
            st.booleans(),
            st.booleans(),
            st.integers(1, 30),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_a_register_in_any_spelling_finds_all_its_stairwells(
    picks: Sequence[tuple[int, str, bool, bool, int]],
) -> None:
    wanted, texts = [], []
    for at, form, is_wide, is_numeral, storey in picks:
        home = TOWN.iloc[at]
        building, stairwell = home["building_name"][:-1], home["stairwell_name"][:-2]
        if is_numeral and "-" not in form:
            building, stairwell = NUMERALS.get(building, building), NUMERALS[stairwell]
        text = form.format(c=home["compound_name"], b=building, s=stairwell, r=f"{storey}01")
        texts.append(text.translate(FULL_WIDTH) if is_wide else text)
        wanted.append(home["code"])
    matches = registered(*texts, stairwells=TOWN)
    assert matches.matched["stairwell_code"].tolist() == wanted
    assert (matches.matched["score"] == 1).all()


@given(at=st.integers(0, len(TOWN) - 1), slips=st.integers(1, 3), seed=st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_an_address_with_slips_never_finds_another_compound_without_doubt(
    at: int, slips: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (no secret)
    home = TOWN.iloc[at]
    name = list(home["compound_name"])
    for _ in range(slips):
        place = chance.randrange(len(name))
        what = chance.randrange(3)
        if what == 0:
            name[place] = chance.choice("湖园苑翠桂金色新村花怡颐")
        elif what == 1 and len(name) > 2:
            del name[place]
        else:
            name.insert(place, chance.choice("湖园苑翠桂金色新村花怡颐"))
    written = "".join(name)
    records = DataFrame(
        {
            "row": [2],
            "compound": [written],
            "building": [home["building_name"]],
            "stairwell": [home["stairwell_name"]],
        }
    )
    matches = match_households(records, TOWN)
    exact = TOWN.loc[TOWN["compound_name"] == written, "code"]
    for found in matches.matched["stairwell_code"]:
        assert found == home["code"] or found in set(exact)
    assert len(matches.matched) + len(matches.review) + len(matches.unmatched) == 1


def test_a_sub_district_is_matched_in_a_few_seconds() -> None:
    firsts = [f"{one}{two}" for one in "翠锦怡金桂丽" for two in "湖绣翠色丹雅"]
    names = [f"{first}{last}" for first in firsts for last in ("苑", "花园")]
    stairwells = territory({name: {f"{at}栋": THREE for at in range(1, 36)} for name in names})
    assert len(stairwells) > 7_500
    homes = stairwells.iloc[[at * 7 % len(stairwells) for at in range(33_000)]]
    rooms = [f"{at % 30 + 1}{at % 7 + 1:02d}室" for at in range(33_000)]
    texts = homes["compound_name"] + homes["building_name"] + homes["stairwell_name"] + rooms
    records = DataFrame({"row": range(33_000), "address": texts.tolist()})
    start = time.process_time()
    matches = match_households(records, stairwells)
    assert time.process_time() - start < 20
    assert matches.matched["stairwell_code"].tolist() == homes["code"].tolist()

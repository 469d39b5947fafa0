"""Reasons are told in both languages, with the same facts."""

import re
import string
from pathlib import Path

import pytest
import shapely
import yaml
from geopandas import GeoDataFrame
from pandas import DataFrame

import geodata
from geodata.columns import typed_values
from geodata.quality import inspect
from geodata.reasons import NOTHING, Reason, joined, noun, reason, reason_columns, reasons_in
from geodata.register import match_households
from tests.geodata.quality.planted import Planted, planted

PACKAGE = Path(geodata.__file__).parent
SENTENCES: dict[str, dict[str, str]] = yaml.safe_load(
    (PACKAGE / "reasons.yaml").read_text(encoding="utf-8")
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Names of systems, units, fields and what files say; everything else is in Chinese.
ENGLISH_WORD = re.compile(r"(?<![A-Za-z0-9_'\"-])[a-z]{4,}(?![a-z0-9_'\"-])")
BY_CODE = {"noun-", "invalid-", "geometry-", "type-"}


def names_in(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("key", SENTENCES)
def test_both_languages_of_a_sentence_take_the_same_facts(key: str) -> None:
    sentence = SENTENCES[key]
    assert set(sentence) == {"en", "zh"}
    # Numbers of things may be left to the noun, never the other way round.
    assert names_in(sentence["zh"]) == names_in(sentence["en"])
    if key not in {"invalid-other"}:
        assert CHINESE.search(sentence["zh"]), sentence["zh"]
    assert not CHINESE.search(sentence["en"].replace("号", "")), sentence["en"]


def test_every_sentence_is_used() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in (PACKAGE, PACKAGE.parent / "gridsvc")
        for path in folder.rglob("*.py")
    )
    built = tuple(BY_CODE | {"outside", "misplaced-"})
    unused = [key for key in SENTENCES if f'"{key}"' not in sources and not key.startswith(built)]
    assert unused == []


@pytest.mark.parametrize("case", planted(), ids=lambda case: case.kind)
def test_the_reason_of_every_planted_fault_is_a_chinese_sentence(case: Planted) -> None:
    layer = case.layer
    report = inspect(layer.name, case.features, parents=layer.parents, siblings=None)
    assert len(report.faults) > 0
    for told in reasons_in(report.faults):
        assert CHINESE.search(told.zh), told.zh
        assert not ENGLISH_WORD.search(told.zh.replace("gcj02", "")), told.zh
        assert not re.search(r"[{}]", told.zh + told.en)
        assert told.zh.endswith("。")
        numbers = re.findall(r"\d{3,}", told.en)
        assert all(number in told.zh for number in numbers), told


def test_what_a_file_says_is_no_template() -> None:
    told = reason("malformed-characters", code="{code.__class__}%s")
    assert "{code.__class__}%s" in told.say("en")
    assert "{code.__class__}%s" in told.say("zh")


def test_nouns_are_told_in_the_language_of_the_sentence() -> None:
    told = reason("unknown-parent", noun=noun("compound"), code="1")
    assert told == Reason("It names compound 1, which does not exist.", "所填的小区 1 不存在。")


def test_several_reasons_of_a_row_are_one_text_a_language() -> None:
    parts = [reason("geometry-missing"), NOTHING, reason("not-finite")]
    assert joined(parts).en == "The geometry is missing. One of its coordinates is not a number."
    assert joined(parts).zh == "没有图形。有一个坐标不是数字。"
    assert joined([]) == NOTHING


def test_reasons_go_into_a_frame_and_come_back() -> None:
    told = [reason("not-finite"), NOTHING]
    assert reasons_in(DataFrame(reason_columns(told))) == told
    old = DataFrame({"reason": ["Only English.", None], "reason_zh": [None, None]})
    assert reasons_in(old) == [Reason("Only English.", "Only English."), NOTHING]


def test_values_that_cannot_be_read_are_told_in_chinese_too() -> None:
    _, faults = typed_values(DataFrame({"row": [1], "levels": ["高"], "is_demonstration": ["嗯"]}))
    assert faults["reason_zh"].tolist() == [
        "levels 的值 '高' 不是 0 至 999,999 的整数。",
        "is_demonstration 的值 '嗯' 既不是“是”也不是“否”。",
    ]


def test_households_that_match_nothing_are_told_in_chinese_too() -> None:
    stairwells = DataFrame(
        {
            "code": ["1", "2"],
            "compound_name": ["翠湖花园"] * 2,
            "building_name": ["3栋"] * 2,
            "stairwell_name": ["1梯", "2梯"],
        }
    )
    records = DataFrame(
        {
            "row": [2, 3, 4],
            "compound": ["翠湖花园", "无此苑", "翠湖花园"],
            "building": ["3栋", "1栋", "9栋"],
            "stairwell": [None, None, None],
        }
    )
    found = match_households(records, stairwells)
    assert found.review["reason_zh"].tolist() == ["没有写楼道，而翠湖花园 3 栋有 2 个楼道。"]
    assert found.unmatched["reason_zh"].tolist() == [
        "没有这个名称的小区或街巷。",
        "翠湖花园没有这个名称的楼栋。",
    ]


def test_a_layer_without_faults_has_the_columns_of_reasons() -> None:
    empty = GeoDataFrame({"row": []}, geometry=[], crs=4326)
    report = inspect("buildings", empty, parents=None, siblings=None)
    assert {"reason", "reason_zh"} <= set(report.faults.columns)
    assert shapely.is_missing(report.faults.geometry.to_numpy()).all()

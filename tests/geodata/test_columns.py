"""Columns of files become fields of ours: guessed by name, told where in doubt, saved."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
import yaml
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame

from geodata.columns import (
    NEEDED,
    ColumnMapping,
    apply_columns,
    fields_of,
    guess_columns,
    load_columns,
    normalised_name,
    save_columns,
    typed_values,
)
from geodata.errors import (
    AbsentColumnError,
    AmbiguousColumnsError,
    InvalidParameterError,
    MappingError,
    UnmatchedFieldError,
    UnreadableFileError,
)

SYNONYMS = Path(__file__).parents[2] / "geodata" / "columns.yaml"


def synonyms() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize(
    ("layer", "names", "columns"),
    [
        (
            "compounds",
            ["OBJECTID", "网格编号", "社区代码", "小区名称", "建成年份", "是否示范"],
            {
                "code": "网格编号",
                "community_code": "社区代码",
                "name": "小区名称",
                "built_year": "建成年份",
                "is_demonstration": "是否示范",
            },
        ),
        (
            "buildings",
            ["楼栋编码", "小区代码", "栋号", "建筑用途", "地上层数", "单元数", "Shape_Area"],
            {
                "code": "楼栋编码",
                "compound_code": "小区代码",
                "name": "栋号",
                "kind": "建筑用途",
                "levels": "地上层数",
                "stairwell_count": "单元数",
            },
        ),
        (
            "stairwells",
            ["编号", "楼栋编号", "梯", "户数（户）"],
            {
                "code": "编号",
                "building_code": "楼栋编号",
                "name": "梯",
                "household_count": "户数（户）",
            },
        ),
        (
            "households",
            ["序号", "小区", "栋号", "单元", "房号", "户数"],
            {
                "compound": "小区",
                "building": "栋号",
                "stairwell": "单元",
                "room": "房号",
                "household_count": "户数",
            },
        ),
        ("households", ["序号", "房屋坐落"], {"address": "房屋坐落"}),
    ],
)
def test_columns_of_offices_are_recognised(
    layer: str, names: list[str], columns: dict[str, str]
) -> None:
    assert guess_columns(names, layer=layer) == ColumnMapping(layer, columns)


@pytest.mark.parametrize(
    "name",
    ["小区 名称", "小区_名称", "小区名称\u3000", "小区名称（必填）", "\ufeff小区名称", "*小区名称"],
)
def test_width_spaces_and_brackets_make_no_difference(name: str) -> None:
    assert guess_columns([name], layer="compounds").columns == {"name": name}


@pytest.mark.parametrize("name", ["Built_Year", "BUILT YEAR", "ｂｕｉｌｔ＿ｙｅａｒ", "built-year"])
def test_case_and_underscores_make_no_difference(name: str) -> None:
    assert guess_columns(["name", name], layer="compounds").columns["built_year"] == name


@pytest.mark.parametrize("layer", list(NEEDED))
def test_our_own_names_win_over_synonyms(layer: str) -> None:
    names = list(fields_of(layer))
    others = ["编号", "名称", "户数", "层数", "小区名称", "地址", "单元"]
    guessed = guess_columns([*others, *names], layer=layer)
    assert guessed.columns == {field: field for field in names}


def test_two_columns_for_one_field_are_told_and_the_certain_ones_kept() -> None:
    with pytest.raises(AmbiguousColumnsError, match="'名称' or '栋号'") as caught:
        guess_columns(["编码", "名称", "栋号", "层数"], layer="buildings")
    assert caught.value.doubts == {"name": ("名称", "栋号")}
    assert caught.value.certain == {"code": "编码", "levels": "层数"}


def test_a_column_that_stands_twice_is_told() -> None:
    with pytest.raises(AmbiguousColumnsError, match="户数"):
        guess_columns(["地址", "户数", "户 数"], layer="households")
    with pytest.raises(AmbiguousColumnsError, match="name"):
        guess_columns(["name", "name"], layer="compounds")


def test_a_file_without_any_name_is_refused_with_what_it_has() -> None:
    with pytest.raises(UnmatchedFieldError, match="'FID', 'Shape_Leng'"):
        guess_columns(["FID", "Shape_Leng"], layer="compounds")
    with pytest.raises(UnmatchedFieldError, match="no columns"):
        guess_columns([], layer="stairwells")


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="compounds, buildings"):
        guess_columns(["name"], layer="streets")


def test_a_synonym_stands_once_a_layer() -> None:
    for layer, fields in synonyms().items():
        names = [normalised_name(name) for field in fields for name in (field, *fields[field])]
        doubled = {name for name in names if names.count(name) > 1}
        assert not doubled, (layer, doubled)
        assert "" not in names


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(list(NEEDED)), st.lists(st.text(max_size=6), max_size=6))
def test_whatever_the_names_the_answer_is_a_mapping_or_an_error_of_ours(
    layer: str, names: list[str]
) -> None:
    try:
        mapping = guess_columns(names, layer=layer)
    except (AmbiguousColumnsError, UnmatchedFieldError):
        return
    assert set(mapping.columns.values()) <= set(names)


def test_applied_columns_have_our_names_and_trimmed_text() -> None:
    frame = GeoDataFrame(
        {"row": [1, 2], "小区名称": [" 桂花苑 ", "  "], "编号": ["007", None], "备注": ["x", "y"]},
        geometry=np.array([shapely.Point(113.1, 23.0), None], dtype=object),
        crs=4326,
    )
    named = apply_columns(frame, guess_columns(list(frame.columns), layer="compounds"))
    assert list(named.columns) == ["row", *fields_of("compounds"), "geometry"]
    assert named["name"].tolist()[0] == "桂花苑"
    assert named["name"].isna().tolist() == [False, True]
    assert named["code"].tolist()[0] == "007"
    assert named["built_year"].isna().all()
    assert named.crs == frame.crs


def test_a_table_without_geometry_stays_one() -> None:
    table = DataFrame({"row": [3], "地址": ["桂花苑1栋"]})
    named = apply_columns(table, guess_columns(["地址"], layer="households"))
    assert not isinstance(named, GeoDataFrame)
    assert named.loc[0, "address"] == "桂花苑1栋"


def test_a_mapping_that_names_absent_columns_is_refused() -> None:
    with pytest.raises(AbsentColumnError, match="小区名"):
        apply_columns(DataFrame({"名称": ["a"]}), ColumnMapping("compounds", {"name": "小区名"}))
    with pytest.raises(UnmatchedFieldError):
        apply_columns(DataFrame({"名称": ["a"]}), ColumnMapping("compounds", {"code": "名称"}))


def test_numbers_and_yes_or_no_are_typed_and_the_rest_is_told() -> None:
    frame = DataFrame(
        {
            "row": [1, 2, 3, 4, 5],
            "built_year": ["1998", "2003年", "2010-06-01", "九十年代", None],
            "is_demonstration": ["是", "否", "TRUE", "0", "maybe"],
            "household_count": ["12", "12.0", "１２户", "-3", "1e3"],
        }
    )
    typed, faults = typed_values(frame)
    assert typed["built_year"].fillna(0).tolist() == [1998, 2003, 2010, 0, 0]
    assert typed["is_demonstration"].tolist()[:4] == [True, False, True, False]
    assert typed["household_count"].fillna(-1).tolist() == [12, 12, 12, -1, -1]
    assert list(zip(faults["row"], faults["field"], strict=True)) == [
        (4, "built_year"),
        (4, "household_count"),
        (5, "household_count"),
        (5, "is_demonstration"),
    ]
    assert "'九十年代'" in faults["reason"][0]


def test_a_table_without_faults_gives_an_empty_frame_of_them() -> None:
    _, faults = typed_values(DataFrame({"row": [1], "name": ["a"], "levels": ["6"]}))
    assert faults.empty
    assert list(faults.columns) == ["row", "field", "value", "reason", "reason_zh"]


def test_a_saved_mapping_is_read_again(tmp_path: Path) -> None:
    mapping = guess_columns(["名称", "编号", "层数"], layer="buildings")
    save_columns(mapping, tmp_path / "columns.yaml")
    assert "编号" in (tmp_path / "columns.yaml").read_text(encoding="utf-8")
    assert load_columns(tmp_path / "columns.yaml") == mapping


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("layer: compounds", "'layer' and 'columns'"),
        ("- a", "'layer' and 'columns'"),
        ("layer: streets\ncolumns: {name: a}", "'streets'"),
        ("layer: [a]\ncolumns: {name: a}", "layer is"),
        ("layer: compounds\ncolumns: {street: a}", "'street' is no field"),
        ("layer: compounds\ncolumns: {name: 12}", "quotes"),
        ("layer: compounds\ncolumns: a", "field: column"),
        ("layer: [", "not YAML"),
        ("layer: 2026-99-99\ncolumns: {}", "not YAML"),
        ("[" * 5000, "not YAML"),
    ],
)
def test_a_faulty_mapping_is_refused_with_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "columns.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match=reason):
        load_columns(path)


def test_an_absent_or_undecodable_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        load_columns(tmp_path / "none.yaml")
    (tmp_path / "gbk.yaml").write_bytes("名称".encode("gbk"))
    with pytest.raises(UnreadableFileError):
        load_columns(tmp_path / "gbk.yaml")


def test_missing_values_of_pandas_are_missing_texts() -> None:
    table = DataFrame({"名称": [pd.NA, None, float("nan"), "a"]}, dtype="object")
    named = apply_columns(table, ColumnMapping("compounds", {"name": "名称"}))
    assert named["name"].isna().tolist() == [True, True, True, False]

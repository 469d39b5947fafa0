"""Lists of members as offices keep them: every row read as far as it can be."""

from datetime import date
from pathlib import Path

import pytest

from geodata.columns import ColumnMapping, load_columns, save_columns
from geodata.errors import AbsentColumnError, AmbiguousColumnsError, NoHeadingsError
from geodata.phones import normalised_phone
from geodata.register.members import MemberList, MemberRecord, read_members
from geodata.templates import example_of, write_template
from geodata.vocabularies import find_term, terms_of
from tests.workbooks import workbook

HEADINGS = ("姓名", "联系电话", "政治面貌", "小区", "楼栋", "单元", "联系户数", "同意日期")
ROW = ("某甲", "13900001111", "党员", "桂园", "3栋", "2单元", 15, "2026年3月1日")


def read(
    folder: Path, *rows: tuple[object, ...], headings: tuple[str, ...] = HEADINGS
) -> MemberList:
    path = folder / "list.xlsx"
    path.write_bytes(workbook(headings, *rows))
    return read_members(path)


def faults(found: MemberList) -> list[tuple[int, str, str, str]]:
    return [(one.row, one.field, one.severity, one.kind) for one in found.faults]


def test_a_row_is_read_as_it_says(tmp_path: Path) -> None:
    found = read(tmp_path, ROW)
    assert found.records == (
        MemberRecord(
            row=2,
            name="某甲",
            phone="13900001111",
            affiliation="party_member",
            compound="桂园",
            building="3栋",
            stairwell="2单元",
            capacity_households=15,
            consented_on=date(2026, 3, 1),
        ),
    )
    assert faults(found) == []
    assert found.mapping.columns["phone"] == "联系电话"


def test_our_own_template_is_read_and_its_example_left_out(tmp_path: Path) -> None:
    path = tmp_path / "members.xlsx"
    write_template("members", path)
    found = read_members(path)
    assert found.records == ()
    assert set(found.mapping.columns.values()) == set(example_of("members"))
    assert any("example" in note for note in found.notes)


def test_a_csv_in_gb18030_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("姓名,手机\r\n某甲,139-0000-1111\r\n".encode("gb18030"))
    assert read_members(path).records == (MemberRecord(2, name="某甲", phone="13900001111"),)


def test_titles_sums_blank_rows_and_repeated_headings_are_left_out(tmp_path: Path) -> None:
    blank = (None,) * len(HEADINGS)
    total = ("合计", *blank[1:6], 15, None)
    title = ("某街道党员报到名单", *blank[1:])
    path = tmp_path / "list.xlsx"
    path.write_bytes(workbook(title, HEADINGS, ROW, blank, HEADINGS, total))
    found = read_members(path)
    assert [record.row for record in found.records] == [3]
    assert found.heading_row == 2


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        (1, "12345", "bad-phone"),
        (1, "1390000111", "bad-phone"),
        (2, "火星人", "unknown-affiliation"),
        (6, "很多", "bad-capacity"),
        (6, 1.5, "bad-capacity"),
        (7, "去年", "bad-date"),
        (7, "2026-02-30", "bad-date"),
    ],
)
def test_a_cell_that_cannot_be_read_is_a_fault_that_names_nobody(
    tmp_path: Path, column: int, value: object, kind: str
) -> None:
    row = (*ROW[:column], value, *ROW[column + 1 :])
    found = read(tmp_path, row, ROW)
    assert [(one.row, one.severity, one.kind) for one in found.faults] == [(2, "error", kind)]
    assert len(found.records) == 2
    assert "某甲" not in found.faults[0].reason
    assert str(value) not in found.faults[0].reason


def test_a_negative_capacity_is_read_as_it_is(tmp_path: Path) -> None:
    row = (*ROW[:6], -3, ROW[7])
    assert read(tmp_path, row).records[0].capacity_households == -3


def test_words_outside_the_lists_are_left_out_with_a_warning(tmp_path: Path) -> None:
    headings = ("姓名", "特长", "方言")
    found = read(tmp_path, ("某甲", "水电、飞行；医生", "白话 普通话"), headings=headings)
    assert found.records[0].skills == ("electrical", "medical")
    assert found.records[0].dialects == ("cantonese", "mandarin")
    assert faults(found) == [(2, "skills", "warning", "unknown-skills")]


def test_two_columns_for_one_field_are_for_a_person_to_decide(tmp_path: Path) -> None:
    with pytest.raises(AmbiguousColumnsError):
        read(tmp_path, ("某甲", "1", "2"), headings=("姓名", "手机", "联系电话"))


def test_a_list_without_names_has_no_headings(tmp_path: Path) -> None:
    with pytest.raises(NoHeadingsError):
        read(tmp_path, ("1", "2"), headings=("甲列", "乙列"))


def test_a_saved_mapping_is_used_again(tmp_path: Path) -> None:
    path, yaml = tmp_path / "list.xlsx", tmp_path / "columns.yaml"
    path.write_bytes(workbook(("谁", "手机"), ("某甲", "13900001111")))
    save_columns(ColumnMapping("members", {"name": "谁", "phone": "手机"}), yaml)
    found = read_members(path, columns=load_columns(yaml))
    assert found.records[0].name == "某甲"
    with pytest.raises(AbsentColumnError):
        read_members(path, columns=ColumnMapping("members", {"name": "名"}))


def test_every_word_of_a_list_stands_for_one_code() -> None:
    for vocabulary in ("skills", "dialects"):
        for term in terms_of(vocabulary).values():
            for word in (term.code, term.zh, term.en, *term.also):
                assert find_term(word, vocabulary) == term.code


@pytest.mark.parametrize(
    "text", ["", "110", "2390000111", "139000011112", "+1 202 555 0100", "手机"]
)
def test_what_is_no_chinese_number_is_none(text: str) -> None:
    assert normalised_phone(text) is None

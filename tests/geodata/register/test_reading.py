"""A register is read as offices keep it: titles, merged cells, sums, formulas, encodings."""

import datetime
from pathlib import Path

import pytest

from geodata.columns import ColumnMapping
from geodata.errors import AbsentColumnError, AmbiguousColumnsError, NoHeadingsError
from geodata.register import Register, read_register
from tests.geodata.register.books import HEADINGS, PERSON, PHONE, ROWS, book, write_book

FIELDS = ["row", "address", "compound", "building", "stairwell", "room", "household_count", "code"]


def values(register: Register, name: str) -> list[object]:
    column = register.records[name]
    return [
        None if missing else value for value, missing in zip(column, column.isna(), strict=True)
    ]


def reasons(register: Register) -> dict[int, str]:
    return dict(zip(register.rejects["row"], register.rejects["reason"], strict=True))


def test_a_plain_register_is_read(tmp_path: Path) -> None:
    register = read_register(book(tmp_path / "a.xlsx", HEADINGS, *ROWS))
    assert list(register.records.columns) == FIELDS
    assert values(register, "row") == [2, 3]
    assert values(register, "compound") == ["翠湖花园"] * 2
    assert values(register, "building") == ["3栋"] * 2
    assert values(register, "room") == ["302", "402"]
    assert values(register, "household_count") == [None, None]
    assert register.rejects.empty
    assert register.mapping == ColumnMapping(
        "households", {"compound": "小区", "building": "楼栋", "stairwell": "单元", "room": "房号"}
    )
    assert register.notes == ("Headings: row 1 of sheet '住户'.",)


def test_names_and_phones_never_leave_the_reader(tmp_path: Path) -> None:
    rows = (
        *ROWS,
        ("合计", None, None, None, 2, PERSON, PHONE),
        (None, None, None, None, None, PERSON, PHONE),
        (3, "翠湖花园", datetime.date(2024, 3, 2), "2单元", 302, PERSON, PHONE),
    )
    register = read_register(
        book(tmp_path / "a.xlsx", (f"填报人：{PERSON}", PHONE), HEADINGS, *rows)
    )
    assert len(register.records) == 2
    everything = repr(register) + register.records.to_csv() + register.rejects.to_csv()
    assert PERSON not in everything
    assert PHONE not in everything


def test_titles_above_the_headings_are_told(tmp_path: Path) -> None:
    titles = (("桂城街道翠湖花园住户登记表",), ("填报单位：示例社区", None, "2020年6月"))
    register = read_register(book(tmp_path / "a.xlsx", *titles, HEADINGS, *ROWS))
    assert register.heading_row == 3
    assert values(register, "row") == [4, 5]
    assert "2 row(s) above the headings were left out as titles." in register.notes


def test_merged_cells_are_filled_downwards(tmp_path: Path) -> None:
    rows = [(None, None, None, room) for room in (301, 302, 401)]
    register = read_register(
        book(
            tmp_path / "a.xlsx",
            ("小区", "楼栋", "单元", "房号"),
            *rows,
            merges=["A2:A4=翠湖花园", "B2:B3=3栋", "C2:C3=2单元", "B4:C4=5栋"],
        )
    )
    assert values(register, "compound") == ["翠湖花园"] * 3
    assert values(register, "building") == ["3栋", "3栋", "5栋"]
    assert values(register, "stairwell") == ["2单元", "2单元", None]
    assert "Merged cells were filled downwards in 2 row(s)." in register.notes


def test_a_household_of_several_persons_is_one_row(tmp_path: Path) -> None:
    rows = [(None, None, None, name) for name in ("甲", "乙", "丙")]
    register = read_register(
        book(
            tmp_path / "a.xlsx",
            ("小区", "楼栋", "房号", "姓名"),
            *rows,
            ("翠湖花园", "3栋", "402", "丁"),
            merges=["A2:A4=翠湖花园", "B2:B4=3栋", "C2:C4=302"],
        )
    )
    assert values(register, "room") == ["302", "402"]


def test_headings_of_two_rows_are_read_together(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        (None,) * 4,
        (None, "小区", "楼栋", "单元"),
        (1, "翠湖花园", "3栋", "2单元"),
        merges=["A1:A2=序号", "B1:D1=住址"],
    )
    register = read_register(path)
    assert register.heading_row == 2
    assert values(register, "building") == ["3栋"]


def test_headings_merged_over_two_rows_end_with_the_second(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx", (), (), ("翠湖花园", "3栋"), merges=["A1:A2=小区", "B1:B2=楼栋"]
    )
    register = read_register(path)
    assert register.heading_row == 2
    assert values(register, "row") == [3]


def test_blank_rows_sums_remarks_and_repeated_headings_are_left_out(tmp_path: Path) -> None:
    rows = (
        ROWS[0],
        (None, None, "   "),
        ("小计", None, None, None, 1),
        HEADINGS,
        ROWS[1],
        ("合 计", "2户"),
        (None, None, None, None, None, PERSON),
        ("制表人：示例",),
        ("备注：空置房不登记",),
    )
    register = read_register(book(tmp_path / "a.xlsx", HEADINGS, *rows))
    assert values(register, "row") == [2, 6]
    assert set(register.notes[1:]) == {
        "1 row(s) left out: blank (row 3).",
        "2 row(s) left out: a sum (row 4, 7).",
        "1 row(s) left out: headings again (row 5).",
        "1 row(s) left out: nothing in the columns of the address (row 8).",
        "2 row(s) left out: a remark (row 9, 10).",
    }


def test_a_formula_gives_its_stored_result(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", ("楼栋", "房号"), ('="3"&"栋"@3栋', "=300+2@302"))
    register = read_register(path)
    assert values(register, "building") == ["3栋"]
    assert values(register, "room") == ["302"]


def test_a_date_a_truth_and_a_rounded_number_are_rejected_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rows = (
        ("翠湖花园", True, "302", ""),
        ("翠湖花园", "3", "302", 44060501199900300201),
        ("翠湖花园", "3", "302", "44060501199900300201"),
    )
    register = read_register(book(path, ("小区", "楼栋", "房号", "网格编码"), *rows))
    assert values(register, "row") == [4]
    assert values(register, "code") == ["44060501199900300201"]
    assert "TRUE or FALSE" in reasons(register)[2]
    assert "over 15 digits" in reasons(register)[3]
    assert "'网格编码'" in reasons(register)[3]


def test_counts_are_numbers_or_rejected(tmp_path: Path) -> None:
    rows = (
        ("3栋", "1单元", None, 24),
        ("3栋", "2单元", None, "１２户"),
        ("3栋", "3单元", None, None),
        ("3栋", "4单元", None, -3),
        ("3栋", "5单元", None, PERSON),
        ("3栋", "6单元", "302", None),
        ("3栋", "6单元", "402", 0),
    )
    register = read_register(book(tmp_path / "a.xlsx", ("楼栋", "单元", "房号", "户数"), *rows))
    assert values(register, "row") == [2, 3, 7, 8]
    assert values(register, "household_count") == [24, 12, 1, 0]
    assert set(reasons(register)) == {4, 5, 6}
    assert reasons(register)[6] == "Column '户数' holds no whole number from 0 up."
    assert "1 row(s) with a room and no count are one household each." in register.notes


def test_a_count_merged_over_rows_of_one_stairwell_is_counted_once(tmp_path: Path) -> None:
    rows = (("3栋", "1单元", "301"), ("3栋", "1单元", "302"), ("3栋", "1单元", "303"))
    register = read_register(
        book(tmp_path / "a.xlsx", ("楼栋", "单元", "房号", "户数"), *rows, merges=["D2:D4=3"])
    )
    assert values(register, "household_count") == [3, 0, 0]


def test_a_count_merged_over_stairwells_is_rejected(tmp_path: Path) -> None:
    rows = (("3栋", "1单元"), ("3栋", "2单元"), ("5栋", "1单元", 12))
    register = read_register(
        book(tmp_path / "a.xlsx", ("楼栋", "单元", "户数"), *rows, merges=["C2:C3=40"])
    )
    assert values(register, "row") == [4]
    assert "not one stairwell" in reasons(register)[2]


# ---- sheets


def test_the_sheet_whose_headings_fit_best_is_read(tmp_path: Path) -> None:
    path = write_book(
        tmp_path / "a.xlsx",
        {
            "说明": [("怎么填",)],
            "楼栋": [("楼栋", "层数"), ("3栋", 8)],
            "住户": [HEADINGS, *ROWS],
            "旧": [HEADINGS],
        },
        hidden=["旧"],
    )
    register = read_register(path)
    assert register.sheet == "住户"
    assert set(register.notes) == {
        "Hidden sheet '旧' was not looked at.",
        "Headings: row 1 of sheet '住户'.",
        "Sheet '说明' was not read; it has no such headings.",
        "Sheet '楼栋' was not read; it looks like a register too: name it to read it.",
    }


def test_a_sheet_is_read_by_its_name(tmp_path: Path) -> None:
    path = write_book(
        tmp_path / "a.xlsx", {"住户": [HEADINGS, *ROWS], "一": [("楼栋",), ("9栋",)]}, hidden=["一"]
    )
    register = read_register(path, sheet="一")
    assert values(register, "building") == ["9栋"]


# ---- columns


def test_a_given_mapping_is_kept_to(tmp_path: Path) -> None:
    mapping = ColumnMapping("households", {"compound": "院子", "building": "哪一栋"})
    path = book(tmp_path / "a.xlsx", ("登记表",), ("哪一栋", "院子", "楼栋"), ("3", "翠湖", "9"))
    register = read_register(path, columns=mapping)
    assert register.heading_row == 2
    assert values(register, "building") == ["3"]
    assert values(register, "compound") == ["翠湖"]


def test_a_mapping_for_another_file_is_refused(tmp_path: Path) -> None:
    mapping = ColumnMapping("households", {"building": "幢别号"})
    with pytest.raises(AbsentColumnError, match="幢别号"):
        read_register(book(tmp_path / "a.xlsx", HEADINGS, *ROWS), columns=mapping)


def test_two_columns_for_one_field_are_for_a_person_to_decide(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", ("楼栋", "单元", "地址", "地址"), ("3", "2", "甲", "乙"))
    with pytest.raises(AmbiguousColumnsError, match=r"地址 \(C\).*地址 \(D\)"):
        read_register(path)
    mapping = ColumnMapping("households", {"building": "楼栋", "address": "地址 (D)"})
    assert values(read_register(path, columns=mapping), "address") == ["乙"]


def test_a_file_without_headings_is_refused_without_its_words(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", *[(PERSON, PHONE)] * 30)
    with pytest.raises(NoHeadingsError, match="住户") as refused:
        read_register(path)
    assert PERSON not in str(refused.value)


def test_headings_alone_are_a_register_of_no_household(tmp_path: Path) -> None:
    register = read_register(book(tmp_path / "a.xlsx", HEADINGS))
    assert register.records.empty
    assert list(register.records.columns) == FIELDS
    assert register.records["row"].dtype == "int64"


# ---- CSV

TEXT = "登记表\r\n小区,楼栋,单元,房号,姓名\r\n翠湖花园,3栋,2单元,0302,示例某\r\n合计,1,,,\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_the_encodings_of_offices(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.replace(",", delimiter).encode(encoding))
    register = read_register(path)
    assert values(register, "compound") == ["翠湖花园"]
    assert values(register, "room") == ["0302"]
    assert values(register, "row") == [3]
    assert register.heading_row == 2

"""Templates are what offices can fill in, and what our readers read back."""

import datetime
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from geodata.categories import load_categories
from geodata.errors import InvalidParameterError, UnwritableFileError
from geodata.register import read_register
from geodata.templates import KINDS, LIST_SHEET, NOTES_SHEET, write_template


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def written(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / f"{kind}.xlsx"
    write_template(kind, path)
    return path


def sheet_rows(path: Path, sheet: int | str = 0) -> list[list[object]]:
    with CalamineWorkbook.from_path(path) as book:
        name = book.sheet_names[sheet] if isinstance(sheet, int) else sheet
        return [[*row] for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]


def sheet_xml(path: Path, number: int = 1) -> str:
    with ZipFile(path) as packed:
        return packed.read(f"xl/worksheets/sheet{number}.xml").decode()


def test_the_register_reader_gets_exactly_the_example_row(tmp_path: Path) -> None:
    register = read_register(written(tmp_path, "households"))
    assert register.rejects.empty
    assert register.records.astype("object").where(register.records.notna(), None).to_dict(
        "records"
    ) == [
        {
            "row": 2,
            "address": None,
            "compound": "示例花园",
            "building": "3栋",
            "stairwell": "2单元",
            "room": "0302",
            "household_count": 1,
            "code": "44060501199900300201",
        }
    ]
    assert tuple(register.mapping.columns.values()) == (
        *("小区", "楼栋", "单元", "房号", "户数", "网格编码"),
    )


def test_a_template_has_headings_one_example_and_notes(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    rows = sheet_rows(path)
    assert len(rows) == 2
    assert len(set(rows[0])) == len(rows[0]) >= 6
    assert all(cell != "" for cell in rows[1])
    notes = {row[0]: row[1] for row in sheet_rows(path, NOTES_SHEET)}
    for heading in rows[0]:
        assert len(str(notes[f"“{heading}”"])) > 2


def test_members_are_asked_for_what_a_plan_needs(tmp_path: Path) -> None:
    path = written(tmp_path, "members")
    headings, example = sheet_rows(path)
    assert headings == [
        *("姓名", "手机号码", "政治面貌", "家庭住址", "可联系户数", "可负责楼道数"),
        *("可服务时间", "特长", "方言", "所属党支部", "同意日期"),
    ]
    row = dict(zip(headings, example, strict=True))
    assert row["手机号码"] == "13800000000"
    assert row["同意日期"] == datetime.date(2020, 6, 1)
    assert row["可联系户数"] == 15


def test_incidents_offer_the_categories_to_choose_from(tmp_path: Path) -> None:
    path = written(tmp_path, "incidents")
    offered = [row[0] for row in sheet_rows(path, LIST_SHEET)]
    assert offered == [one.name_zh for one in load_categories() if one.parent]
    assert f"{LIST_SHEET}!$A$1:$A${len(offered)}" in sheet_xml(path)
    example = dict(zip(*sheet_rows(path), strict=True))
    assert example["类别"] in offered
    assert str(example["上报时间"]) == "2020-06-01 08:30:00"


TEXTS = (("members", "手机号码"), ("households", "房号"), ("households", "网格编码"))


def test_codes_and_phones_are_text_so_that_excel_keeps_their_zeros(tmp_path: Path) -> None:
    for kind, heading in TEXTS:
        path = tmp_path / f"{kind}.xlsx"
        write_template(kind, path, is_replacing=True)
        number = sheet_rows(path)[0].index(heading) + 1
        columns = re.findall(r'<col min="(\d+)" max="(\d+)"[^>]* style="(\d+)"', sheet_xml(path))
        (style,) = (int(one[2]) for one in columns if int(one[0]) <= number <= int(one[1]))
        with ZipFile(path) as packed:
            styles = packed.read("xl/styles.xml").decode()
        formats = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
        assert formats[style] == "49"  # @, ECMA-376 part 1, 18.8.30


def test_cells_are_checked_as_they_are_filled_in(tmp_path: Path) -> None:
    members = sheet_xml(written(tmp_path, "members"))
    assert members.count("<dataValidation ") == 4
    assert 'type="list"' in members
    assert 'type="whole"' in members
    assert 'type="date"' in members
    assert sheet_xml(written(tmp_path, "incidents")).count('type="decimal"') == 2


def test_a_template_has_the_same_bytes_every_time(tmp_path: Path, kind: str) -> None:
    again = tmp_path / "again"
    again.mkdir()
    assert written(tmp_path, kind).read_bytes() == written(again, kind).read_bytes()


def test_a_file_is_not_written_over_unasked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"mine")
    with pytest.raises(UnwritableFileError, match=r"a\.xlsx"):
        write_template(kind, path)
    assert path.read_bytes() == b"mine"
    write_template(kind, path, is_replacing=True)
    assert len(sheet_rows(path)) == 2


def test_a_template_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="households, members, incidents"):
        write_template("houses", tmp_path / "a.xlsx")
    with pytest.raises(InvalidParameterError, match=r"ends in \.xlsx"):
        write_template("members", tmp_path / "a.xls")
    with pytest.raises(UnwritableFileError):
        write_template("members", tmp_path / "no folder" / "a.xlsx")

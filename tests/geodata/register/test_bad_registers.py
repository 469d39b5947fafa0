"""What is no register, or would be a burden, is refused with the reason; nothing crashes."""

import random
import struct
import zlib
from pathlib import Path

import pytest

from geodata.errors import GeodataError, UnreadableFileError
from geodata.register import read_register
from geodata.workbooks import DEFAULT_LIMITS, WorkbookLimits
from tests.geodata.register.books import HEADINGS, ROWS, book
from tests.workbooks import SHEET, packed, parts, rows_xml, sheet_xml, workbook

HEAD = rows_xml([("楼栋", "单元", "房号")])


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refused(path: Path, limits: WorkbookLimits = DEFAULT_LIMITS) -> str:
    with pytest.raises(UnreadableFileError) as error:
        read_register(path, limits=limits)
    assert str(path.parent) not in str(error.value)
    return error.value.reason


# ---- what is no workbook


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "picture"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<html><table><tr><td>x</td></tr></table></html>", "web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old workbook"),
        (b"PK\x03\x04" + b"rubbish" * 9, "no .xlsx workbook"),
        (bytes(range(256)), "neither"),
        (packed({"readme.txt": "no workbook"}), "no .xlsx workbook"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in refused(saved(tmp_path / "a.xlsx", content))


def test_a_heading_that_begins_like_a_bitmap_is_a_heading(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.csv", "BM,楼栋,单元\n1,3,2\n".encode())
    assert read_register(path).records["building"].tolist() == ["3"]


def test_a_file_that_is_not_there_is_said_to_be_absent(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "none.xlsx")


def test_a_sheet_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", HEADINGS, *ROWS)
    with pytest.raises(UnreadableFileError, match="'住户'"):
        read_register(path, sheet="九月")


# ---- what would be a burden


def bomb(declared: int | None = None) -> bytes:
    """Return a workbook whose sheet is 80 MB of blanks, which may claim another size."""
    members = parts(HEAD) | {SHEET: sheet_xml(HEAD + " " * 80_000_000)}
    content = packed(members)
    if declared is None:
        return content
    real = struct.pack("<I", len(members[SHEET].encode()))
    assert content.count(real) == 2
    return content.replace(real, struct.pack("<I", declared))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    assert "unpacks to over 250 times" in refused(saved(tmp_path / "a.xlsx", bomb()))


def test_a_zip_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    assert "damaged" in refused(saved(tmp_path / "a.xlsx", bomb(5_000)))


def test_a_workbook_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", HEADINGS, *ROWS * 300)
    size = path.stat().st_size
    assert "larger than" in refused(path, WorkbookLimits(packed_bytes=size - 1))
    assert "unpacked" in refused(path, WorkbookLimits(unpacked_bytes=10_000))
    assert "beyond row 600" in refused(path, WorkbookLimits(rows=600))
    assert "column 7 and row 601" in refused(path, WorkbookLimits(columns=6))
    assert "column 7 and row 601" in refused(path, WorkbookLimits(cells=4_000))
    assert "unpacked" in refused(path, WorkbookLimits(members=3))


def test_a_csv_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.csv", "楼栋,单元\n3,2\n3,2\n".encode())
    assert "more than 2 rows" in refused(path, WorkbookLimits(rows=2))
    assert "more than 1 columns" in refused(path, WorkbookLimits(columns=1))


@pytest.mark.parametrize("place", ["A1048576", "XFD1", "A99999999999999999999999", "ZZZZZZZZZZZ1"])
def test_a_value_in_a_far_corner_is_refused(tmp_path: Path, place: str) -> None:
    far = f'<row r="2"><c r="{place}"><v>1</v></c></row>'
    reason = refused(saved(tmp_path / "a.xlsx", packed(parts(HEAD + far))))
    assert "beyond row" in reason or "to column" in reason


def test_a_sheet_hidden_in_another_part_is_looked_at_too(tmp_path: Path) -> None:
    members = parts(HEAD)
    far = '<row r="1"><c r="A1048576"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'
    members["xl/styles.xml"] = sheet_xml(far)
    links = "xl/_rels/workbook.xml.rels"
    members[links] = members[links].replace("worksheets/sheet1.xml", "styles.xml")
    assert "beyond row" in refused(saved(tmp_path / "a.xlsx", packed(members)))


def test_cells_that_are_only_formatted_are_no_rows(tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2"><v>3</v></c></row>'
    blank = '<row r="1048576" ht="15"><c r="A1048576" s="1"/><c r="XFD1048576" s="1" /></row>'
    register = read_register(saved(tmp_path / "a.xlsx", packed(parts(HEAD + row + blank))))
    assert register.records["building"].tolist() == ["3"]


# ---- cells


def test_errors_and_formulas_without_a_result_are_rejected(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c r="A2" t="e"><v>#REF!</v></c></row>'
        '<row r="3"><c r="A3"><f>B3&amp;"栋"</f></c></row>'
        '<row r="4"><c r="A4"><f>B4</f><v></v></c></row>'
        '<row r="5"><c r="A5" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        '<row r="6"><c r="A6" t="e"><v>#NEW!</v></c></row>'
        '<row r="7"><c r="A7" t="str"><f>IF(TRUE,"")</f><v></v></c><c r="B7"><v>2</v></c></row>'
        '<row r="8"><c r="A8" t="str"><f>"3"&amp;"栋"</f><v>3栋</v></c></row>'
        '<row r="9"><c r="A9"><v>3</v></c><c r="D9" t="e"><v>#N/A</v></c></row>'
    )
    register = read_register(saved(tmp_path / "a.xlsx", packed(parts(HEAD + rows))))
    assert register.records["row"].tolist() == [7, 8, 9]
    reasons = dict(zip(register.rejects["row"], register.rejects["reason"], strict=True))
    assert "holds the error #REF!" in reasons[2]
    assert "without a stored result" in reasons[3]
    assert "without a stored result" in reasons[4]
    assert "#DIV/0!" in reasons[5]
    assert "#NEW!" in reasons[6]
    assert "Column '楼栋'" in reasons[2]


def test_cells_merged_beyond_the_sheet_or_over_each_other_do_no_harm(tmp_path: Path) -> None:
    merges = "".join(f'<mergeCell ref="A2:XFD{1048576 - at}"/>' for at in range(500))
    row = '<row r="2"><c r="A2"><v>3</v></c><c r="C2"><v>302</v></c></row>'
    row += '<row r="3"><c r="C3"><v>402</v></c></row>'
    members = parts(HEAD + row)
    members[SHEET] = members[SHEET].replace(
        "</sheetData>", f"</sheetData><mergeCells>{merges}</mergeCells>"
    )
    register = read_register(saved(tmp_path / "a.xlsx", packed(members)))
    assert register.records["building"].tolist() == ["3", "3"]


def test_a_workbook_with_a_part_twice_is_refused(tmp_path: Path) -> None:
    members = parts(HEAD) | {SHEET.upper(): sheet_xml(HEAD)}
    assert "damaged" in refused(saved(tmp_path / "a.xlsx", packed(members)))


def test_a_csv_with_an_open_quote_is_refused_by_row(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.csv", '楼栋,单元\n"3,2\n'.encode())
    assert "no CSV in row" in refused(path)


# ---- anything else


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return content with a few bytes changed, lost or doubled."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed))
        what = chance.randrange(4)
        if what == 0:
            changed[at] = chance.randrange(256)
        elif what == 1:
            del changed[at : at + chance.randint(1, 30)]
        elif what == 2:
            changed[at:at] = changed[at : at + chance.randint(1, 30)]
        else:
            changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)


def answered(path: Path) -> bool:
    """Return whether a file was read; a refusal is fine, anything else is not."""
    try:
        read_register(path)
    except GeodataError:
        return False
    return True


@pytest.mark.parametrize("seed", range(3))
def test_a_mutated_file_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (no secret)
    path = tmp_path / "a.xlsx"
    rows = [
        ("小区", "楼栋", "单元", "房号"),
        *[("翠湖花园", 3, "2单元", room) for room in range(9)],
    ]
    members = {name: text.encode() for name, text in parts(rows_xml(rows)).items()}
    text = "\n".join(",".join(map(str, row)) for row in rows).encode("gb18030")
    outcomes = []
    for _ in range(40):
        name = chance.choice([*members])
        inside = packed({**members, name: mutated(members[name], chance)})
        contents = (inside, mutated(workbook(*rows), chance), mutated(text, chance))
        outcomes += [answered(saved(path, content)) for content in contents]
    assert True in outcomes
    assert False in outcomes


def test_a_checksum_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    content = workbook(("楼栋",), ("3",))
    check = struct.pack("<I", zlib.crc32(parts(rows_xml([("楼栋",), ("3",)]))[SHEET].encode()))
    assert content.count(check) == 2
    assert "damaged" in refused(saved(tmp_path / "a.xlsx", content.replace(check, b"\0\1\2\3")))

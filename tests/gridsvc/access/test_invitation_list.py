"""Lists of people to invite: what offices send, and what attackers would."""

import random
import struct
import tracemalloc
import zlib
from collections.abc import Sequence
from uuid import UUID

import pytest

from gridsvc.access.accounts import sheets
from gridsvc.access.accounts.invitation_list import MAX_ROWS, parse
from gridsvc.access.accounts.model import NewAccount
from gridsvc.errors import FaultyListError, UnreadableListError
from tests.workbooks import HEADER, SHEET, packed, parts, rows_xml, sheet_xml, workbook

A, B, C = 440605011001, 440605011002, 440605011003
MEMBER = UUID("0193a5e4-0000-7000-8000-000000000002")
FIRST = ("陈试一", "户联系人", A)
CSV = "姓名,角色,管辖\n陈试一,楼长,440605011001\n"


def read_list(content: bytes) -> list[NewAccount]:
    """Return the people of a list, or refuse all of it as the service does."""
    news, faults = parse(content)
    if faults:
        raise FaultyListError(faults)
    return news


def fault_of(content: bytes) -> str:
    with pytest.raises(UnreadableListError) as refused:
        read_list(content)
    assert "\n" not in str(refused.value)
    return refused.value.fault


def faults_of(content: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(FaultyListError) as refused:
        read_list(content)
    return [(one.row, one.column, one.fault) for one in refused.value.list_faults]


# ---- what offices send


def test_a_workbook_is_read_with_its_row_numbers() -> None:
    found = read_list(
        workbook(
            ("桂城街道楼长名单",),
            (),
            HEADER,
            ("陈试一", "户联系人", A),
            (None, None, None, None),
            (" 李试四 ", "楼长", f"{A}、{B}", "Li.Shi", str(MEMBER).upper()),
        )
    )
    assert found == [
        NewAccount("陈试一", "contact", (A,), row=4),
        NewAccount("李试四", "contact", (A, B), "li.shi", MEMBER, row=6),
    ]


@pytest.mark.parametrize(
    "header",
    [
        ("姓名", "角色", "管辖"),
        ("Name", "ROLE", "Territory"),
        ("姓名 name", "角色(role)", "管辖 / territory *"),
        ("姓名＊", "角色（role）", "管辖范围"),
        (" 姓 名 ", "角色\n", "territories"),
    ],
)
def test_headers_are_chinese_english_or_both(header: Sequence[str]) -> None:
    assert read_list(workbook(header, FIRST)) == [NewAccount("陈试一", "contact", (A,), row=2)]


def test_columns_stand_in_any_order_and_unknown_ones_are_left_out() -> None:
    found = read_list(
        workbook(
            ("序号", "管辖", "备注", "登录名", "姓名", "角色"),
            (1, A, "值班", "li.shi", "李试四", "规划员"),
        )
    )
    assert found == [NewAccount("李试四", "planner", (A,), "li.shi", row=2)]


@pytest.mark.parametrize(
    ("word", "role"),
    [
        *(("户联系人", "contact"), ("楼长", "contact"), ("contact", "contact")),
        *(("巡查队", "patrol"), ("Patrol", "patrol"), ("规划", "planner"), ("planner", "planner")),
        *(("社区网格管理员", "coordinator"), ("网格管理员", "coordinator")),
        *(("街道管理员", "administrator"), (" administrator ", "administrator")),
    ],
)
def test_roles_are_words_or_codes(word: str, role: str) -> None:
    assert read_list(workbook(HEADER, ("陈", word, A)))[0].role == role


@pytest.mark.parametrize(
    "codes",
    [
        *(f"{A}、{B}", f"{A},{B}", f"{A}，{B}", f"{A}; {B}", f"{A}；{B}", f" {A}  {B} "),
        *(f"{A}\n{B}", f"{A}、{B}、{A}", "４４０６０５０１１００１ 440605011002"),
    ],
)
def test_several_territories_stand_in_one_cell(codes: str) -> None:
    assert read_list(workbook(HEADER, ("陈", "contact", codes)))[0].territory_codes == (A, B)


def test_a_formula_is_its_last_value_and_its_words_are_not_run() -> None:
    cells = (
        '<row r="2"><c r="A2" t="str"><f>HYPERLINK("http://x")</f><v>陈试一</v></c>'
        '<c r="B2" t="inlineStr"><is><t>contact</t></is></c>'
        f'<c r="C2"><f>440605011000+1</f><v>{A}</v></c></row>'
    )
    found = read_list(packed(parts(rows_xml([HEADER]) + cells)))
    assert found == [NewAccount("陈试一", "contact", (A,), row=2)]


def test_a_name_that_looks_like_a_formula_stays_text() -> None:
    assert read_list(workbook(HEADER, ("=1+1", "contact", A)))[0].name == "=1+1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_csv_is_read_in_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    assert read_list(CSV.encode(encoding)) == [NewAccount("陈试一", "contact", (A,), row=2)]
    tabs = CSV.replace(",", "\t").replace("\n", "\r\n").encode(encoding)
    assert read_list(tabs) == read_list(CSV.encode(encoding))


def test_csv_cells_are_quoted_and_blank_lines_count_as_rows() -> None:
    text = f'姓名,角色,管辖\n\n"陈, 试一",contact,"{A},{B}"\n,,\n'
    assert read_list(text.encode()) == [NewAccount("陈, 试一", "contact", (A, B), row=3)]


def test_the_largest_list_is_read_and_one_more_row_is_not() -> None:
    line = f"陈试一,contact,{A}\n"
    assert len(read_list(("姓名,角色,管辖\n" + line * MAX_ROWS).encode())) == MAX_ROWS == 20_000
    assert fault_of(("姓名,角色,管辖\n" + line * (MAX_ROWS + 1)).encode()) == "too-many-rows"
    assert fault_of(("姓名,角色,管辖\n" + line * 30_000).encode()) == "too-many-rows"


# ---- faults, row by row


def test_every_fault_of_every_row_is_named_and_what_stands_there_is_not() -> None:
    content = workbook(
        HEADER,
        FIRST,
        (None, "村长", 44060501, "陈试一", "no-uuid"),
        ("李试四", None, None),
        ("王试五", "contact", f"{A} {B} {C} {C + 1} {C + 2}"),
        ("赵试六", "contact", "4.40605E+11"),
        ("钱试七", "contact", 440605000000),
        ("孙" * 101, "contact", A),
    )
    assert faults_of(content) == [
        (3, "name", "missing"),
        (3, "role", "unknown-role"),
        (3, "territory", "no-territory-code"),
        (3, "login", "login-form"),
        (3, "member id", "member-id-form"),
        (4, "role", "missing"),
        (4, "territory", "missing"),
        (5, "territory", "too-many"),
        (6, "territory", "no-territory-code"),
        (7, "territory", "no-territory-code"),
        (8, "name", "too-long"),
    ]
    with pytest.raises(FaultyListError) as refused:
        read_list(content)
    told = f"{refused.value} {refused.value.faults}"
    assert not [
        word for word in ("陈试一", "村长", "王试五", "44060501", "no-uuid") if word in told
    ]
    assert refused.value.faults[1]["where"] == ["row 3", "role"]
    assert str(refused.value).startswith("Faults in the list: 11, so nobody is invited.")


# ---- no lists


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "no-header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "damaged"),
        (b"%PDF-1.7\n% no list", "no-header"),
        (b"<html><table><tr><td>\xe5\xa7\x93\xe5\x90\x8d</td></tr></table></html>", "no-header"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old-workbook"),
        (b"PK\x03\x04" + b"x" * 100, "damaged"),
        (packed({"word/document.xml": "<w/>"}), "damaged"),
        (packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "damaged"),
        (workbook(), "no-header"),
        (workbook(("姓名", "角色"), ("陈", "contact")), "no-header"),
        (workbook(*[("说明",)] * 20, HEADER, FIRST), "no-header"),
        (workbook(("姓名", "角色", "管辖", "name"), FIRST), "column-twice"),
        (workbook(HEADER), "no-rows"),
        (workbook(HEADER, (None, " ", "")), "no-rows"),
        (CSV.encode() + b'"open quote', "damaged"),
        (CSV.encode() + b"\x00,\x00", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
    ],
)
def test_what_is_no_list_is_refused_by_its_content(content: bytes, fault: str) -> None:
    assert fault_of(content) == fault


def test_a_file_of_more_than_five_megabytes_is_not_looked_at() -> None:
    assert fault_of(workbook(HEADER, FIRST) + bytes(5_000_000)) == "too-large"


def test_an_archive_that_declares_more_than_any_list_is_not_unpacked() -> None:
    bomb = packed(parts(rows_xml([HEADER, FIRST])) | {"xl/media/x": b"0" * 40_000_000})
    assert len(bomb) < 100_000
    assert fault_of(bomb) == "too-large"
    many = packed(parts("") | {f"xl/{number}": "" for number in range(600)})
    assert fault_of(many) == "too-large"


def lying(name: str, body: bytes, told: int, *, is_forged: bool) -> bytes:
    """Return a workbook whose part unpacks to more than the archive says of it.

    Forged, the checksum is that of the part's beginning, so that a reader who stops there is
    content.
    """
    content = bytearray(packed(parts("") | {name: body}))
    real, crc = struct.pack("<I", len(body)), struct.pack("<I", zlib.crc32(body))
    assert content.count(real) >= 2
    content = content.replace(real, struct.pack("<I", told))
    if is_forged:
        content = content.replace(crc, struct.pack("<I", zlib.crc32(body[:told])))
    return bytes(content)


@pytest.mark.parametrize("is_forged", [False, True])
def test_no_more_is_unpacked_than_an_archive_declares(*, is_forged: bool) -> None:
    body = sheet_xml(rows_xml([HEADER, FIRST])).encode() + b" " * 60_000_000
    content = lying(SHEET, body, 2_000, is_forged=is_forged)
    assert len(content) < 100_000
    tracemalloc.start()
    try:
        if is_forged:
            # What is left is a whole list: the blanks behind it were never unpacked.
            assert len(read_list(content)) == 1
        else:
            assert fault_of(content) == "damaged"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ('<row r="1048576"><c r="A1048576"><v>1</v></c></row>', "too-many-rows"),
        ('<row r="2"><c r="XFD2"><v>1</v></c></row>', "too-many-columns"),
        ('<row r="2"><c t="n"r="A1048576"><v>1</v></c></row>', "too-many-rows"),
        ("<row r='2'><c r = 'XFD1048576'><v>1</v></c></row>", "too-many-rows"),
        ('<row r="2"><c r="A99999999999999999999"><v>1</v></c></row>', "too-many-rows"),
        ('<row r="2"><c r="ZZZZZZZZZZZZZZZ2"><v>1</v></c></row>', "too-many-columns"),
        ('<x:row r="2"><x:c r="XFD2"><x:v>1</x:v></x:c></x:row>', "too-many-columns"),
        # Cells that do not say where they are, counted on from one that does.
        ('<row r="2"><c><v>1</v></c></row>', "damaged"),
        ("<row><c r='A2'><v>1</v></c></row>", "damaged"),
        ('<row r="2"><c x=">" r="A2"><v>1</v></c></row>', "damaged"),
        ('<row r="2"><c r="A&#50;"><v>1</v></c></row>', "damaged"),
        ('<row r="2"><c r="A2" t="s"><v>99</v></c></row>', "damaged"),
        ('<row r="2"><c r="A2"><v>1</v>', "damaged"),
    ],
)
def test_two_cells_far_apart_do_not_end_the_process(cells: str, fault: str) -> None:
    content = packed(parts(rows_xml([HEADER]) + cells))
    assert fault_of(content) == fault


def test_a_sheet_that_is_not_looked_at_is_not_read() -> None:
    far = sheet_xml(
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )
    elsewhere = parts("") | {"xl/elsewhere.xml": far}
    elsewhere["xl/_rels/workbook.xml.rels"] = elsewhere["xl/_rels/workbook.xml.rels"].replace(
        "worksheets/sheet1.xml", "elsewhere.xml"
    )
    assert fault_of(packed(elsewhere)) == "damaged"
    styles = parts("") | {"xl/styles.xml": far}
    styles["xl/_rels/workbook.xml.rels"] = styles["xl/_rels/workbook.xml.rels"].replace(
        "worksheets/sheet1.xml", "styles.xml"
    )
    assert fault_of(packed(styles)) == "too-many-rows"
    wide = parts("") | {SHEET: far.encode("utf-16")}
    assert fault_of(packed(wide)) == "damaged"
    upper = parts(rows_xml([HEADER, FIRST])) | {SHEET.upper(): far}
    assert fault_of(packed(upper)) in {"damaged", "too-many-rows"}


def test_whatever_bytes_are_changed_the_answer_is_a_list_or_a_sentence() -> None:
    sound = workbook(HEADER, FIRST, ("李试四", "楼长", f"{A}、{B}", "li.shi", str(MEMBER)))
    chance = random.Random(20)  # noqa: S311  (no secret)
    answers = set()
    for _ in range(400):
        content = bytearray(sound)
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)) :]
        try:
            read_list(bytes(content))
            answers.add("list")
        except (UnreadableListError, FaultyListError) as error:
            answers.add(error.code)
    assert "unreadable-list" in answers


def test_the_limits_are_those_that_the_documents_tell() -> None:
    assert (sheets.MAX_BYTES, sheets.MAX_COLUMNS) == (5_000_000, 100)
    assert sheets.MAX_SHEET_ROWS > MAX_ROWS

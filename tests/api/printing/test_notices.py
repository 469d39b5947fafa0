"""The stairwell notice: what stands on it, on which paper, in which language."""

from dataclasses import replace

import pytest

from api.printing.document import Paper
from api.printing.model import NoticeContact
from api.printing.notices import draw_notices, render_notices
from geodata.categories import load_categories
from gridsvc.errors import NothingToPrintError
from maps.words import Language
from tests.api.printing.reading import (
    ISSUED_ON,
    LEAD,
    bookmarks,
    closed,
    codes,
    fonts,
    notice,
    printed,
    words,
)

CHIEF = NoticeContact("王楼长", "136****0000", "building_chief")
HELPER = NoticeContact("欧阳试二", "13712345678")
MM = 72 / 25.4


def helpers(count: int) -> tuple[NoticeContact, ...]:
    return tuple(NoticeContact(f"协助{number}", f"139****{number:04d}") for number in range(count))


# ---- what stands on it


def test_a_notice_names_the_place_the_people_and_the_day() -> None:
    said = words(printed(notice(contacts=(LEAD, HELPER, CHIEF))))
    for wanted in (
        *("楼道公示牌", "Stairwellnotice", "桂城街道·翠颐社区", "试验花园", "1栋2单元"),
        *("网格码44060501101600300102", "主联系人陈试一138****1234"),
        *("楼长王楼长136****0000", "协助联系人欧阳试二13712345678", "社区电话0757-81234567"),
        *("https://grid.example.org/g/44060501101600300102", "签发日期2026年11月23日"),
        *("报警110", "火警119", "急救120"),
    ):
        assert wanted in said, wanted


def test_the_code_is_in_the_parts_that_it_is_made_of() -> None:
    text = printed(notice()).pages[0].extract_text()
    assert "440605 011 016 003 001 02" in text


def test_it_lists_every_class_of_the_catalogue() -> None:
    said = {"zh": words(printed(notice())), "en": words(printed(notice(), language="en"))}
    for category in load_categories():
        if category.parent is None:
            assert closed(category.name_zh) in said["zh"]
            assert closed(category.name_en) in said["en"]


def test_membership_of_the_party_is_said_only_of_those_for_whom_the_caller_says_it() -> None:
    assert "党员" not in words(printed(notice(contacts=(LEAD, HELPER))))
    said = words(printed(notice(contacts=(replace(LEAD, is_party_member=True), HELPER))))
    assert said.count("党员") == 1
    assert "主联系人党员陈试一" in said


def test_without_a_lead_it_says_whom_to_turn_to() -> None:
    said = words(printed(notice(contacts=(HELPER,))))
    assert "联系人待定有事请先联系翠颐社区，电话0757-81234567。" in said
    assert "协助联系人欧阳试二" in said
    without_phone = words(printed(notice(contacts=(), office_phone=None)))
    assert "联系人待定有事请先联系翠颐社区，我们会尽快" in without_phone
    assert "社区电话" not in without_phone
    english = words(printed(notice(contacts=()), language="en"))
    assert closed("Contact to be named") in english


@pytest.mark.parametrize("phone", [None, "", "  "])
def test_a_contact_without_a_phone_is_reached_through_the_community(phone: str | None) -> None:
    said = words(printed(notice(contacts=(replace(LEAD, phone=phone),))))
    assert "陈试一请社区转达" in said


def test_the_chief_and_four_helpers_have_room_and_more_are_counted() -> None:
    said = words(printed(notice(contacts=(LEAD, *helpers(4), CHIEF))))
    assert [f"协助{number}" in said for number in range(4)] == [True] * 4
    assert "王楼长" in said
    assert "请向社区询问" not in said
    crowded = words(printed(notice(contacts=(LEAD, *helpers(9), CHIEF))))
    assert [f"协助{number}" in crowded for number in range(9)] == [True] * 4 + [False] * 5
    assert "王楼长" in crowded
    assert "另有5位联系人" in crowded


def test_a_second_lead_is_still_somebody_to_call() -> None:
    said = words(printed(notice(contacts=(LEAD, NoticeContact("李样本", "1", "lead")))))
    assert said.index("陈试一") < said.index("李样本")


def test_a_code_that_is_not_a_stairwells_is_refused() -> None:
    for code in (
        "",
        "4406050110160030010",
        "440605011016003001021",
        "4406050110160030010x",
        "４" * 20,
    ):
        with pytest.raises(ValueError, match="not the code of a stairwell"):
            notice(grid_code=code)


# ---- the QR code


@pytest.mark.parametrize("paper", ["A4", "A5"])
@pytest.mark.parametrize("contacts", [(), (LEAD,), (LEAD, *helpers(9), CHIEF)])
def test_a_reader_of_qr_codes_finds_the_address(
    contacts: tuple[NoticeContact, ...], paper: Paper
) -> None:
    one, other = notice(3, contacts=contacts), notice(4, contacts=contacts)
    pictures = draw_notices(
        [one, other], paper=paper, language="zh", issued_on=ISSUED_ON, dots_per_inch=110
    )
    assert [codes(picture) for picture in pictures] == [[one.report_url], [other.report_url]]


# ---- pages


def test_each_notice_is_a_page_with_a_bookmark_in_the_order_given() -> None:
    asked = [notice(number) for number in (3, 1, 2)]
    pdf = printed(*asked)
    assert [words(pdf, page).count("楼道公示牌") for page in range(3)] == [1, 1, 1]
    assert bookmarks(pdf) == [
        ("试验花园 3栋2单元", 0),
        ("试验花园 1栋2单元", 1),
        ("试验花园 2栋2单元", 2),
    ]


@pytest.mark.parametrize(("paper", "width_mm", "height_mm"), [("A4", 210, 297), ("A5", 148, 210)])
def test_the_paper_is_the_one_asked_for(paper: Paper, width_mm: int, height_mm: int) -> None:
    box = printed(notice(), paper=paper).pages[0].mediabox
    assert float(box.width) == pytest.approx(width_mm * MM, abs=0.1)
    assert float(box.height) == pytest.approx(height_mm * MM, abs=0.1)


@pytest.mark.parametrize(
    ("language", "title", "label", "day"),
    [
        ("zh", "楼道公示牌", "主联系人", "2026年11月23日"),
        ("en", "Stairwell notice", "Your household contact", "Issued 23 November 2026"),
    ],
)
def test_a_notice_speaks_the_language_asked_for(
    language: Language, title: str, label: str, day: str
) -> None:
    pdf = printed(notice(), language=language)
    assert pdf.metadata is not None
    assert pdf.metadata.title == title
    assert closed(label) in words(pdf)
    assert closed(day) in words(pdf)


def test_no_notices_are_an_error() -> None:
    with pytest.raises(NothingToPrintError, match="no stairwell"):
        render_notices([], paper="A4", language="zh", issued_on=ISSUED_ON)


def test_the_same_notices_give_the_same_bytes_and_say_the_day_of_issue() -> None:
    def made(*, day: int) -> bytes:
        return render_notices(
            [notice(1), notice(2)],
            paper="A4",
            language="zh",
            issued_on=ISSUED_ON.replace(day=day),
        )

    assert made(day=23) == made(day=23)
    assert made(day=23) != made(day=24)
    metadata = printed(notice()).metadata
    assert metadata is not None
    assert metadata.creation_date is not None
    assert metadata.creation_date.date() == ISSUED_ON


# ---- letters


def test_our_own_fonts_are_in_the_file_and_no_others() -> None:
    for language in ("zh", "en"):
        found = fonts(printed(notice(contacts=(LEAD, HELPER)), language=language))
        names = {str(font["/BaseFont"]).partition("+")[2] for font in found}
        assert names == {"NotoSansSC-Regular", "NotoSansSC-Bold"}
        assert all("/FontFile2" in font["/FontDescriptor"] for font in found)


def test_rare_characters_of_names_are_drawn() -> None:
    drawn, lacking = "㛃玥堃喆𬭎𬱖𫖯镕昇囍", "\U00030000\U00030001"  # the last two: extension G
    pages = draw_notices(
        [notice(contacts=(replace(LEAD, name=letter),)) for letter in drawn + lacking],
        paper="A5",
        language="zh",
        issued_on=ISSUED_ON,
    )
    # A character that the font lacks is an empty box, the same for all of them.
    assert pages[-1] == pages[-2]
    assert len(set(pages)) == len(drawn) + 1
    assert closed(drawn) in words(printed(notice(contacts=(replace(LEAD, name=drawn),))))

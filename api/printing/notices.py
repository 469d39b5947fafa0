"""The stairwell notice (楼道公示牌), one page a stairwell.

Names and phones are on it, so a file is made when it is asked for, sent, and not kept.
"""

from collections.abc import Sequence
from datetime import date

from api.printing.document import Content, Paper, compile_pdf, compile_png
from api.printing.model import Notice, NoticeContact
from api.printing.qr import draw_qr
from api.printing.words import printable, say
from geodata.categories import Category, load_categories
from gridsvc.errors import NothingToPrintError
from maps.words import Language

_OTHER: dict[Language, Language] = {"zh": "en", "en": "zh"}
_FIXED_WORDS = (
    *("grid_code", "lead", "no_lead", "party_member", "what_to_report"),
    *("scan", "emergency", "issued", "purpose"),
)
# As many as fit on a line: English ones are longer.
_EXAMPLES_A_KIND: dict[Language, int] = {"zh": 2, "en": 1}
_OTHERS_SHOWN = 5
_PLACE_LENGTH = 60
_NAME_LENGTH = 40
_PHONE_LENGTH = 40
_ADDRESS_LENGTH = 200
_CODE_PARTS = (6, 9, 12, 15, 18, 20)


def render_notices(
    notices: Sequence[Notice], *, paper: Paper, language: Language, issued_on: date
) -> bytes:
    """Return one PDF with a page and a bookmark for each notice, in the order given.

    Parameters
    ----------
    notices
        At least one. Long and strange words are shrunk, wrapped and cut off until they fit.
    issued_on
        Date on the notices; with it the same notices give the same bytes.

    Raises
    ------
    NothingToPrintError
        There are no notices.
    maps.errors.MissingAssetError
        The fonts are not installed.
    """
    content = _content(notices, paper=paper, language=language, issued_on=issued_on)
    return compile_pdf("notice", content, issued_on=issued_on)


def draw_notices(
    notices: Sequence[Notice],
    *,
    paper: Paper,
    language: Language,
    issued_on: date,
    dots_per_inch: float = 72,
) -> list[bytes]:
    """Return a PNG picture of each notice, for a preview; as `render_notices` otherwise."""
    content = _content(notices, paper=paper, language=language, issued_on=issued_on)
    return compile_png("notice", content, dots_per_inch=dots_per_inch)


def grouped(grid_code: str) -> str:
    """Return a stairwell's code in the parts that it is made of.

    Examples
    --------
    >>> grouped("44060501101600301202")
    '440605 011 016 003 012 02'
    """
    starts = (0, *_CODE_PARTS)
    return " ".join(grid_code[start:end] for start, end in zip(starts, _CODE_PARTS, strict=False))


def _content(
    notices: Sequence[Notice], *, paper: Paper, language: Language, issued_on: date
) -> Content:
    if not notices:
        raise NothingToPrintError
    return {
        "paper": paper,
        "language": language,
        "issued_on": issued_on.isoformat(),
        "title": say("notice_title", language),
        "title_aside": say("notice_title", _OTHER[language]),
        "words": {key: say(key, language) for key in _FIXED_WORDS},
        "kinds": _kinds(language),
        "notices": [_page(notice, language) for notice in notices],
    }


def _kinds(language: Language) -> list[dict[str, str]]:
    """Return what can be reported: the classes of the catalogue, each with its first examples."""
    catalogue = load_categories()

    def name(category: Category) -> str:
        return category.name_zh if language == "zh" else category.name_en

    def examples(code: str) -> list[str]:
        return [name(one) for one in catalogue if one.parent == code][: _EXAMPLES_A_KIND[language]]

    return [
        {"name": name(one), "examples": say("for_example", language).join(examples(one.code))}
        for one in catalogue
        if one.parent is None
    ]


def _page(notice: Notice, language: Language) -> dict[str, object]:
    community, compound, building, stairwell = (
        printable(words, at_most=_PLACE_LENGTH)
        for words in (notice.community, notice.compound, notice.building, notice.stairwell)
    )
    leads = [one for one in notice.contacts if one.post == "lead"]
    rest = [one for one in notice.contacts if one.post == "supporting"]
    chiefs = [one for one in notice.contacts if one.post == "building_chief"]
    # A second lead is one too many, and still somebody to call; the chief is never cut off.
    others = [*chiefs, *leads[1:], *rest]
    more = len(others) - _OTHERS_SHOWN
    return {
        "bookmark": f"{compound} {building}{stairwell}",
        "where": f"{printable(notice.street, at_most=_PLACE_LENGTH)} · {community}",
        "compound": compound,
        "stairwell": f"{building} {stairwell}",
        "grid_code": grouped(notice.grid_code),
        "lead": _contact(leads[0], language) if leads else None,
        "without_lead": _without_lead(notice, community, language),
        "others": [_contact(one, language) for one in others[:_OTHERS_SHOWN]],
        "more": say("more_contacts", language, n=more) if more > 0 else None,
        "office": _office(notice, language),
        "qr": draw_qr(notice.report_url),
        "or_open": say(
            "or_open",
            language,
            address=printable(notice.report_url, at_most=_ADDRESS_LENGTH),
        ),
    }


def _contact(contact: NoticeContact, language: Language) -> dict[str, object]:
    phone = printable(contact.phone or "", at_most=_PHONE_LENGTH)
    return {
        "post": say(contact.post, language),
        "name": printable(contact.name, at_most=_NAME_LENGTH),
        "phone": phone or say("no_phone", language),
        "badge": contact.is_party_member,
    }


def _without_lead(notice: Notice, community: str, language: Language) -> str:
    phone = printable(notice.office_phone or "", at_most=_PHONE_LENGTH)
    if phone:
        return say("no_lead_call", language, community=community, phone=phone)
    return say("no_lead_do", language, community=community)


def _office(notice: Notice, language: Language) -> str:
    phone = printable(notice.office_phone or "", at_most=_PHONE_LENGTH)
    return say("office", language, phone=phone) if phone else ""

"""What a printed file says, read back by other programs than the one that wrote it."""

from datetime import date
from io import BytesIO
from typing import Any

import zxingcpp
from PIL import Image
from pypdf import PdfReader

from api.printing.document import Paper
from api.printing.model import Notice, NoticeContact
from api.printing.notices import render_notices
from maps.words import Language

ISSUED_ON = date(2026, 11, 23)
LEAD = NoticeContact("陈试一", "138****1234", "lead")


def notice(number: int = 1, **changed: object) -> Notice:
    """Return a notice of an invented stairwell."""
    code = f"4406050110160030{number:02d}02"
    facts: dict[str, object] = {
        "grid_code": code,
        "street": "桂城街道",
        "community": "翠颐社区",
        "compound": "试验花园",
        "building": f"{number}栋",
        "stairwell": "2单元",
        "contacts": (LEAD,),
        "report_url": f"https://grid.example.org/g/{code}",
        "office_phone": "0757-8123 4567",
    }
    return Notice(**{**facts, **changed})  # type: ignore[arg-type]


def printed(*notices: Notice, paper: Paper = "A4", language: Language = "zh") -> PdfReader:
    pdf = render_notices(notices, paper=paper, language=language, issued_on=ISSUED_ON)
    return PdfReader(BytesIO(pdf), strict=True)


def closed(text: str) -> str:
    """Return a text without white space: a PDF has places, and readers guess the spaces."""
    return "".join(text.replace("\u200b", "").split())


def words(pdf: PdfReader, page: int = 0) -> str:
    return closed(pdf.pages[page].extract_text())


def fonts(pdf: PdfReader) -> list[dict[str, Any]]:
    """Return the fonts of all pages, those that hold the shapes."""
    pages: list[Any] = [page["/Resources"] for page in pdf.pages]
    return [
        font.get_object()["/DescendantFonts"][0].get_object()
        for resources in pages
        for font in resources["/Font"].values()
    ]


def bookmarks(pdf: PdfReader) -> list[tuple[str, int | None]]:
    """Return the words and the page, from 0, of each bookmark."""
    marks: list[Any] = pdf.outline
    return [(str(mark["/Title"]), pdf.get_destination_page_number(mark)) for mark in marks]


def codes(picture: bytes) -> list[str]:
    """Return what a reader of QR codes finds in a PNG picture."""
    return [code.text for code in zxingcpp.read_barcodes(Image.open(BytesIO(picture)))]

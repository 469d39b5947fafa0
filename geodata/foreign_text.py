"""Tables of text that strangers send: their encoding, and what is none, in words."""

import re

from geodata.workbooks import OLE_START, ZIP_START

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OTHERS = {
    ZIP_START: "a ZIP archive or an Excel workbook",
    OLE_START: "an old Excel workbook",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"%PDF": "a PDF document",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"<html": "a web page, as some systems export tables",
    b"<!doc": "a web page, as some systems export tables",
    b"<?xml": "an XML document",
}
_LOOKED_AT = 512


def other_kind(content: bytes) -> str | None:
    """Return what a file is that is no table of text, by how it begins; None where it may be one.

    Examples
    --------
    >>> other_kind(b"%PDF-1.7"), other_kind(b"name,lon,lat")
    ('a PDF document', None)
    """
    start = content[:_LOOKED_AT].lstrip().lower()
    return next((kind for sign, kind in _OTHERS.items() if start.startswith(sign.lower())), None)


def decoded(content: bytes) -> str | None:
    r"""Return a text in an encoding that offices use; None where it is none.

    That is UTF-16 where its byte order mark stands in front, else UTF-8, with or without its mark,
    else GB18030, which is GBK and GB 2312 too.

    Examples
    --------
    >>> decoded("桂花".encode("gb18030")), decoded(b"\x00\x01")
    ('桂花', None)
    """
    encodings = ("utf-16",) if content.startswith(_UTF16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    return None


def ragged_line(message: str) -> str | None:
    """Say in our words which line the parser of pandas found too long; None where it did not.

    Examples
    --------
    >>> ragged_line("Error tokenizing data. C error: Expected 3 fields in line 2, saw 4")
    'line 2 has 4 fields, the headings are 3: put quotes round texts that hold the delimiter.'
    """
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if found is None:
        return None
    expected, line, saw = found.groups()
    return (
        f"line {line} has {saw} fields, the headings are {expected}: "
        "put quotes round texts that hold the delimiter."
    )

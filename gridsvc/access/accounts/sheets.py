"""The cells of an uploaded list: .xlsx or .csv, told apart by content, and never trusted.

The reader of workbooks keeps a sheet as one dense block: two cells in far corners would ask for
hundreds of gigabytes, and end the process. So a workbook is unpacked within bounds and its cells
are located first; the reader gets a copy of what was looked at, and nothing else.
"""

import csv
import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from python_calamine import CalamineError, CalamineWorkbook

from gridsvc.errors import UnreadableListError

MAX_BYTES = 5_000_000
MAX_UNPACKED_BYTES = 30_000_000
MAX_SHEET_ROWS = 20_100
"""Room for titles above the largest list."""
MAX_COLUMNS = 100
_MAX_MEMBERS = 500
_PIECE_BYTES = 65_536

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# What the standard library raises for one, depending on where it is broken.
_BROKEN_ARCHIVE = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# What the values of a sheet are made of; pictures, themes and links are left behind.
_PARTS = re.compile(
    r"\[content_types\]\.xml|_rels/\.rels|xl/_rels/workbook\.xml\.rels"
    r"|xl/(workbook|sharedstrings|styles)\.xml|xl/worksheets/[^/]+\.xml"
)
_TAG = re.compile(rb"<(?:[^\s<>/]*:)?(?:c|row)(?=[\s/>])([^>]*)")
_REFERENCE = re.compile(rb"(?<![\w:.-])r\s*=\s*[\"']?([A-Za-z]*)([0-9]+)(?![0-9A-Za-z])")

Cell = object
"""Text, number, truth value or date."""


def read_rows(content: bytes) -> list[Sequence[Cell]]:
    """Return the rows of the first sheet, from its first row on; blank cells are ``""``.

    Parameters
    ----------
    content
        An .xlsx workbook, whose formulas are read as their last values, or CSV in UTF-8, UTF-16
        or GB18030, parted by commas or tabs.

    Raises
    ------
    UnreadableListError
        It is neither, is damaged, or is larger than a list can be, packed or unpacked.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableListError("too-large", f"more than {MAX_BYTES // 1_000_000} MB")
    if content.startswith(_OLE):
        raise UnreadableListError("old-workbook", "save it as .xlsx, without a password")
    if content.startswith(_ZIP):
        return _rows_of_workbook(content)
    return _rows_of_text(_decode(content))


def _rows_of_workbook(content: bytes) -> list[Sequence[Cell]]:
    try:
        copy = _copy_of_parts(content)
        with CalamineWorkbook.from_filelike(io.BytesIO(copy)) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            return list(sheet.to_python(skip_empty_area=False))
    except (*_BROKEN_ARCHIVE, CalamineError) as error:
        raise _damaged() from error


def _damaged() -> UnreadableListError:
    return UnreadableListError("damaged", "neither an .xlsx workbook nor CSV, or damaged")


def _copy_of_parts(content: bytes) -> bytes:
    """Return a workbook of the parts that hold values, unpacked and looked at."""
    copied = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as packed, ZipFile(copied, "w", ZIP_STORED) as copy:
        members = packed.infolist()
        if (
            len(members) > _MAX_MEMBERS
            or sum(one.file_size for one in members) > MAX_UNPACKED_BYTES
        ):
            raise UnreadableListError("too-large", "unpacked, it is larger than any list")
        seen: set[str] = set()
        for member in members:
            name = member.filename.lower()
            if not _PARTS.fullmatch(name):
                continue
            if name in seen:
                raise _damaged()
            seen.add(name)
            part = _unpack(packed, member)
            _require_small_sheet(part)
            copy.writestr(member.filename, part)
    return copied.getvalue()


def _unpack(packed: ZipFile, member: ZipInfo) -> bytes:
    """Return a part; no more is unpacked than it declares, and its checksum is checked."""
    if member.flag_bits & 1 or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise _damaged()
    pieces = []
    with packed.open(member) as file:
        # In pieces: one read of all would unpack whatever there is before it is cut off.
        while piece := file.read(_PIECE_BYTES):
            pieces.append(piece)
    return b"".join(pieces)


def _require_small_sheet(part: bytes) -> None:
    """Refuse cells far away, cells that do not say where they are, and text not of ASCII bytes."""
    if b"\x00" in part:
        raise _damaged()
    for letters, digits in _REFERENCE.findall(part):
        if len(digits) > 7 or int(digits) > MAX_SHEET_ROWS:
            raise _too_many_rows()
        if _column(letters) > MAX_COLUMNS:
            raise UnreadableListError("too-many-columns", f"more than {MAX_COLUMNS} columns")
    if not all(_REFERENCE.search(attributes) for attributes in _TAG.findall(part)):
        raise _damaged()


def _too_many_rows() -> UnreadableListError:
    return UnreadableListError(
        "too-many-rows", f"it goes beyond row {MAX_SHEET_ROWS:,}; part it, or delete empty rows"
    )


def _column(letters: bytes) -> int:
    """Return the number of a column from its letters: 1 for A, 27 for AA, 0 for none."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _decode(content: bytes) -> str:
    if content.startswith(_UTF16):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _damaged()


def _rows_of_text(text: str) -> list[Sequence[Cell]]:
    start = text[:4096]
    delimiter = "\t" if start.count("\t") > start.count(",") else ","
    try:
        return list(_records(text, delimiter))
    except csv.Error as error:
        raise _damaged() from error


def _records(text: str, delimiter: str) -> Iterator[Sequence[Cell]]:
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for record in islice(records, MAX_SHEET_ROWS):
        yield record[:MAX_COLUMNS]
    if next(records, None) is not None:
        raise _too_many_rows()

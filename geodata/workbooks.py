"""Workbooks of strangers, opened within bounds.

The reader of workbooks keeps a sheet as one dense block: two cells in far corners would ask for
hundreds of gigabytes, and end the process. So the parts that hold values are unpacked within
bounds and looked at; the reader gets a copy of them, and nothing else. In the copy

- cells without a value are left out: formatting down to the last row is no row;
- an error (#REF!), and a formula that was never calculated, stand as a text that says so
  (:func:`fault_of`), where the reader would give an empty cell.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from python_calamine import CalamineError, CalamineWorkbook

from geodata.errors import UnusableWorkbookError

ZIP_START, OLE_START = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_PIECE_BYTES = 65_536
_SMALL_BYTES = 1_000_000
"""Parts up to this size may be packed as tightly as they like."""

# What the standard library raises for a broken archive, depending on where it is broken.
_BROKEN = (BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
# What the values of a sheet are made of; pictures, themes and links are left behind.
_PARTS = re.compile(
    r"\[content_types\]\.xml|_rels/\.rels|xl/_rels/workbook\.xml\.rels"
    r"|xl/(workbook|sharedstrings|styles)\.xml|xl/worksheets/[^/]+\.xml"
)
_BLANK_CELL = re.compile(rb"<(?:[^\s<>/]*:)?c(?:\s[^<>]*)?/>")
_BLANK_ROW = re.compile(rb"<((?:[^\s<>/]*:)?row)(?:\s[^<>]*)?(?:/>|>\s*</\1>)")
_CELL = re.compile(rb"<((?:[^\s<>/]*:)?)c(\s[^<>]*)>(.*?)</\1c>", re.DOTALL)
_TYPE = re.compile(rb"\st\s*=\s*[\"'](\w*)[\"']")
_VALUE = re.compile(rb"<(?:[^\s<>/]*:)?(?:v|t)(?:\s[^<>]*)?>([^<]+)</")
_FORMULA = re.compile(rb"<(?:[^\s<>/]*:)?f[\s/>]")
_TAG = re.compile(rb"<(?:[^\s<>/]*:)?(?:c|row)(?=[\s/>])([^>]*)")
_REFERENCE = re.compile(rb"(?<![\w:.-])r\s*=\s*[\"']?([A-Za-z]*)([0-9]+)(?![0-9A-Za-z])")

# Signs of private use in front: no cell that people fill in starts like this.
_FAULT = "\ue0f0\ue0f1 "
_NOT_CALCULATED = "formula"


@dataclass(frozen=True)
class WorkbookLimits:
    """What a workbook may have.

    Attributes
    ----------
    packed_bytes, unpacked_bytes
        Size of the file, and of all its parts together as they declare it.
    ratio
        Unpacked to packed size of a part of over a megabyte; sheets of text reach about 30.
    members
        Parts of the archive.
    rows, columns
        Number of the last row and column with a value, of any sheet.
    cells
        Last row times last column: what the reader keeps in memory, some 32 bytes each.
    """

    packed_bytes: int = 50_000_000
    unpacked_bytes: int = 250_000_000
    ratio: int = 250
    members: int = 2_000
    rows: int = 200_100
    columns: int = 200
    cells: int = 8_000_000


DEFAULT_LIMITS = WorkbookLimits()


@contextmanager
def open_workbook(
    content: bytes, *, limits: WorkbookLimits = DEFAULT_LIMITS
) -> Iterator[CalamineWorkbook]:
    """Open an .xlsx workbook that nobody vouches for.

    Parameters
    ----------
    content
        The file.
    limits
        What is refused before anything is opened.

    Raises
    ------
    UnusableWorkbookError
        It is none, is damaged, has a password, or goes beyond the limits; also while the opened
        workbook is read.
    """
    copy = _copy_of_parts(content, limits)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(copy)) as workbook:
            yield workbook
    except CalamineError as error:
        raise _damaged() from error


def fault_of(cell: object) -> str | None:
    """Return what is wrong with a cell that the opened workbook gave, as a sentence, or None."""
    if is_uncalculated(cell):
        return "holds a formula without a stored result: open and save it in Excel, or paste values"
    error = error_in(cell)
    return None if error is None else f"holds the error {error}"


def is_uncalculated(cell: object) -> bool:
    """Tell whether a cell holds a formula without a stored result."""
    return _told_fault(cell) == _NOT_CALCULATED


def error_in(cell: object) -> str | None:
    """Return the error that a cell holds, as #REF!, or None."""
    fault = _told_fault(cell)
    return None if fault == _NOT_CALCULATED else fault


def _told_fault(cell: object) -> str | None:
    if not isinstance(cell, str) or not cell.startswith(_FAULT):
        return None
    return cell.removeprefix(_FAULT)


def _damaged() -> UnusableWorkbookError:
    return UnusableWorkbookError("damaged", "is no .xlsx workbook, or is damaged")


def _copy_of_parts(content: bytes, limits: WorkbookLimits) -> bytes:
    """Return a workbook of the parts that hold values, unpacked and looked at."""
    if len(content) > limits.packed_bytes:
        raise UnusableWorkbookError(
            "too-large", f"is larger than {limits.packed_bytes // 1_000_000} MB"
        )
    if content.startswith(OLE_START):
        raise UnusableWorkbookError(
            "old-workbook", "is an old workbook (.xls) or has a password: save it as plain .xlsx"
        )
    if not content.startswith(ZIP_START):
        raise _damaged()
    copied = io.BytesIO()
    try:
        with ZipFile(io.BytesIO(content)) as packed, ZipFile(copied, "w", ZIP_STORED) as copy:
            _require_small_archive(packed, limits)
            seen: set[str] = set()
            for member in packed.infolist():
                name = member.filename.lower()
                if not _PARTS.fullmatch(name):
                    continue
                if name in seen:
                    raise _damaged()
                seen.add(name)
                part = _unpack(packed, member)
                if name.startswith("xl/worksheets/"):
                    part = _with_faults_told(_BLANK_ROW.sub(b"", _BLANK_CELL.sub(b"", part)))
                # Every part: a workbook may name any of them as its sheet.
                _require_small_sheet(part, limits)
                copy.writestr(member.filename, part)
    except _BROKEN as error:
        raise _damaged() from error
    return copied.getvalue()


def _require_small_archive(packed: ZipFile, limits: WorkbookLimits) -> None:
    """Refuse an archive that would unpack to more than any register has."""
    members = packed.infolist()
    if (
        len(members) > limits.members
        or sum(member.file_size for member in members) > limits.unpacked_bytes
    ):
        raise UnusableWorkbookError("too-large", "is larger, unpacked, than any register is")
    for member in members:
        largest = max(_SMALL_BYTES, member.compress_size * limits.ratio)
        if member.file_size > largest:
            raise UnusableWorkbookError(
                "zip-bomb", f"has a part that unpacks to over {limits.ratio} times its size"
            )


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


def _with_faults_told(part: bytes) -> bytes:
    """Return a sheet in which errors and formulas without a result are texts that say so."""
    if not re.search(rb"\st\s*=\s*[\"']e[\"']", part) and not _FORMULA.search(part):
        return part
    return _CELL.sub(_told, part)


def _told(cell: re.Match[bytes]) -> bytes:
    prefix, attributes, body = cell[1], cell[2], cell[3]
    kind = _TYPE.search(attributes)
    value = _VALUE.search(body)
    if kind and kind[1] == b"e":
        fault = value[1].decode("ascii", "replace") if value else "#VALUE!"
    elif value is None and _FORMULA.search(body) and not _is_empty_text(kind, body):
        fault = _NOT_CALCULATED
    else:
        return cell[0]
    bare = _TYPE.sub(b"", attributes)
    text = f"{_FAULT}{fault[:20]}".encode()
    return b'<%bc%b t="str"><%bv>%b</%bv></%bc>' % (prefix, bare, prefix, text, prefix, prefix)


def _is_empty_text(kind: re.Match[bytes] | None, body: bytes) -> bool:
    """Return whether a formula's stored result is the empty text, as of =IF(A1="","",A1)."""
    return bool(kind and kind[1] == b"str" and re.search(rb"<(?:[^\s<>/]*:)?v[\s/>]", body))


def _require_small_sheet(part: bytes, limits: WorkbookLimits) -> None:
    """Refuse cells far away, cells that do not say where they are, and text not of ASCII bytes."""
    if b"\x00" in part:
        raise _damaged()
    references = set(_REFERENCE.findall(part))
    rows = {digits for _, digits in references}
    columns = {letters for letters, _ in references}
    last_row = max(map(_row_number, rows), default=0)
    last_column = max(map(_column_number, columns), default=0)
    if last_row > limits.rows:
        raise UnusableWorkbookError(
            "too-many-rows", f"has values beyond row {limits.rows:,}: part it, or delete empty rows"
        )
    if last_column > limits.columns or last_row * last_column > limits.cells:
        raise UnusableWorkbookError(
            "too-many-columns",
            f"has values to column {last_column:,} and row {last_row:,}: delete what lies far out",
        )
    if not all(_REFERENCE.search(attributes) for attributes in _TAG.findall(part)):
        raise _damaged()


def _row_number(digits: bytes) -> int:
    """Return the number of a row; of one that no sheet has, however long, one that no sheet has."""
    return int(digits) if len(digits) <= 7 else 10**7


def _column_number(letters: bytes) -> int:
    """Return the number of a column from its letters: 1 for A, 27 for AA, 0 for none."""
    number = 0
    for letter in letters[:8].upper():
        number = number * 26 + letter - ord("A") + 1
    return number

"""The cells of an uploaded list: .xlsx or .csv, told apart by content, and never trusted."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

from geodata.errors import UnusableWorkbookError
from geodata.foreign_text import decoded
from geodata.workbooks import OLE_START, ZIP_START, WorkbookLimits, fault_of, open_workbook
from gridsvc.errors import UnreadableListError

MAX_BYTES = 5_000_000
MAX_UNPACKED_BYTES = 30_000_000
MAX_SHEET_ROWS = 20_100
"""Room for titles above the largest list."""
MAX_COLUMNS = 100
_LIMITS = WorkbookLimits(
    packed_bytes=MAX_BYTES,
    unpacked_bytes=MAX_UNPACKED_BYTES,
    members=500,
    rows=MAX_SHEET_ROWS,
    columns=MAX_COLUMNS,
)
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
    if content.startswith(OLE_START):
        raise UnreadableListError("old-workbook", "save it as .xlsx, without a password")
    if content.startswith(ZIP_START):
        return _rows_of_workbook(content)
    text = decoded(content)
    if text is None:
        raise _damaged()
    return _rows_of_text(text)


def _rows_of_workbook(content: bytes) -> list[Sequence[Cell]]:
    try:
        with open_workbook(content, limits=_LIMITS) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            rows: list[Sequence[Cell]] = [*sheet.to_python(skip_empty_area=False)]
    except UnusableWorkbookError as error:
        raise UnreadableListError(error.fault, f"it {error.reason}") from error
    # Errors and formulas without a result are blank cells of a list.
    return [["" if fault_of(cell) else cell for cell in row] for row in rows]


def _damaged() -> UnreadableListError:
    return UnreadableListError("damaged", "neither an .xlsx workbook nor CSV, or damaged")


def _too_many_rows() -> UnreadableListError:
    return UnreadableListError(
        "too-many-rows", f"it goes beyond row {MAX_SHEET_ROWS:,}; part it, or delete empty rows"
    )


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

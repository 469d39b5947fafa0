"""The sheets of a register: an Excel workbook, or CSV in the encodings that offices use."""

import csv
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from python_calamine import SheetTypeEnum, SheetVisibleEnum

from geodata.errors import UnreadableFileError, UnusableWorkbookError
from geodata.foreign_text import decoded, other_kind
from geodata.workbooks import OLE_START, ZIP_START, WorkbookLimits, open_workbook

Cell = object
"""Text, number, truth value, date, time; "" for a blank cell."""

Merge = tuple[tuple[int, int], tuple[int, int]]
"""First and last (row, column), counted from 0."""

_MOST_MERGES = 200_000


@dataclass(frozen=True)
class Sheet:
    """A sheet with its blank cells; row 0 is the first of the file.

    Attributes
    ----------
    name
        As the workbook calls it; the name of the file for CSV.
    rows
        Cells, row by row; all rows of a workbook are equally long.
    merges
        Merged cells, whose value stands in the first.
    """

    name: str
    rows: list[list[Cell]]
    merges: tuple[Merge, ...] = ()


def read_sheets(
    path: Path, *, name: str | None = None, limits: WorkbookLimits
) -> tuple[list[Sheet], list[str]]:
    """Read the sheets of a file.

    Parameters
    ----------
    path
        .xlsx, or CSV in UTF-8, UTF-16 or GB18030, parted by commas, tabs or semicolons; told apart
        by content.
    name
        Only the sheet of this name, which may be hidden; None: all that are shown.
    limits
        What is refused.

    Returns
    -------
    tuple
        The sheets in the file's order, and notes on what was left out.

    Raises
    ------
    UnreadableFileError
        It is absent, of another kind, damaged, too large, or has no such sheet.
    """
    try:
        size = path.stat().st_size
        if size > limits.packed_bytes:
            megabytes = limits.packed_bytes // 1_000_000
            raise UnreadableFileError(path, f"is larger than {megabytes} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read ({error.strerror}).") from error
    if content.startswith((ZIP_START, OLE_START)):
        return _sheets_of_workbook(path, content, name, limits)
    return [_sheet_of_text(path, content, limits)], []


def _sheets_of_workbook(
    path: Path, content: bytes, name: str | None, limits: WorkbookLimits
) -> tuple[list[Sheet], list[str]]:
    try:
        with open_workbook(content, limits=limits) as workbook:
            tables = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
            names = [one.name for one in tables if one.visible == SheetVisibleEnum.Visible]
            hidden = [one.name for one in tables if one.name not in names]
            if name is not None and name not in (*names, *hidden):
                known = ", ".join(map(repr, (*names, *hidden)))
                raise UnreadableFileError(path, f"has no sheet {name!r}; there are {known}.")
            chosen = names if name is None else [name]
            notes = [
                f"Hidden sheet {one!r} was not looked at." for one in hidden if one not in chosen
            ]
            sheets = []
            for one in chosen:
                sheet = workbook.get_sheet_by_name(one)
                rows: list[list[Cell]] = [[*row] for row in sheet.to_python(skip_empty_area=False)]
                sheets.append(Sheet(one, rows, _merges(path, sheet.merged_cell_ranges or [])))
    except UnusableWorkbookError as error:
        raise UnreadableFileError(path, f"{error.reason}.") from error
    if not sheets:
        raise UnreadableFileError(path, "has no sheet that is shown.")
    return sheets, notes


def _merges(path: Path, merges: list[Merge]) -> tuple[Merge, ...]:
    if len(merges) > _MOST_MERGES:
        raise UnreadableFileError(path, f"has more than {_MOST_MERGES:,} merged cells.")
    return tuple(merges)


def _sheet_of_text(path: Path, content: bytes, limits: WorkbookLimits) -> Sheet:
    text = _decoded(path, content)
    start = text[:4096]
    delimiter = max(",\t;", key=start.count)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows: list[list[Cell]] = [[*record] for record in islice(records, limits.rows + 1)]
    except csv.Error as error:
        reason = f"is no CSV in row {records.line_num:,} ({error})."
        raise UnreadableFileError(path, reason) from error
    if len(rows) > limits.rows:
        raise UnreadableFileError(path, f"has more than {limits.rows:,} rows: part it.")
    widest = max(map(len, rows), default=0)
    if widest > limits.columns:
        raise UnreadableFileError(path, f"has more than {limits.columns} columns.")
    return Sheet(path.name, [row + [""] * (widest - len(row)) for row in rows])


def _decoded(path: Path, content: bytes) -> str:
    if not content.strip():
        raise UnreadableFileError(path, "is empty.")
    kind = other_kind(content)
    if kind is not None:
        raise UnreadableFileError(path, f"is {kind}: a register is an .xlsx workbook or CSV.")
    text = decoded(content)
    if text is None:
        raise UnreadableFileError(
            path, "is neither an .xlsx workbook nor CSV in UTF-8, UTF-16 or GB18030."
        )
    return text

"""Where the headings of a register are, and what they mean."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from geodata.columns import ColumnMapping, guess_columns, normalised_name
from geodata.errors import (
    AbsentColumnError,
    AmbiguousColumnsError,
    NoHeadingsError,
    UnmatchedFieldError,
)
from geodata.register.cells import text_of
from geodata.register.sheets import Sheet

_MOST_MERGES = 1_000
WITHIN_ROWS = 20
"""Headings are looked for among so many rows; above them stand titles."""


@dataclass(frozen=True)
class Headings:
    """The row of headings of a sheet.

    Attributes
    ----------
    sheet
        The sheet.
    row
        Its place, counted from 0.
    columns
        Place of each of our fields, counted from 0.
    mapping
        Our fields and the headings, a heading that stands twice with its column.
    """

    sheet: Sheet
    row: int
    columns: dict[str, int]
    mapping: ColumnMapping


def find_headings(
    path: Path,
    sheets: Sequence[Sheet],
    *,
    mapping: ColumnMapping | None,
    layer: str = "households",
) -> tuple[Headings, list[str]]:
    """Find the row of headings that fits best.

    Parameters
    ----------
    path
        Of the file, for the sentences of errors.
    sheets
        Of one file.
    mapping
        What a person said about the columns; None: guessed.
    layer
        households or members: whose fields are looked for.

    Returns
    -------
    tuple
        The headings, and notes on what was found and what was passed over.

    Raises
    ------
    NoHeadingsError
        There are none.
    AmbiguousColumnsError
        In the best row two columns could be one field.
    AbsentColumnError
        No row has the columns of the given mapping.
    """
    found = [best for sheet in sheets if (best := _best_of(sheet, mapping, layer)) is not None]
    if not found and mapping is not None:
        raise AbsentColumnError(tuple(mapping.columns.values()), ())
    if not found:
        raise NoHeadingsError(path, tuple(sheet.name for sheet in sheets), WITHIN_ROWS)
    best = max(found, key=lambda one: _fit(one))
    if isinstance(best, _Doubt):
        raise best.error
    notes = [f"Headings: row {best.row + 1} of sheet {best.sheet.name!r}."]
    if best.row:
        notes.append(f"{best.row} row(s) above the headings were left out as titles.")
    for sheet in sheets:
        if sheet is best.sheet:
            continue
        fits = any(one.sheet is sheet for one in found)
        why = "looks like a register too: name it to read it" if fits else "has no such headings"
        notes.append(f"Sheet {sheet.name!r} was not read; it {why}.")
    return best, notes


@dataclass(frozen=True)
class _Doubt:
    """A row of headings that could be read in two ways."""

    sheet: Sheet
    row: int
    error: AmbiguousColumnsError


def _fit(one: "Headings | _Doubt") -> int:
    return (
        len(one.error.certain) + len(one.error.doubts)
        if isinstance(one, _Doubt)
        else len(one.columns)
    )


def _best_of(sheet: Sheet, mapping: ColumnMapping | None, layer: str) -> "Headings | _Doubt | None":
    """Return the best row of a sheet; of equal ones the last in a row of merged ones."""
    best: Headings | _Doubt | None = None
    best_names: list[str] = []
    for row in range(min(WITHIN_ROWS, len(sheet.rows))):
        names = _names(sheet, row)
        one = _given(sheet, row, names, mapping) if mapping else _guessed(sheet, row, names, layer)
        if one is None:
            continue
        is_merged_on = best is not None and names == best_names and row == best.row + 1
        if best is None or is_merged_on or _fit(one) > _fit(best):
            best, best_names = one, names
    return best


def _names(sheet: Sheet, row: int) -> list[str]:
    """Return the texts of a row, those of merged cells in all of their places, each one once."""
    cells = list(sheet.rows[row])
    above = (one for one in sheet.merges if one[0][0] <= row <= one[1][0])
    for (top, left), (_, right) in islice(above, _MOST_MERGES):
        if top < len(sheet.rows) and left < len(cells):
            for column in range(left, min(right + 1, len(cells))):
                cells[column] = sheet.rows[top][left]
    texts = [" ".join(text_of(cell).split()) for cell in cells]
    often = Counter(texts)
    return [
        f"{text} ({_letters(column)})" if text and often[text] > 1 else text
        for column, text in enumerate(texts)
    ]


def _letters(column: int) -> str:
    """Return the letters by which a spreadsheet names a column.

    Examples
    --------
    >>> _letters(0), _letters(27)
    ('A', 'AB')
    """
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _guessed(sheet: Sheet, row: int, names: list[str], layer: str) -> "Headings | _Doubt | None":
    try:
        mapping = guess_columns([name for name in names if name], layer=layer)
    except UnmatchedFieldError:
        return None
    except AmbiguousColumnsError as error:
        return _Doubt(sheet, row, error)
    columns = {field: names.index(name) for field, name in mapping.columns.items()}
    return Headings(sheet, row, columns, mapping)


def _given(sheet: Sheet, row: int, names: list[str], mapping: ColumnMapping) -> Headings | None:
    """Return the row as headings if it has every column of a mapping."""
    alike = {normalised_name(name): at for at, name in reversed(list(enumerate(names)))}
    places = {
        field: names.index(name) if name in names else alike.get(normalised_name(name))
        for field, name in mapping.columns.items()
    }
    columns = {field: place for field, place in places.items() if place is not None}
    return Headings(sheet, row, columns, mapping) if len(columns) == len(places) else None

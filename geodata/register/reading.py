"""A household register from Excel, as sub-district offices keep it.

Only the columns of an address, the count of households and the code leave this module: names,
phones and whatever else a register holds are dropped where they are read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pandas import DataFrame, Series

from geodata.addresses import is_none_word, parse_parts
from geodata.columns import ColumnMapping, fields_of, typed_values
from geodata.reasons import Reason, reason, reason_columns
from geodata.register.cells import fill_downwards, is_footer, is_sum, reason_against, text_of
from geodata.register.headings import Headings, find_headings
from geodata.register.sheets import Cell, read_sheets
from geodata.workbooks import DEFAULT_LIMITS, WorkbookLimits

_COUNT = "household_count"
_PLACE = ["code", "address", "compound", "building", "stairwell"]
_NAMED_ROWS = 10


@dataclass(frozen=True)
class Register:
    """A register that was read.

    Attributes
    ----------
    records
        ``row`` (int64, the sheet's row from 1), ``address``, ``compound``, ``building``,
        ``stairwell``, ``room``, ``code`` (text, missing where the cell is blank or there is no such
        column) and ``household_count`` (Int64; missing where there is no such column, 1 where it
        is blank beside a room), in the order of the file.
    rejects
        ``row``, ``reason``, ``reason_zh``: rows that cannot be used; a row may have several
        reasons.
    mapping
        Which column is which field, for a person to look at and save.
    notes
        What was found, filled and left out, as sentences that name rows, not people.
    sheet
        Name of the sheet read; of the file for CSV.
    heading_row
        The sheet's row of headings, from 1.
    """

    records: DataFrame
    rejects: DataFrame
    mapping: ColumnMapping
    notes: tuple[str, ...]
    sheet: str
    heading_row: int


def read_register(
    path: Path,
    *,
    columns: ColumnMapping | None = None,
    sheet: str | None = None,
    limits: WorkbookLimits = DEFAULT_LIMITS,
) -> Register:
    """Read a household register.

    Parameters
    ----------
    path
        .xlsx or CSV (UTF-8, UTF-16, GB18030), told apart by content. Titles may stand above the
        headings; merged cells are filled downwards; blank rows, sums (合计, 小计), remarks below
        the table and repeated headings are left out, and noted. Of formulas the stored results
        are read.
    columns
        Which column is which field; None: guessed by the headings.
    sheet
        Name of the sheet; None: the one whose headings fit best, of those that are shown.
    limits
        What is refused before it is opened.

    Returns
    -------
    Register
        Without any column that is not in its mapping.

    Raises
    ------
    UnreadableFileError
        It is absent, of another kind, damaged, beyond the limits, or has no such sheet.
    NoHeadingsError
        No row names an address.
    AmbiguousColumnsError
        Two columns could be one field: a person has to say which.
    AbsentColumnError
        There are no headings as ``columns`` names them.
    """
    sheets, notes = read_sheets(path, name=sheet, limits=limits)
    headings, found = find_headings(path, sheets, mapping=columns)
    reading = _Reading(headings)
    records = reading.records()
    records, faults = typed_values(records)
    for row in faults["row"]:
        # Without the value: where columns have slipped, it may be a name.
        heading = headings.mapping.columns[_COUNT]
        reading.reject(int(row), reading.of_column(heading, reason("count-unreadable")))
    rejects = reading.told_rejects()
    records = records[~records["row"].isin(rejects["row"])].reset_index(drop=True)
    return Register(
        records=records,
        rejects=rejects.sort_values("row", kind="stable", ignore_index=True),
        mapping=headings.mapping,
        notes=(*notes, *found, *reading.notes()),
        sheet=headings.sheet.name,
        heading_row=headings.row + 1,
    )


@dataclass
class _Reading:
    """The rows below the headings, and what became of them."""

    headings: Headings
    rejects: list[tuple[int, Reason]] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=dict)
    covered: dict[tuple[int, int], int] = field(default_factory=dict)
    by_room: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        heads = self.headings.sheet.rows[self.headings.row]
        self.heads = [text_of(heads[column]) for column in self.headings.columns.values()]

    def reject(self, row: int, why: Reason) -> None:
        """Note why a row, from 1, cannot be used."""
        self.rejects.append((row, why))

    def told_rejects(self) -> DataFrame:
        """Return the rows that cannot be used."""
        rows = Series([row for row, _ in self.rejects], dtype="int64")
        told = reason_columns([why for _, why in self.rejects])
        return DataFrame({"row": rows, **told}, columns=["row", *told])

    @staticmethod
    def of_column(column: str, fault: Reason) -> Reason:
        """Return the sentence on a cell of a column."""
        return reason("column", column=column, fault=fault)

    def records(self) -> DataFrame:
        """Return the rows of households, as text."""
        rows = self.headings.sheet.rows
        columns = self.headings.columns
        start = self.headings.row + 1
        self.covered = fill_downwards(
            rows, self.headings.sheet.merges, columns=columns.values(), start=start
        )
        numbers: list[int] = []
        values: dict[str, list[str | None]] = {name: [] for name in columns}
        for at in range(start, len(rows)):
            if (kind := self._left_out(at)) is not None:
                self.left_out.setdefault(kind, []).append(at + 1)
                continue
            cells = {name: self._cell(at, place) for name, place in columns.items()}
            if not self._judge(at, cells):
                continue
            numbers.append(at + 1)
            for name, cell in cells.items():
                values[name].append(text_of(cell) or None)
        records = DataFrame({"row": Series(numbers, dtype="int64")})
        for name in fields_of("households"):
            texts = values.get(name, [None] * len(numbers))
            records[name] = Series(texts, index=records.index, dtype="str")
        return self._with_shared_counts(records) if _COUNT in columns else records

    def notes(self) -> Iterator[str]:
        """Tell what was left out and filled."""
        for kind, numbers in self.left_out.items():
            yield f"{len(numbers):,} row(s) left out: {kind} (row {_shown(numbers)})."
        if self.by_room:
            yield f"{len(self.by_room):,} row(s) with a room and no count are one household each."
        filled = {row for row, _ in self.covered}
        if filled:
            yield f"Merged cells were filled downwards in {len(filled):,} row(s)."
        rejected = {row for row, _ in self.rejects}
        if rejected:
            yield f"{len(rejected):,} row(s) rejected: see the reasons."

    def _cell(self, row: int, column: int) -> Cell:
        return self.headings.sheet.rows[self.covered.get((row, column), row)][column]

    def _left_out(self, row: int) -> str | None:
        """Return why a row is no household, or None."""
        cells = self.headings.sheet.rows[row]
        if not any(text_of(cell) for cell in cells):
            return "blank"
        if is_sum(cells):
            return "a sum"
        if is_footer(cells):
            return "a remark"
        own = [text_of(cells[column]) for column in self.headings.columns.values()]
        if not any(own):
            return "nothing in the columns of the address"
        return "headings again" if own == self.heads else None

    def _judge(self, row: int, cells: dict[str, Cell]) -> bool:
        """Return whether the cells of a row can be read; if not, say why."""
        is_usable = True
        for name, cell in cells.items():
            if (fault := reason_against(cell)) is not None:
                self.reject(row + 1, self.of_column(self.headings.mapping.columns[name], fault))
                is_usable = False
        if is_usable and _COUNT in cells and not text_of(cells[_COUNT]):
            if not is_none_word(text_of(cells.get("room", ""))):
                cells[_COUNT] = 1
                self.by_room.append(row + 1)
                return True
            column = self.headings.mapping.columns[_COUNT]
            self.reject(row + 1, self.of_column(column, reason("count-blank")))
            return False
        return is_usable

    def _with_shared_counts(self, records: DataFrame) -> DataFrame:
        """Count a number that is merged over several rows once, if they are one stairwell."""
        column = self.headings.columns[_COUNT]
        first_row = {row + 1: top + 1 for (row, at), top in self.covered.items() if at == column}
        tops = records["row"].map(first_row)
        if tops.isna().all():
            return records
        tops = tops.fillna(records["row"]).astype("int64")
        shared = records[tops.duplicated(keep=False)]
        for top, group in shared.groupby(tops[shared.index]):
            if len({_stairwell_of(*texts) for texts in group[_PLACE].itertuples(index=False)}) > 1:
                ends = {"first": group["row"].min(), "last": group["row"].max()}
                for row in group["row"]:
                    self.reject(int(row), reason("count-shared", top=top, **ends))
        records.loc[tops != records["row"], _COUNT] = "0"
        return records


def _stairwell_of(code: object, *texts: object) -> object:
    """Return what a record says about where it is, but for the room."""
    address, compound, building, stairwell = (
        text if isinstance(text, str) else "" for text in texts
    )
    read = parse_parts(address=address, compound=compound, building=building, stairwell=stairwell)
    own = code if isinstance(code, str) else ""
    return own, read.street, read.compound, read.buildings, read.stairwells


def _shown(rows: Sequence[int]) -> str:
    shown = ", ".join(f"{row:,}" for row in rows[:_NAMED_ROWS])
    return shown + (" …" if len(rows) > _NAMED_ROWS else "")

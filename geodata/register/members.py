"""A list of members from Excel or CSV, as offices keep it when people report in (报到).

Every row is read as far as it can be; what cannot be is a fault that names row and column, and
never repeats a name or a phone.
"""

import datetime
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from geodata.columns import ColumnMapping, fields_of
from geodata.phones import normalised_phone
from geodata.register.availability import Away, Span, parse_availability
from geodata.register.cells import fill_downwards, is_footer, is_sum, text_of
from geodata.register.headings import Headings, find_headings
from geodata.register.sheets import Cell, read_sheets
from geodata.templates import example_of
from geodata.vocabularies import Vocabulary, find_term
from geodata.workbooks import DEFAULT_LIMITS, WorkbookLimits, fault_of

_AFFILIATIONS: Mapping[str, str] = {
    **dict.fromkeys(
        ("party_member", "中共党员", "党员", "共产党员", "中共预备党员"), "party_member"
    ),
    **dict.fromkeys(("预备党员", "中共正式党员", "正式党员", "party member"), "party_member"),
    **dict.fromkeys(("league_member", "共青团员", "团员", "league member"), "league_member"),
    **dict.fromkeys(("masses", "群众", "普通群众", "无", "无党派", "none"), "masses"),
}
_BETWEEN_TERMS = re.compile(r"[、,，;；/\\|\s]+")
_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:\s.*)?")
_COUNT = re.compile(r"([+-]?\d{1,9})(?:\.0*)?\s*[户个梯]?")
_TEXTS = ("address", "compound", "building", "stairwell", "room", "code", "community", "branch")
_FILLED = ("community", "compound", "building", "branch")


@dataclass(frozen=True)
class MemberFault:
    """What is wrong with a cell.

    Attributes
    ----------
    severity
        ``error``: the row cannot be used; ``warning``: it can, without this.
    """

    row: int
    field: str
    severity: Literal["error", "warning"]
    kind: str
    reason: str


@dataclass(frozen=True)
class MemberRecord:
    """A row of a list, understood as far as it can be; None where it says nothing.

    Attributes
    ----------
    row
        The sheet's row, from 1.
    phone
        Digits.
    affiliation
        party_member, league_member or masses.
    lon, lat
        EPSG:4326.
    """

    row: int
    name: str | None = None
    phone: str | None = None
    affiliation: str | None = None
    address: str | None = None
    compound: str | None = None
    building: str | None = None
    stairwell: str | None = None
    room: str | None = None
    code: str | None = None
    community: str | None = None
    lon: float | None = None
    lat: float | None = None
    capacity_households: int | None = None
    capacity_stairwells: int | None = None
    spans: tuple[Span, ...] = ()
    away: tuple[Away, ...] = ()
    skills: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()
    branch: str | None = None
    consented_on: datetime.date | None = None
    reported_in_on: datetime.date | None = None


@dataclass(frozen=True)
class MemberList:
    """A list of members that was read.

    Attributes
    ----------
    records
        One a row of a person, in the order of the file, also of rows with faults.
    faults
        By row.
    mapping
        Which column is which field, for a person to look at and save.
    notes
        What was found and left out, as sentences that name rows, not people.
    headings
        The headings of the columns that were read, and of each row its cells as text: for a file
        of rejects, which goes back to whoever sent the list.
    """

    records: tuple[MemberRecord, ...]
    faults: tuple[MemberFault, ...]
    mapping: ColumnMapping
    notes: tuple[str, ...]
    sheet: str
    heading_row: int
    headings: tuple[str, ...]
    cells: Mapping[int, tuple[str, ...]] = field(repr=False)


def read_members(
    path: Path,
    *,
    columns: ColumnMapping | None = None,
    sheet: str | None = None,
    limits: WorkbookLimits = DEFAULT_LIMITS,
) -> MemberList:
    """Read a list of members.

    Parameters
    ----------
    path
        .xlsx or CSV (UTF-8, UTF-16, GB18030), told apart by content; titles, blank rows, sums,
        remarks, repeated headings and the example of our template are left out, and noted.
    columns
        Which column is which field; None: guessed by the headings.
    sheet
        Name of the sheet; None: the one whose headings fit best.
    limits
        What is refused before it is opened.

    Returns
    -------
    MemberList
        Homes are texts, not yet stairwells. Points are EPSG:4326.

    Raises
    ------
    UnreadableFileError
        It is absent, of another kind, damaged, beyond the limits, or has no such sheet.
    NoHeadingsError
        No row names a person.
    AmbiguousColumnsError
        Two columns could be one field: a person has to say which.
    AbsentColumnError
        There are no headings as ``columns`` names them.
    """
    sheets, notes = read_sheets(path, name=sheet, limits=limits)
    headings, found = find_headings(path, sheets, mapping=columns, layer="members")
    reading = _Reading(headings)
    records = tuple(reading.records())
    return MemberList(
        records=records,
        faults=tuple(reading.faults),
        mapping=headings.mapping,
        notes=(*notes, *found, *reading.notes()),
        sheet=headings.sheet.name,
        heading_row=headings.row + 1,
        headings=tuple(headings.mapping.columns.values()),
        cells=reading.cells,
    )


@dataclass
class _Reading:
    """The rows below the headings, and what became of them."""

    headings: Headings
    faults: list[MemberFault] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=dict)
    cells: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def records(self) -> Iterator[MemberRecord]:
        """Return each row of a person."""
        rows, columns = self.headings.sheet.rows, self.headings.columns
        start = self.headings.row + 1
        # A merged cell of a place is that of all its rows; a merged name or phone would be not.
        filled = [columns[name] for name in _FILLED if name in columns]
        covered = fill_downwards(rows, self.headings.sheet.merges, columns=filled, start=start)
        heads = [text_of(rows[self.headings.row][place]) for place in columns.values()]
        for at in range(start, len(rows)):
            if (kind := self._left_out(at, heads)) is not None:
                self.left_out.setdefault(kind, []).append(at + 1)
                continue
            given: dict[str, Cell] = {
                name: rows[covered.get((at, place), at)][place] for name, place in columns.items()
            }
            self.cells[at + 1] = tuple(_shown(cell) for cell in given.values())
            yield self._record(at + 1, given)

    def notes(self) -> Iterator[str]:
        """Tell what was left out."""
        for kind, numbers in self.left_out.items():
            yield f"{len(numbers):,} row(s) left out: {kind} (first row {numbers[0]:,})."

    def _left_out(self, at: int, heads: list[str]) -> str | None:
        cells = self.headings.sheet.rows[at]
        if not any(text_of(cell) for cell in cells):
            return "blank"
        if is_sum(cells):
            return "a sum"
        own = {name: text_of(cells[place]) for name, place in self.headings.columns.items()}
        if is_footer(cells) and not own.get("phone"):
            return "a remark"
        if not any(own.values()):
            return "nothing in the columns that were read"
        if list(own.values()) == heads:
            return "headings again"
        example = example_of("members")
        if own.get("name") == example["姓名"] and own.get("phone") == example["手机号码"]:
            return "the example of the template"
        return None

    def _record(self, row: int, given: Mapping[str, Cell]) -> MemberRecord:
        fields: dict[str, Any] = {"row": row}
        for name in fields_of("members"):
            cell = given.get(name, "")
            if (wrong := fault_of(cell)) is not None:
                self._note(row, name, "unreadable-value", wrong)
            elif text_of(cell):
                self._read(row, name, cell, fields)
        return MemberRecord(**fields)

    def _read(self, row: int, name: str, cell: Cell, fields: dict[str, Any]) -> None:
        """Read one cell that is not blank."""
        text = text_of(cell)
        if name == "name":
            fields["name"] = " ".join(text.split())
        elif name == "phone":
            self._put(row, "phone", normalised_phone(text), "bad-phone", _NO_PHONE, fields)
        elif name == "affiliation":
            word = unicodedata.normalize("NFKC", text).strip().casefold()
            found = _AFFILIATIONS.get(word)
            self._put(row, name, found, "unknown-affiliation", _NO_AFFILIATION, fields)
        elif name in {"capacity_households", "capacity_stairwells"}:
            self._put(row, name, _count(text), "bad-capacity", "holds no whole number", fields)
        elif name in {"consented_on", "reported_in_on"}:
            self._put(row, name, _day(cell), "bad-date", _NO_DATE, fields)
        elif name in {"lon", "lat"}:
            self._put(row, name, _degrees(text), "bad-place", "holds no degrees", fields)
        elif name in {"skills", "dialects"}:
            self._read_terms(row, name, text, fields)  # type: ignore[arg-type]
        elif name == "hours":
            self._read_hours(row, text, fields)
        elif name in _TEXTS:
            fields[name] = text

    def _put(
        self,
        row: int,
        name: str,
        value: object,
        kind: str,
        reason: str,
        fields: dict[str, Any],
    ) -> None:
        if value is None:
            self._note(row, name, kind, reason)
        else:
            fields[name] = value

    def _read_terms(self, row: int, name: Vocabulary, text: str, fields: dict[str, Any]) -> None:
        words = [word for word in _BETWEEN_TERMS.split(text) if word]
        codes = [find_term(word, name) for word in words]
        fields[name] = tuple(dict.fromkeys(code for code in codes if code))
        if unknown := codes.count(None):
            reason = f"holds {unknown} word(s) that the list of {name} does not have"
            self._note(row, name, f"unknown-{name}", reason, severity="warning")

    def _read_hours(self, row: int, text: str, fields: dict[str, Any]) -> None:
        found = parse_availability(text)
        fields["spans"], fields["away"] = found.spans, found.away
        if found.unread:
            reason = f"has {found.unread} part(s) that are no times: write 周一至周五19:00-21:00"
            self._note(row, "hours", "unread-hours", reason, severity="warning")

    def _note(
        self,
        row: int,
        name: str,
        kind: str,
        reason: str,
        *,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        column = self.headings.mapping.columns[name]
        sentence = f"Column {column!r} {reason}."
        self.faults.append(MemberFault(row, name, severity, kind, sentence))


_NO_PHONE = "holds neither a mobile number of 11 digits nor a landline with its area code"
_NO_AFFILIATION = "holds none of 中共党员, 共青团员, 群众"
_NO_DATE = "holds no date such as 2020-06-01"


def _shown(cell: Cell) -> str:
    return cell.isoformat() if isinstance(cell, datetime.date) else text_of(cell)


def _count(text: str) -> int | None:
    found = _COUNT.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return int(found[1]) if found else None


def _degrees(text: str) -> float | None:
    try:
        degrees = float(unicodedata.normalize("NFKC", text).strip().rstrip("°"))
    except ValueError:
        return None
    return degrees if -180 <= degrees <= 180 else None


def _day(cell: Cell) -> datetime.date | None:
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text_of(cell)).strip())
    if found is None:
        return None
    try:
        return datetime.date(int(found[1]), int(found[2] or found[4]), int(found[3] or found[5]))
    except ValueError:
        return None

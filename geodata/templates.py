"""Empty Excel files for offices to fill in: headings, an invented example, notes, in Chinese."""

import datetime
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from geodata.categories import load_categories
from geodata.errors import InvalidParameterError, UnwritableFileError
from geodata.yaml_text import load_yaml

KINDS = ("households", "members", "incidents")

NOTES_SHEET = "填写说明"
LIST_SHEET = "选项"
_TEXT = 49
"""Format "@": cells are text, whatever is typed (ECMA-376 part 1, 18.8.30)."""

_LAST_ROW = 5_000
"""Cells down to here are checked as they are filled in."""

_MADE = datetime.datetime(2020, 6, 1, tzinfo=datetime.UTC)
"""Written as the day of making, so that a template has the same bytes every time."""


@dataclass(frozen=True)
class _Column:
    """A column of a template; see templates.yaml."""

    heading: str
    example: Any
    note: str
    width: int
    is_text: bool = False
    choices: tuple[str, ...] = ()
    whole: tuple[int, int] | None = None
    range: tuple[float, float] | None = None
    date: bool = False
    time: bool = False


@dataclass(frozen=True)
class _Template:
    """A kind of template."""

    sheet: str
    title: str
    rules: tuple[str, ...]
    columns: tuple[_Column, ...]


def example_of(kind: str) -> dict[str, str]:
    """Return the invented example of a template by heading, as text.

    Raises
    ------
    InvalidParameterError
        There is no such kind.

    Examples
    --------
    >>> example_of("households")["单元"]
    '2单元'
    """
    return {column.heading: str(column.example) for column in _template(kind).columns}


def write_template(kind: str, path: Path, *, is_replacing: bool = False) -> None:
    """Write an empty Excel file to fill in.

    Parameters
    ----------
    kind
        households, members or incidents.
    path
        A name that ends in .xlsx.
    is_replacing
        Whether a file of that name may be written over.

    Raises
    ------
    InvalidParameterError
        There is no such kind, or the name ends otherwise.
    UnwritableFileError
        There is such a file already, or it cannot be written.
    """
    template = _template(kind)
    if path.suffix.lower() != ".xlsx":
        raise InvalidParameterError("path", path.name, "a name that ends in .xlsx")
    if path.exists() and not is_replacing:
        raise UnwritableFileError(path, "there is such a file already")
    try:
        with Workbook(path) as book:
            book.set_properties({"created": _MADE})
            sheet = book.add_worksheet(template.sheet)
            choices = _write_choices(book, template)
            _write_sheet(book, sheet, template, choices)
            _write_notes(book, template)
    except (FileCreateError, OSError) as error:
        raise UnwritableFileError(path, str(error)) from error


@cache
def _templates() -> dict[str, _Template]:
    """Return what templates.yaml describes."""
    text = files("geodata").joinpath("templates.yaml").read_text(encoding="utf-8")
    return {
        kind: _Template(
            sheet=rules["sheet"],
            title=rules["title"],
            rules=tuple(rules["rules"]),
            columns=tuple(_column(column) for column in rules["columns"]),
        )
        for kind, rules in load_yaml(text).items()
    }


def _template(kind: str) -> _Template:
    if kind not in KINDS:
        raise InvalidParameterError("kind", kind, f"one of {', '.join(KINDS)}")
    return _templates()[kind]


def _column(rules: dict[str, Any]) -> _Column:
    known = dict(rules)
    choices = known.get("choices", ())
    # The sub-categories, since they say more; their names are short and each stands once.
    known["choices"] = (
        tuple(one.name_zh for one in load_categories() if one.parent)
        if choices == "categories"
        else tuple(choices)
    )
    return _Column(**known)


def _write_sheet(
    book: Workbook, sheet: Worksheet, template: _Template, choices: dict[str, str]
) -> None:
    """Write headings and the example, and what is checked below."""
    heading = book.add_format(
        {"bold": True, "bg_color": "#DCE6F1", "border": 1, "align": "center", "num_format": _TEXT}
    )
    formats = {
        "text": book.add_format({"num_format": _TEXT}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        "number": book.add_format(),
    }
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(template.columns):
        kind = _kind_of(column)
        sheet.set_column(at, at, column.width, formats[kind])
        sheet.write_string(0, at, column.heading, heading)
        _write_example(sheet, at, column, formats[kind])
        rule = _rule(column, choices)
        if rule:
            sheet.data_validation(1, at, _LAST_ROW, at, rule | _refusal(column))


def _kind_of(column: _Column) -> str:
    if column.is_text or column.choices:
        return "text"
    return "date" if column.date else "time" if column.time else "number"


def _write_example(sheet: Worksheet, at: int, column: _Column, form: Format) -> None:
    if isinstance(column.example, datetime.date):
        sheet.write_datetime(1, at, column.example, form)
    elif column.time:
        sheet.write_datetime(1, at, datetime.datetime.fromisoformat(column.example), form)
    elif isinstance(column.example, int | float):
        sheet.write_number(1, at, column.example, form)
    else:
        sheet.write_string(1, at, column.example, form)


def _rule(column: _Column, choices: dict[str, str]) -> dict[str, Any]:
    """Return what Excel checks as a cell is filled in."""
    if column.choices:
        return {"validate": "list", "source": choices[column.heading]}
    if column.whole or column.range:
        least, most = column.whole or column.range or (0, 0)
        kind = "integer" if column.whole else "decimal"
        return {"validate": kind, "criteria": "between", "minimum": least, "maximum": most}
    if column.date or column.time:
        first = datetime.date(1990, 1, 1)
        return {"validate": "date", "criteria": ">=", "value": first}
    return {}


def _refusal(column: _Column) -> dict[str, str]:
    """Return what Excel says to a wrong value, within the lengths that it allows."""
    return {
        "error_title": "填写有误"[:32],
        "error_message": f"{column.heading}：{column.note}"[:255],
        "input_title": column.heading[:32],
        "input_message": column.note[:255],
    }


def _write_choices(book: Workbook, template: _Template) -> dict[str, str]:
    """Write lists to choose from, which in a rule itself could only be 255 signs long."""
    lists = [column for column in template.columns if column.choices]
    if not lists:
        return {}
    sheet = book.add_worksheet(LIST_SHEET)
    sheet.hide()
    places = {}
    for at, column in enumerate(lists):
        letter = chr(ord("A") + at)
        sheet.write_column(0, at, column.choices)
        places[column.heading] = f"={LIST_SHEET}!${letter}$1:${letter}${len(column.choices)}"
    return places


def _write_notes(book: Workbook, template: _Template) -> None:
    """Write the sheet that explains each column."""
    bold = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
    sheet = book.add_worksheet(NOTES_SHEET)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 70)
    sheet.set_column(2, 2, 34)
    sheet.write_string(0, 0, template.title, bold)
    for row, rule in enumerate(template.rules, start=1):
        sheet.write_string(row, 0, f"{row}. {rule}")
    first = len(template.rules) + 2
    for at, text in enumerate(("列", "怎么填", "可选内容")):
        sheet.write_string(first, at, text, head)
    for row, column in enumerate(template.columns, start=first + 1):
        # In quotes, so that no reader takes this sheet for the table.
        sheet.write_string(row, 0, f"“{column.heading}”", wrapped)
        sheet.write_string(row, 1, column.note, wrapped)
        sheet.write_string(row, 2, "、".join(column.choices), wrapped)

"""Registers of the tests, as Excel writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from xlsxwriter import Workbook

HEADINGS = ("序号", "小区", "楼栋", "单元", "房号", "户主姓名", "联系电话")
PERSON, PHONE = "示例某", "13800000000"
ROWS = (
    (1, "翠湖花园", "3栋", "2单元", 302, PERSON, PHONE),
    (2, "翠湖花园", "3栋", "2单元", 402, PERSON, PHONE),
)

Rows = Sequence[Sequence[object]]


def write_book(path: Path, sheets: Mapping[str, Rows], **more: Sequence[str]) -> Path:
    """Write sheets of rows.

    Parameters
    ----------
    path
        Where to.
    sheets
        Name to rows; a text that starts with = is a formula, its stored result what follows @.
    more
        ``merges`` of the first sheet, as "B2:B3=text"; names of ``hidden`` sheets.
    """
    with Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, str) and value.startswith("="):
                        formula, _, result = value.partition("@")
                        sheet.write_formula(at, column, formula, None, result)
                    elif value is not None:
                        sheet.write(at, column, value)
            if name in more.get("hidden", ()):
                sheet.hide()
        first = book.worksheets()[0]
        for merge in more.get("merges", ()):
            cells, _, text = merge.partition("=")
            first.merge_range(cells, text)
    return path


def book(path: Path, *rows: Sequence[object], **more: Sequence[str]) -> Path:
    """Write one sheet."""
    return write_book(path, {"住户": rows}, **more)

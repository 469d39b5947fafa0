"""What stands in the cells of a register, as text."""

import datetime
import re
from collections.abc import Iterable, Sequence

from geodata.reasons import Reason, reason
from geodata.register.sheets import Cell, Merge
from geodata.workbooks import error_in, is_uncalculated

_MOST_EXACT = 10**15
"""Excel keeps 15 digits of a number; a longer one has been rounded."""

_SUM = re.compile(r".{0,12}(?:合计|小计|总计|共计|汇总|总户数)[:：]?\d*户?")
_FOOT = re.compile(
    r"(?:填表|制表|审核|统计|填报|负责|经办|联系)(?:人|单位|日期|时间|员)|(?:注|备注|说明)\d*[:：]|第\d+页"
)
_LOOKED_AT = 4


def text_of(cell: Cell) -> str:
    """Return a cell as people wrote it: 302.0 is 302.

    Examples
    --------
    >>> text_of(302.0), text_of(" 3栋 "), text_of(3.5), text_of("")
    ('302', '3栋', '3.5', '')
    """
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def reason_against(cell: Cell) -> Reason | None:
    """Return why a cell cannot be part of an address, without its value, or None."""
    if is_uncalculated(cell):
        return reason("cell-formula")
    if (error := error_in(cell)) is not None:
        return reason("cell-error", error=error)
    if isinstance(cell, bool):
        return reason("cell-truth")
    if isinstance(cell, datetime.date | datetime.time | datetime.timedelta):
        return reason("cell-date")
    if isinstance(cell, int | float) and abs(cell) >= _MOST_EXACT:
        return reason("cell-rounded")
    return None


def is_sum(cells: Sequence[Cell]) -> bool:
    """Return whether a row is a sum (合计, 小计 …) by the first texts in it."""
    return any(_SUM.fullmatch("".join(text.split())) for text in _first_texts(cells))


def is_footer(cells: Sequence[Cell]) -> bool:
    """Return whether a row is a remark below the table: 填表人, 注 and the like."""
    return any(_FOOT.match("".join(text.split())) for text in _first_texts(cells)[:1])


def _first_texts(cells: Sequence[Cell]) -> list[str]:
    found: list[str] = []
    for cell in cells:
        if isinstance(cell, str) and cell.strip():
            found.append(cell)
            if len(found) == _LOOKED_AT:
                break
    return found


def fill_downwards(
    rows: Sequence[Sequence[Cell]], merges: Iterable[Merge], *, columns: Iterable[int], start: int
) -> dict[tuple[int, int], int]:
    """Find which blank cells of some columns lie below the first of merged ones.

    Parameters
    ----------
    rows
        Cells of a sheet.
    merges
        Its merged cells; only their first column is filled, and overlapping ones once.
    columns
        Columns to look at.
    start
        First row below the headings.

    Returns
    -------
    dict
        (row, column) of a covered cell to the row that has its value.
    """
    wanted = set(columns)
    covered: dict[tuple[int, int], int] = {}
    filled_to: dict[int, int] = {}
    for (top, left), (bottom, _) in sorted(merges):
        if left not in wanted or top < start or top <= filled_to.get(left, -1):
            continue
        last = min(bottom, len(rows) - 1)
        filled_to[left] = last
        covered |= {(row, left): top for row in range(top + 1, last + 1)}
    return covered

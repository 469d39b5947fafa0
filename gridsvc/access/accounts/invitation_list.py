"""Lists of people to invite, as offices keep them in a spreadsheet."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from gridsvc.access.accounts.model import (
    INVITED_ROLES,
    LOGIN,
    MEMBER_ID,
    NAME,
    ROLE,
    TERRITORY,
    NewAccount,
    checked_login,
    checked_name,
    checked_territory,
)
from gridsvc.access.accounts.sheets import Cell, read_rows
from gridsvc.errors import (
    BeyondOwnTerritoryError,
    InvalidAccountError,
    ListFault,
    UnreadableListError,
)

MAX_ROWS = 20_000
_HEADER_WITHIN_ROWS = 20
_REQUIRED = {NAME, ROLE, TERRITORY}
_HEADERS: Mapping[str, Sequence[str]] = {
    NAME: ("姓名", "name"),
    ROLE: ("角色", "role"),
    TERRITORY: ("管辖", "管辖范围", "territory", "territories"),
    LOGIN: ("登录名", "login"),
    MEMBER_ID: ("成员编号", "memberid"),
}
_ROLES: Mapping[str, Sequence[str]] = {
    "contact": ("户联系人", "联系人", "楼长", "巷长", "街长"),
    "patrol": ("巡查队", "巡查队员", "巡查员", "巡查"),
    "coordinator": ("社区网格管理员", "网格管理员"),
    "planner": ("规划员", "规划"),
    "administrator": ("街道管理员", "管理员"),
}
_NOT_IN_HEADERS = re.compile(r"[\s_*/()()]+")
_BETWEEN_CODES = re.compile(r"[\s,;、]+")


def _columns_by_header() -> dict[str, str]:
    found: dict[str, str] = {}
    for column, headers in _HEADERS.items():
        # Both languages in one cell, as bilingual forms have it.
        both = (first + second for first in headers for second in headers)
        found |= dict.fromkeys((*headers, *both), column)
    return found


_COLUMN_OF = _columns_by_header()
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words} | {
    role: role for role in INVITED_ROLES
}


def parse(content: bytes) -> tuple[list[NewAccount], list[ListFault]]:
    """Return the people of a list, in its order, and the faults of the rows that are left out.

    Parameters
    ----------
    content
        As `gridsvc.access.accounts.sheets.read_rows` takes it. Above the row of headers there may
        be titles; columns stand in any order, unknown ones are left out, and so are blank rows.

    Raises
    ------
    UnreadableListError
        It is no list, has no row of headers or nobody in it, or more than 20,000 people.
    """
    rows = read_rows(content)
    place, columns = _find_header(rows)
    news: list[NewAccount] = []
    faults: list[ListFault] = []
    for number, row in enumerate(rows[place:], start=place + 1):
        cells = {column: _text(row[at]) for column, at in columns.items() if at < len(row)}
        if not any(cells.values()):
            continue
        new, found = _read(number, cells)
        news += [new] if new else []
        faults += found
        if len(news) > MAX_ROWS:
            raise UnreadableListError("too-many-rows", f"more than {MAX_ROWS:,} people; part it")
    if not news and not faults:
        raise UnreadableListError("no-rows", "nobody stands below the row of headers")
    return news, faults


def _find_header(rows: Sequence[Sequence[Cell]]) -> tuple[int, dict[str, int]]:
    """Return how many rows end with that of headers, and where each column is."""
    for place, row in enumerate(rows[:_HEADER_WITHIN_ROWS], start=1):
        known = [_COLUMN_OF.get(_NOT_IN_HEADERS.sub("", _plain(_text(cell)))) for cell in row]
        if not set(known) >= _REQUIRED:
            continue
        columns = {column: at for at, column in enumerate(known) if column}
        if len(columns) < sum(column is not None for column in known):
            raise UnreadableListError("column-twice", "a column of the same name is there twice")
        return place, columns
    raise UnreadableListError(
        "no-header", "no row has the headers 姓名 (name), 角色 (role) and 管辖 (territory)"
    )


def _text(cell: Cell) -> str:
    """Return a cell as text; numbers as people write them."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _plain(text: str) -> str:
    """Return text with full-width letters and digits as usual ones, in lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def _read(number: int, cells: Mapping[str, str]) -> tuple[NewAccount | None, list[ListFault]]:
    """Return who stands in a row, or each of its faults."""
    read: Mapping[str, Callable[[str], Any]] = {
        NAME: checked_name,
        ROLE: _role,
        TERRITORY: _territory,
        LOGIN: _login,
        MEMBER_ID: _member_id,
    }
    values: dict[str, Any] = {}
    faults: list[ListFault] = []
    for column, convert in read.items():
        try:
            values[column] = convert(cells.get(column, ""))
        except InvalidAccountError as error:
            faults.append(ListFault(number, column, error.fault, error.reason))
    if faults:
        return None, faults
    return NewAccount(
        values[NAME],
        values[ROLE],
        values[TERRITORY],
        login=values[LOGIN],
        person_id=values[MEMBER_ID],
        row=number,
    ), []


def _role(text: str) -> str:
    if not text:
        raise InvalidAccountError(ROLE, "missing", "it is missing")
    role = _ROLE_OF.get(_plain(text).replace(" ", ""))
    if role is None:
        raise InvalidAccountError(ROLE, "unknown-role", f"one of {', '.join(_ROLE_OF)}")
    return role


def _territory(text: str) -> tuple[int, ...]:
    # Words that are no number become zero, which is no code.
    words = filter(None, _BETWEEN_CODES.split(_plain(text)))
    codes = [int(word) if re.fullmatch("[0-9]{12}", word) else 0 for word in words]
    try:
        return checked_territory(codes, own=None)
    except BeyondOwnTerritoryError:
        raise InvalidAccountError(TERRITORY, "too-many", "four codes at most") from None


def _login(text: str) -> str | None:
    return checked_login(_plain(text)) if text else None


def _member_id(text: str) -> UUID | None:
    try:
        return UUID(_plain(text)) if text else None
    except ValueError:
        raise InvalidAccountError(MEMBER_ID, "member-id-form", "it is no UUID") from None

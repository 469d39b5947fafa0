"""Accounts to be made, in plain Python, and what they may be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridsvc.access.model import ROLES, Account
from gridsvc.db import MAX_INTERVALS, Interval
from gridsvc.errors import BeyondOwnTerritoryError, InvalidAccountError

INVITED_ROLES = tuple(role for role in ROLES if role != "resident")
"""Residents report without an account."""

COLUMNS = NAME, ROLE, TERRITORY, LOGIN, MEMBER_ID = (
    *("name", "role", "territory", "login", "member id"),
)
"""What faults name; a list has the same columns."""

LONGEST_NAME = 100
_LOGIN = re.compile(r"[a-z0-9._@-]{3,40}")


@dataclass(frozen=True)
class NewAccount:
    """Somebody to invite.

    Attributes
    ----------
    territory_codes
        One to four 12-digit codes of communities or sub-districts.
    login
        Absent: one is made, such as ``016-0042``.
    person_id
        The member that the account belongs to.
    row
        Where it stands in a list, as the spreadsheet numbers its rows.
    """

    name: str
    role: str
    territory_codes: tuple[int, ...]
    login: str | None = None
    person_id: UUID | None = None
    row: int | None = None


@dataclass(frozen=True)
class Invited:
    """An account with the code by which its owner chooses a password.

    Attributes
    ----------
    code
        Shown once: only its hash is stored.
    """

    account: Account
    code: str
    expires_at: datetime


def checked(new: NewAccount, *, own: Sequence[Interval] | None) -> NewAccount:
    """Return an account to be made as it will be written.

    Parameters
    ----------
    own
        Intervals of whoever makes it; ``None`` where they do not bind, as for the job.

    Raises
    ------
    InvalidAccountError, BeyondOwnTerritoryError
        It cannot be, or not by them.
    """
    return replace(
        new,
        name=checked_name(new.name),
        role=checked_role(new.role),
        territory_codes=checked_territory(new.territory_codes, own=own),
        login=checked_login(new.login) if new.login else None,
    )


def checked_name(name: str) -> str:
    """Return a name without blanks around it, or refuse it."""
    name = name.strip()
    if not name:
        raise InvalidAccountError(NAME, "missing", "it is missing")
    if len(name) > LONGEST_NAME:
        raise InvalidAccountError(NAME, "too-long", f"more than {LONGEST_NAME} characters")
    if not name.isprintable():
        raise InvalidAccountError(NAME, "unprintable", "it holds what cannot be printed")
    return name


def checked_role(role: str) -> str:
    """Return a role that people are invited in, or refuse it."""
    if role not in INVITED_ROLES:
        raise InvalidAccountError(ROLE, "unknown-role", f"one of {', '.join(INVITED_ROLES)}")
    return role


def checked_login(login: str) -> str:
    """Return a login in lower case, or refuse it.

    Examples
    --------
    >>> checked_login(" Li.Wei@Example ")
    'li.wei@example'
    """
    login = login.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise InvalidAccountError(LOGIN, "login-form", "3 to 40 of a-z, 0-9, and . _ @ -")
    return login


def checked_territory(codes: Sequence[int], *, own: Sequence[Interval] | None) -> tuple[int, ...]:
    """Return codes, each once, or refuse them.

    Parameters
    ----------
    own
        As in `checked`.
    """
    codes = tuple(dict.fromkeys(codes))
    if not codes:
        raise InvalidAccountError(TERRITORY, "missing", "it is missing")
    if len(codes) > MAX_INTERVALS:
        raise BeyondOwnTerritoryError
    for code in codes:
        if not is_territory(code):
            reason = "not a 12-digit code of a community or sub-district"
            raise InvalidAccountError(TERRITORY, "no-territory-code", reason)
        if own is not None and not _is_within(Interval.of(code), own):
            raise BeyondOwnTerritoryError
    return codes


def is_territory(code: int) -> bool:
    """Tell whether a code is of a community or sub-district by its form.

    Examples
    --------
    >>> [is_territory(code) for code in (440605011016, 440605011000, 440605000000, 440605011)]
    [True, True, False, False]
    """
    return len(str(code)) == 12 and code > 0 and code // 1000 % 1000 != 0


def _is_within(interval: Interval, own: Sequence[Interval]) -> bool:
    return any(each.lo <= interval.lo and interval.hi <= each.hi for each in own)

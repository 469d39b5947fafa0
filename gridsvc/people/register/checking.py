"""What a member's fields may hold: checked before anything is written."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

from geodata.phones import normalised_phone
from geodata.vocabularies import Vocabulary, terms_of
from gridsvc.errors import InvalidMemberError
from gridsvc.local_time import local_today
from gridsvc.people.model import AFFILIATIONS
from gridsvc.people.register.model import Home, Hours

MOST_LETTERS = 60
MOST_HOUSEHOLDS = 1_000
MOST_STAIRWELLS = 100
EARLIEST = date(1950, 1, 1)
"""Before it, nobody reported in: a mistake of the pen."""

_DAY_MINUTES = 24 * 60


def check(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a member as they are stored.

    Parameters
    ----------
    fields
        By name of `gridsvc.people.register.model.Draft`; those that are left out are not looked
        at.

    Raises
    ------
    InvalidMemberError
        A field does not hold what it may; it says which, and does not repeat names or phones.
    """
    checked = dict(fields)
    for name, check_one in _CHECKS.items():
        if name in checked:
            checked[name] = check_one(checked[name])
    return checked


def check_term(since: date | None, until: date | None, *, field: str = "until") -> None:
    """Refuse a time that ends before it begins, or lies where nobody reported in."""
    for day in (since, until):
        if day is not None and day < EARLIEST:
            raise InvalidMemberError(field, f"{day} is before {EARLIEST}")
    if since is not None and until is not None and until <= since:
        raise InvalidMemberError(field, f"{until} is not after {since}")


def _name(name: str) -> str:
    bare = " ".join(name.split())
    if not bare or len(bare) > MOST_LETTERS or not bare.isprintable():
        raise InvalidMemberError("name", f"is empty, or longer than {MOST_LETTERS} letters")
    return bare


def _phone(phone: str | None) -> str | None:
    if phone is None or not phone.strip():
        return None
    digits = normalised_phone(phone)
    if digits is None:
        raise InvalidMemberError(
            "phone", "is neither a mobile number of 11 digits nor a landline with its area code"
        )
    return digits


def _affiliation(affiliation: str) -> str:
    if affiliation not in AFFILIATIONS:
        raise InvalidMemberError("affiliation", f"is not one of {', '.join(AFFILIATIONS)}")
    return affiliation


def _within(name: str, most: int) -> Any:
    def check_one(count: int) -> int:
        if not 1 <= count <= most:
            raise InvalidMemberError(name, f"{count} is not from 1 to {most:,}")
        return count

    return check_one


def _home(home: Home) -> Home:
    given = (home.stairwell_code, home.building_code, home.lon if home.lat is not None else None)
    if sum(one is not None for one in given) != 1:
        raise InvalidMemberError("home", "is either a stairwell, or a building, or a point")
    return home


def _past_day(name: str) -> Any:
    def check_one(day: date | None) -> date | None:
        if day is not None and not EARLIEST <= day <= local_today():
            raise InvalidMemberError(name, f"{day} is not between {EARLIEST} and today")
        return day

    return check_one


def _terms(vocabulary: Vocabulary) -> Any:
    def check_one(codes: Sequence[str]) -> list[str]:
        unknown = [code for code in codes if code not in terms_of(vocabulary)]
        if unknown:
            known = ", ".join(terms_of(vocabulary))
            raise InvalidMemberError(vocabulary, f"holds a word that is not one of {known}")
        return list(dict.fromkeys(codes))

    return check_one


def _hours(hours: Sequence[Hours]) -> tuple[Hours, ...]:
    """Return times of the week in order, those that touch or overlap as one."""
    merged: list[Hours] = []
    for one in sorted(hours):
        if not (1 <= one.weekday <= 7 and 0 <= one.from_minute < one.to_minute <= _DAY_MINUTES):
            raise InvalidMemberError("hours", "has a time that ends before it begins, or no day")
        last = merged[-1] if merged else None
        if last and last.weekday == one.weekday and one.from_minute <= last.to_minute:
            to_minute = max(last.to_minute, one.to_minute)
            merged[-1] = Hours(one.weekday, last.from_minute, to_minute)
        else:
            merged.append(one)
    return tuple(merged)


_CHECKS: Mapping[str, Any] = {
    "name": _name,
    "phone": _phone,
    "affiliation": _affiliation,
    "home": _home,
    "capacity_households": _within("capacity_households", MOST_HOUSEHOLDS),
    "capacity_stairwells": _within("capacity_stairwells", MOST_STAIRWELLS),
    "consented_on": _past_day("consented_on"),
    "reported_in_on": _past_day("reported_in_on"),
    **{name: _terms(name) for name in get_args(Vocabulary)},
    "hours": _hours,
}

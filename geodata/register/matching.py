"""Households of a register matched to stairwells: what is certain, what a person must look at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pandas import DataFrame, Series

from geodata.addresses import Address, parse_parts
from geodata.reasons import reason
from geodata.register.known import Known
from geodata.register.names import nearest
from geodata.register.resolving import NO_ADDRESS, Candidates, Outcome, name_wanted, resolve

_MATCHED = {
    "row": "int64",
    "stairwell_code": "str",
    "score": "float64",
    "household_count": "int64",
}
_TOLD = {"reason": "str", "reason_zh": "str"}
_PARTS = ("address", "compound", "building", "stairwell", "room")


@dataclass(frozen=True)
class Matches:
    """What the rows of a register came to; every row is in exactly one of the first three.

    Attributes
    ----------
    matched
        ``row`` (int64), ``stairwell_code`` (text), ``score`` (float64 in (0, 1]),
        ``household_count`` (int64: what the file's column of counts says, else 1; 0 for a
        duplicate).
    review
        ``row``, ``candidates`` (tuple of (stairwell code, score), best first, at most 20, may be
        empty), ``reason``, ``reason_zh``: a person decides.
    unmatched
        ``row``, ``reason``, ``reason_zh``.
    duplicates
        ``row``, ``first_row``, ``stairwell_code``: rows of a room that an earlier row has.
    """

    matched: DataFrame
    review: DataFrame
    unmatched: DataFrame
    duplicates: DataFrame


def match_households(records: DataFrame, stairwells: DataFrame) -> Matches:
    """Find the stairwell of each household.

    A match is only made where there is no doubt: one compound, one building, one stairwell.
    Everything that could mean two stairwells is for review, since a household at the wrong
    stairwell is worse than one that a person has to look at.

    Parameters
    ----------
    records
        As :attr:`geodata.register.Register.records`; columns other than ``row`` may be missing.
    stairwells
        ``code``, ``compound_name``, ``building_name``, ``stairwell_name`` (text; "3栋", "2单元"),
        and optionally ``aliases``: other names of the compound, or other addresses of the
        stairwell ("桂园路12号"), as a text parted by ; or a list.

    Returns
    -------
    Matches
        The score of a match is the likeness of the compound's name: 1 where it is equal once
        spelled alike, 0.95 where only a word such as 小区 differs, down to 0.85 for a misspelling
        of a long name (see :mod:`geodata.register.names`), 0.9 where no compound is named and there
        is but one. Building and stairwell are equal, or the only one there is. A code that the file
        has scores 1, unless the address contradicts. A candidate has half of that where its
        stairwell is not named, a quarter where another one is.

    Raises
    ------
    InvalidParameterError
        A column of ``stairwells`` is missing, or a code stands twice.
    """
    known = Known(stairwells)
    texts = {name: _texts(records, name) for name in (*_PARTS, "code")}
    addresses = _addresses(zip(*(texts[name] for name in _PARTS), strict=True))
    places = _without_rooms(addresses)
    wanted = {name_wanted(place, known) for place in set(places)} - {"", *known.compounds}
    similar = nearest(sorted(wanted), list(known.compounds))
    outcomes = {place: resolve(place, known, similar) for place in set(places)}
    found = [
        _with_code(outcomes[place], code, known)
        for place, code in zip(places, texts["code"], strict=True)
    ]
    rooms = [address.room for address in addresses]
    return _split(records, found, rooms)


def household_counts(matches: Matches) -> Series:
    """Return the households of each stairwell.

    Parameters
    ----------
    matches
        What matched; rows for review are not counted.

    Returns
    -------
    Series
        int64 named ``household_count``, by ``stairwell_code`` in order; a stairwell without a
        household in the register is not there.
    """
    counts = matches.matched.groupby("stairwell_code")["household_count"].sum()
    return counts.astype("int64").rename("household_count")


def _texts(records: DataFrame, name: str) -> list[str]:
    if name not in records.columns:
        return [""] * len(records)
    return [text if isinstance(text, str) else "" for text in records[name]]


def _addresses(cells: Iterable[tuple[str, ...]]) -> list[Address]:
    """Return the address of each row; equal rows are read once."""
    read: dict[tuple[str, ...], Address] = {}
    addresses = []
    for row in cells:
        if row not in read:
            read[row] = parse_parts(**dict(zip(_PARTS, row, strict=True)))
        addresses.append(read[row])
    return addresses


def _without_rooms(addresses: Sequence[Address]) -> list[Address]:
    return [replace(address, floor="", room="") for address in addresses]


def _with_code(outcome: Outcome, text: str, known: Known) -> Outcome:
    """Let a code of the file decide, where it is one of ours and the address agrees."""
    code = "".join(text.split())
    if not code:
        return outcome
    if code not in known.codes:
        if outcome.reason == NO_ADDRESS:
            return Outcome(reason=reason("no-address-unknown-code"))
        return outcome
    if outcome.code not in (None, code):
        both: Candidates = ((code, 1.0), (str(outcome.code), outcome.score))
        return Outcome(candidates=both, reason=reason("code-against-address"))
    if outcome.code is None and outcome.candidates and code not in dict(outcome.candidates):
        both = ((code, 1.0), *outcome.candidates)
        return Outcome(candidates=both, reason=reason("code-against-candidates"))
    return Outcome(code=code, score=1.0)


def _split(records: DataFrame, found: list[Outcome], rooms: list[str]) -> Matches:
    """Part the rows by what they came to."""
    has_counts = "household_count" in records.columns and records["household_count"].notna().any()
    counts = records["household_count"].tolist() if has_counts else [1] * len(records)
    matched, review, unmatched, duplicates = [], [], [], []
    first_rows: dict[tuple[str, str], int] = {}
    for row, outcome, room, count in zip(records["row"], found, rooms, counts, strict=True):
        if outcome.code is None:
            if outcome.candidates:
                review.append((row, outcome.candidates, outcome.reason.en, outcome.reason.zh))
            else:
                unmatched.append((row, outcome.reason.en, outcome.reason.zh))
            continue
        first = first_rows.setdefault((outcome.code, room), row) if room else row
        if first != row:
            duplicates.append((row, first, outcome.code))
            count = 0
        matched.append((row, outcome.code, outcome.score, int(count)))
    return Matches(
        matched=_frame(matched, _MATCHED),
        review=_frame(review, {"row": "int64", "candidates": "object", **_TOLD}),
        unmatched=_frame(unmatched, {"row": "int64", **_TOLD}),
        duplicates=_frame(
            duplicates, {"row": "int64", "first_row": "int64", "stairwell_code": "str"}
        ),
    )


def _frame(rows: Sequence[tuple[object, ...]], dtypes: Mapping[str, str]) -> DataFrame:
    columns = zip(*rows, strict=True) if rows else [()] * len(dtypes)
    return DataFrame(
        {
            name: Series(list(values), dtype=dtype)
            for (name, dtype), values in zip(dtypes.items(), columns, strict=True)
        }
    )

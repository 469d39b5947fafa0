"""Where the people of a list live and report in: which stairwell, else building, else point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pandas import DataFrame

from geodata.codes import BUILDING_DIGITS, community_of
from geodata.columns import normalised_name
from geodata.register import match_households
from geodata.register.members import MemberRecord
from gridsvc.people.register.model import Home

_PLACE = ("address", "compound", "building", "stairwell", "room", "code")
_COMMUNITY_DIGITS = 12


@dataclass(frozen=True)
class Place:
    """Where a row's person lives and reports in.

    Attributes
    ----------
    community_code, home
        Absent where the row is rejected.
    kind, reason
        What is wrong: of an absent home why, of a home that is a whole building that it is.
    """

    community_code: int | None = None
    home: Home | None = None
    kind: str | None = None
    reason: str = ""


def find_places(
    records: Sequence[MemberRecord], stairwells: DataFrame, communities: Mapping[int, str]
) -> list[Place]:
    """Return where each person of a list lives.

    Parameters
    ----------
    stairwells
        As `gridsvc.people.importing.store.read_stairwells`.
    communities
        Names by code.

    Returns
    -------
    list
        In the order of ``records``; an address is never guessed where it could mean two
        buildings.
    """
    matches = match_households(_frame(records), stairwells)
    codes = dict(zip(matches.matched["row"], matches.matched["stairwell_code"], strict=True))
    review, unmatched = matches.review, matches.unmatched
    doubts = dict(
        zip(review["row"], zip(review["candidates"], review["reason"], strict=True), strict=True)
    )
    lost = dict(zip(unmatched["row"], unmatched["reason"], strict=True))
    names = _community_names(communities)
    found = []
    for record in records:
        place = _place(record, codes.get(record.row), doubts.get(record.row), lost)
        found.append(_reported_in(place, record, names))
    return found


def _frame(records: Sequence[MemberRecord]) -> DataFrame:
    names = ("row", *_PLACE)
    columns = {name: [getattr(record, name) for record in records] for name in names}
    return DataFrame(columns).astype({"row": "int64"})


def _place(
    record: MemberRecord,
    code: str | None,
    doubt: tuple[Sequence[tuple[str, float]], str] | None,
    unmatched: Mapping[int, str],
) -> Place:
    """Return the home of one person, by address, else by point."""
    if code is not None:
        return Place(community_of(code), Home(stairwell_code=code))
    if doubt is not None:
        candidates, reason = doubt
        buildings = {one[:BUILDING_DIGITS] for one, _ in candidates}
        if len(buildings) == 1:
            (building,) = buildings
            told = f"The home is taken as the whole building: {reason}"
            return Place(community_of(building), Home(building_code=building), "home", told)
        return Place(kind="no-home", reason=f"The home could be in several buildings: {reason}")
    if record.lon is not None and record.lat is not None:
        return Place(None, Home(lon=record.lon, lat=record.lat))
    has_address = any(getattr(record, name) for name in _PLACE)
    reason = unmatched.get(record.row, "") if has_address else "no address, code or point is given."
    return Place(kind="no-home", reason=f"There is no home: {reason}")


def _community_names(communities: Mapping[int, str]) -> dict[str, int]:
    names = {str(code): code for code in communities}
    for code, name in communities.items():
        bare = normalised_name(name)
        names[bare] = code
        names[bare.removesuffix("社区") or bare] = code
    return names


def _reported_in(place: Place, record: MemberRecord, names: Mapping[str, int]) -> Place:
    """Return the place with the community that the row names, which the home must be of."""
    if place.home is None:
        return place
    if record.community is None:
        if place.community_code is None:
            return Place(kind="no-community", reason="A home that is a point needs a community.")
        return place
    bare = normalised_name(record.community)
    named = names.get(bare, names.get(bare.removesuffix("社区")))
    if named is None:
        return Place(kind="unknown-community", reason="The community is none of yours.")
    if place.community_code not in (None, named):
        reason = (
            f"The home lies in community {place.community_code}, the row reports in to {named}: "
            "whoever lives elsewhere has a point (经度, 纬度) and no address."
        )
        return Place(kind="home-elsewhere", reason=reason)
    return Place(named, place.home, place.kind, place.reason)

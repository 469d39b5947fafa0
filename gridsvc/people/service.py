"""What a caller can do with members, posts and organisations."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.db import new_id, scope_of
from gridsvc.errors import InvalidMemberError, NotFoundError
from gridsvc.local_time import local_today
from gridsvc.people import phones, store
from gridsvc.people.model import FoundMember
from gridsvc.vault import Vault

SEARCH_LIMIT = 50
_MEMBER_COLUMNS = (
    *("id", "community_code", "home_stairwell_code", "reported_in_on", "capacity_households"),
    *("capacity_stairwells", "is_available", "geometry"),
)
_MORE_COLUMNS = ("home_building_code", "branch_id", "skills", "dialects")


def load(
    session: Session,
    *,
    members: GeoDataFrame,
    posts: DataFrame,
    organisations: DataFrame,
    details: Mapping[str, DataFrame] | None = None,
    vault: Vault,
) -> None:
    """Load members with their posts and organisations, as the job.

    Parameters
    ----------
    members
        ``id``, ``community_code``, ``name``, ``phone``, ``affiliation``, ``reported_in_on``,
        ``capacity_households``, ``capacity_stairwells``, ``available``, ``home_stairwell_code``,
        ``geometry`` (point, EPSG:4326); if known also ``home_building_code``, ``branch_id``,
        ``skills`` and ``dialects`` (lists of codes of `geodata.vocabularies`).
    posts
        ``id``, ``community_code``, ``kind``, ``member_id``, ``compound_code``, ``building_code``;
        if known also ``valid`` (text of a daterange), else the term is not.
    organisations
        ``id``, ``community_code``, ``compound_code``, ``kind``, ``name``, ``people``.
    details
        Frames ``consents``, ``absences``, ``hours`` and ``exclusions`` with the columns of their
        tables. Without consents, each member agreed by reporting in, else today.
    vault
        Hides the phones.
    """
    access.require_role(session, "job")
    store.hold_identities(session)
    keyed = members.rename(columns={"available": "is_available"})
    key = {"community_code": members["community_code"], "member_id": members["id"]}
    identities = DataFrame(
        key
        | {
            "name": members["name"],
            "phone_cipher": [vault.encrypt(phone) for phone in members["phone"]],
            "phone_masked": members["phone"].map(phones.mask),
        }
    )
    affiliations = DataFrame(key | {"affiliation": members["affiliation"]})
    columns = [*_MEMBER_COLUMNS, *(name for name in _MORE_COLUMNS if name in keyed.columns)]
    store.add_organisations(session, organisations)
    store.add_members(session, keyed[columns], identities, affiliations)
    store.add_posts(session, posts)
    given = dict(details or {})
    store.add_details(session, {"consents": _consents_of(members), **given})
    for street_code, count in Counter(members["community_code"] // 1000 * 1000).items():
        audit.record(
            session,
            community_code=int(street_code),
            action="member.load",
            subject=str(street_code),
            members=count,
        )


def _consents_of(members: GeoDataFrame) -> DataFrame:
    """Return the consents of members who agreed by reporting in, or are asked today."""
    reported = members["reported_in_on"]
    return DataFrame(
        {
            "community_code": members["community_code"],
            "id": [new_id() for _ in range(len(members))],
            "member_id": members["id"],
            "given_on": reported.astype(object).where(reported.notna(), local_today()),
            "basis": "carried_over",
        }
    )


def read_members(session: Session, *, community_code: int, on: date | None = None) -> GeoDataFrame:
    """Return a community's members as the contact solver needs them; EPSG:4326, by id.

    Those who were erased are in it no more; who does not agree, or is absent, is not available.

    Parameters
    ----------
    on
        The day that is planned for; default: today.

    Returns
    -------
    GeoDataFrame
        As `gridsvc.people.store.read_members`; empty for a community without members.
    """
    access.require_role(session, *STAFF_ROLES)
    return store.read_members(session, community_code=community_code, on=on or local_today())


def read_exclusions(session: Session, *, community_code: int, on: date | None = None) -> DataFrame:
    """Return who must not be the contact of which stairwell on a day, by member and stairwell.

    Returns
    -------
    DataFrame
        ``member_id``, ``stairwell_code``, ``reason``; the exclusion of a person is that of the
        stairwell they live in. Empty for none.
    """
    access.require_role(session, *STAFF_ROLES)
    return store.read_exclusions(session, community_code=community_code, on=on or local_today())


def add_exclusion(
    session: Session,
    *,
    community_code: int,
    member_id: UUID,
    stairwell_code: str | None = None,
    other_member_id: UUID | None = None,
    reason: str,
    since: date | None = None,
    until: date | None = None,
) -> UUID:
    """Say that a member must not be the contact of a stairwell, or of another member.

    Parameters
    ----------
    reason
        Why, for whoever plans; it is shown to staff only.
    since, until
        First day (default: today), and first day on which it holds no more (default: none).

    Returns
    -------
    UUID
        Of the exclusion; one of the same that is in force already is kept as it is.

    Raises
    ------
    NotFoundError
        The caller's territory has no such member, other member or stairwell of the community.
    InvalidMemberError
        Not exactly one of stairwell and other member, no reason, or an end before the beginning.
    """
    access.require_role(session, *STAFF_ROLES, "job")
    today = local_today()
    key = {
        "community_code": community_code,
        "member_id": member_id,
        "stairwell_code": stairwell_code,
        "other_member_id": other_member_id,
    }
    _check_exclusion(session, key, reason=reason, since=since or today, until=until)
    known = store.find_exclusion(session, key, on=today)
    if known is not None:
        return known
    exclusion_id = new_id()
    values = {"id": exclusion_id, "reason": reason.strip(), "since": since or today, "until": until}
    store.add_exclusion(session, key | values)
    audit.record(
        session,
        community_code=community_code,
        action="member.exclude",
        subject=str(member_id),
        exclusion=str(exclusion_id),
    )
    return exclusion_id


def _check_exclusion(
    session: Session,
    key: Mapping[str, object],
    *,
    reason: str,
    since: date,
    until: date | None,
) -> None:
    code, other_id = key["stairwell_code"], key["other_member_id"]
    if (code is None) == (other_id is None):
        raise InvalidMemberError("exclusion", "names either a stairwell or another member")
    if other_id == key["member_id"]:
        raise InvalidMemberError("exclusion", "names the member itself")
    if not reason.strip():
        raise InvalidMemberError("reason", "is empty")
    if until is not None and until <= since:
        raise InvalidMemberError("until", f"{until} is not after {since}")
    for member_id in (key["member_id"], other_id):
        if isinstance(member_id, UUID) and not store.is_member(
            session, int(str(key["community_code"])), member_id
        ):
            raise NotFoundError("member", member_id)
    if code is not None and not store.has_stairwell(
        session, int(str(key["community_code"])), str(code)
    ):
        raise NotFoundError("stairwell", code)


def search(session: Session, words: str) -> tuple[list[FoundMember], bool]:
    """Find members of the caller's territory, and note how many were shown.

    Parameters
    ----------
    words
        Part of a name, or a whole masked phone such as ``138****1234``.

    Returns
    -------
    tuple
        At most fifty members, by name and id, and whether there are more.
    """
    access.require_role(session, *STAFF_ROLES)
    intervals = scope_of(session).intervals
    if not intervals:
        return [], False
    found = store.search(session, words, on=local_today(), limit=SEARCH_LIMIT + 1)
    shown = found[:SEARCH_LIMIT]
    audit.record(
        session,
        community_code=intervals[0].lo,
        action="member.search",
        subject="members",
        shown=len(shown),
    )
    return shown, len(found) > SEARCH_LIMIT


def count_posts(session: Session) -> dict[str, int]:
    """Return how many posts of each kind are held today, and how many by Party members."""
    return store.count_posts(session, on=local_today())


def count_reported_in(session: Session) -> int:
    """Return how many Party members have reported in."""
    return store.count_reported_in(session)


def count_organisations(session: Session) -> tuple[dict[str, int], int]:
    """Return how many organisations of each kind there are, and how many people are in them."""
    return store.count_organisations(session)


def follow_grids(
    session: Session, *, community_code: int, descents: Sequence[tuple[str, str, float]]
) -> None:
    """Let homes, exclusions, posts and organisations follow grids that ended into their successors.

    Parameters
    ----------
    descents
        Code of a grid that ended, code of one that took its place, and the share of the former's
        area in the latter. A home goes where the member's point lies, an exclusion to all, all else
        to the largest.
    """
    if descents:
        store.follow_grids(session, community_code=community_code, descents=descents)

"""What a caller can do with members, posts and organisations."""

from collections import Counter
from collections.abc import Sequence

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.db import scope_of
from gridsvc.people import phones, store
from gridsvc.people.model import FoundMember
from gridsvc.vault import Vault

SEARCH_LIMIT = 50
_MEMBER_COLUMNS = (
    *("id", "community_code", "home_stairwell_code", "reported_in_on", "capacity_households"),
    *("capacity_stairwells", "is_available", "geometry"),
)


def load(
    session: Session,
    *,
    members: GeoDataFrame,
    posts: DataFrame,
    organisations: DataFrame,
    vault: Vault,
) -> None:
    """Load members with their posts and organisations, as the job.

    Parameters
    ----------
    members
        ``id``, ``community_code``, ``name``, ``phone``, ``affiliation``, ``reported_in_on``,
        ``capacity_households``, ``capacity_stairwells``, ``available``, ``home_stairwell_code``,
        ``geometry`` (point, EPSG:4326).
    posts
        ``id``, ``community_code``, ``kind``, ``member_id``, ``compound_code``, ``building_code``.
    organisations
        ``id``, ``community_code``, ``compound_code``, ``kind``, ``name``, ``people``.
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
    store.add_members(session, keyed[list(_MEMBER_COLUMNS)], identities, affiliations)
    store.add_posts(session, posts)
    store.add_organisations(session, organisations)
    for street_code, count in Counter(members["community_code"] // 1000 * 1000).items():
        audit.record(
            session,
            community_code=int(street_code),
            action="member.load",
            subject=str(street_code),
            members=count,
        )


def read_members(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's members as the contact solver needs them; EPSG:4326, by id.

    Those who were erased are in it no more.
    """
    access.require_role(session, *STAFF_ROLES)
    return store.read_members(session, community_code=community_code)


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
    found = store.search(session, words, limit=SEARCH_LIMIT + 1)
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
    """Return how many posts of each kind are held, and how many by Party members."""
    return store.count_posts(session)


def count_reported_in(session: Session) -> int:
    """Return how many Party members have reported in."""
    return store.count_reported_in(session)


def count_organisations(session: Session) -> tuple[dict[str, int], int]:
    """Return how many organisations of each kind there are, and how many people are in them."""
    return store.count_organisations(session)


def follow_grids(
    session: Session, *, community_code: int, descents: Sequence[tuple[str, str, float]]
) -> None:
    """Let homes, posts and organisations follow grids that ended into their successors.

    Parameters
    ----------
    descents
        Code of a grid that ended, code of one that took its place, and the share of the former's
        area in the latter. A home goes where the member's point lies, all else to the largest.
    """
    if descents:
        store.follow_grids(session, community_code=community_code, descents=descents)

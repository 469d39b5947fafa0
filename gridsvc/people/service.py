"""What a caller can do with members, posts and organisations."""

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.people import phones, store

STAFF_ROLES = ("coordinator", "administrator")
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
    phone_key: str,
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
    phone_key
        Key of `gridsvc.people.phones`.
    """
    access.require_role(session, "job")
    keyed = members.rename(columns={"available": "is_available"})
    key = {"community_code": members["community_code"], "member_id": members["id"]}
    identities = DataFrame(
        key
        | {
            "name": members["name"],
            "phone_cipher": [phones.encrypt(phone, key=phone_key) for phone in members["phone"]],
            "phone_masked": members["phone"].map(phones.mask),
        }
    )
    affiliations = DataFrame(key | {"affiliation": members["affiliation"]})
    store.add_members(session, keyed[list(_MEMBER_COLUMNS)], identities, affiliations)
    store.add_posts(session, posts)
    store.add_organisations(session, organisations)


def read_members(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's members as the contact solver needs them; EPSG:4326, by id."""
    access.require_role(session, *STAFF_ROLES)
    return store.read_members(session, community_code=community_code)


def count_posts(session: Session) -> dict[str, int]:
    """Return how many posts of each kind are held, and how many by Party members."""
    return store.count_posts(session)


def count_reported_in(session: Session) -> int:
    """Return how many Party members have reported in."""
    return store.count_reported_in(session)


def count_organisations(session: Session) -> tuple[dict[str, int], int]:
    """Return how many organisations of each kind there are, and how many people are in them."""
    return store.count_organisations(session)

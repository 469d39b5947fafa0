"""What contacts have to do with one member: what they look after, and who they become."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.contacts.members import store
from gridsvc.local_time import local_today


def list_duties(
    session: Session, *, community_code: int, member_id: UUID, on: date | None = None
) -> list[tuple[str, str]]:
    """Return what a member looks after on a day: stairwell and kind of contact, by code.

    Parameters
    ----------
    on
        Default: today.
    """
    access.require_role(session, *STAFF_ROLES)
    return store.list_duties(
        session, community_code=community_code, member_id=member_id, on=on or local_today()
    )


def follow_member(
    session: Session, *, community_code: int, kept_id: UUID, gone_id: UUID
) -> dict[str, int]:
    """Let contacts, plans and choices of one member be those of another; history stays.

    Where both look after one stairwell at a time, one contact is enough: a lead before a
    supporting one, then the kept member's.

    Returns
    -------
    dict
        How many rows of which table followed.
    """
    access.require_role(session, *STAFF_ROLES)
    key = {"community_code": community_code, "kept_id": kept_id, "gone_id": gone_id}
    dropped = store.drop_doubles(session, **key)  # type: ignore[arg-type]
    counts = store.repoint(session, **key)  # type: ignore[arg-type]
    return counts | ({"contact_dropped": dropped} if dropped else {})

"""Changes of members with what hangs on them in other features: contacts and accounts."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.contacts.members import service as contacts
from gridsvc.people.register import service as register
from gridsvc.people.twins import service as twins


@dataclass(frozen=True)
class Merged:
    """Two members who are one now.

    Attributes
    ----------
    counts
        How many rows of which table were given over.
    """

    community_code: int
    member_id: UUID
    counts: dict[str, int]


@dataclass(frozen=True)
class Withdrawn:
    """A consent that ended.

    Attributes
    ----------
    on
        First day without.
    duties
        Stairwells that the member still looks after on that day, and as what: they need
        somebody else.
    """

    on: date
    duties: tuple[tuple[str, str], ...]


def merge_members(session: Session, *, kept: tuple[UUID, int], gone: tuple[UUID, int]) -> Merged:
    """Make two members one; see `gridsvc.people.twins.service.merge`.

    Contacts, plans and the accounts they sign in with follow.
    """
    code, counts = twins.merge(session, kept=kept, gone=gone)
    accounts = access.follow_person(session, kept_id=kept[0], gone_id=gone[0])
    followed = contacts.follow_member(
        session, community_code=code, kept_id=kept[0], gone_id=gone[0]
    )
    return Merged(code, kept[0], counts | followed | ({"account": accounts} if accounts else {}))


def list_duties(session: Session, member_id: UUID) -> list[tuple[str, str]]:
    """Return what a member looks after today: stairwell and kind of contact, by code."""
    code = register.get(session, member_id).listed.community_code
    return contacts.list_duties(session, community_code=code, member_id=member_id)


def withdraw_consent(session: Session, member_id: UUID, *, on: date | None = None) -> Withdrawn:
    """End a member's consent, and tell which stairwells need somebody else.

    See `gridsvc.people.register.service.withdraw_consent`.
    """
    day = register.withdraw_consent(session, member_id, on=on)
    code = register.get(session, member_id).listed.community_code
    duties = contacts.list_duties(session, community_code=code, member_id=member_id, on=day)
    return Withdrawn(day, tuple(duties))

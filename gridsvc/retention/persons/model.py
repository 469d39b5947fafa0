"""One person, in plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Person:
    """A member with the accounts that are theirs, or an account that is nobody's.

    Attributes
    ----------
    community_code
        Of the member, else the office that looks after the account.
    member_id
        Absent for an account without a member.
    """

    community_code: int
    member_id: UUID | None
    account_ids: tuple[UUID, ...]

    @property
    def id(self) -> UUID:
        """The member's id, else the account's."""
        return self.member_id or self.account_ids[0]

    @property
    def kind(self) -> str:
        """What the id is that of."""
        return "member" if self.member_id else "account"

    @property
    def subjects(self) -> tuple[str, ...]:
        """What the audit trail calls the person."""
        return tuple(str(one) for one in (self.member_id, *self.account_ids) if one)


@dataclass(frozen=True)
class FoundPerson:
    """A member or an account as a search shows it."""

    id: UUID
    kind: str
    community_code: int
    name: str
    phone_masked: str | None
    home_stairwell_code: str | None
    login: str | None


@dataclass(frozen=True)
class Erased:
    """What an erasure did.

    Attributes
    ----------
    uncovered
        Codes of the stairwells that have no lead contact from today on.
    counts
        Rows deleted, ended or made anonymous, by what they were.
    """

    person: Person
    uncovered: tuple[str, ...]
    counts: Mapping[str, int]

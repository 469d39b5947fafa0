"""Accounts and invitations over the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.paging import DEFAULT_LIMIT, MAX_LIMIT
from gridsvc.access.accounts.model import LONGEST_NAME, Invited
from gridsvc.access.model import Account, Started

Role = Literal["contact", "patrol", "coordinator", "planner", "administrator"]
TerritoryCode = Annotated[int, Field(ge=100000000000, le=999999999999)]
TerritoryCodes = Annotated[
    list[TerritoryCode],
    Field(
        min_length=1,
        max_length=4,
        description="12-digit codes of communities or sub-districts.",
        examples=[[440605011016]],
    ),
]
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x1f]*$"
    ),
]
Login = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern="^[A-Za-z0-9._@-]{3,40}$"),
    Field(description="Kept in lower case."),
]
InvitationCode = Annotated[str, Field(min_length=8, max_length=100, examples=["7QK2-M0XA-…"])]
NewPassword = Annotated[str, Field(min_length=1, max_length=200)]


class Body(BaseModel):
    """A request: nothing unknown in it, and nothing of it repeated in errors."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewAccountIn(Body):
    """Somebody to invite."""

    name: Name
    role: Role
    territory_codes: TerritoryCodes
    login: Login | None = Field(default=None, description="Absent: one is made, as 016-0042.")
    person_id: UUID | None = Field(default=None, description="The member it belongs to.")


class AccountChangeIn(Body):
    """What to change of an account; what is absent or null stays."""

    name: Name | None = None
    role: Role | None = None
    territory_codes: TerritoryCodes | None = None
    is_disabled: bool | None = None


class AccountSearchIn(Body):
    """Parts of names or logins: in a body, because addresses are logged."""

    words: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00]*$"
        ),
    ]
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(default=None, max_length=200)


class TerritoryOut(BaseModel):
    """A range of administrative codes, both ends included."""

    lo: int
    hi: int


class AccountOut(BaseModel):
    """An account as its administrators see it."""

    id: UUID
    login: str
    name: str
    role: str
    office_code: int = Field(description="Whose administrators look after it.")
    territories: list[TerritoryOut]
    person_id: UUID | None
    is_disabled: bool
    created_at: datetime
    has_password: bool = Field(description="Whether the invitation was taken up.")
    has_second_factor: bool

    @classmethod
    def of(cls, account: Account) -> "AccountOut":
        """Return an account as it is sent."""
        territories = [TerritoryOut(lo=lo, hi=hi) for lo, hi in account.territories]
        return cls.model_validate(vars(account) | {"territories": territories})


class InvitedOut(BaseModel):
    """An account with its one-time code, which is shown this once."""

    account: AccountOut
    code: str
    link: str = Field(description="Opens the page where the owner chooses a password.")
    expires_at: datetime

    @classmethod
    def of(cls, invited: Invited, *, origin: str) -> "InvitedOut":
        """Return an invitation as it is sent.

        Parameters
        ----------
        origin
            That of the links, without a slash at the end.
        """
        return cls(
            account=AccountOut.of(invited.account),
            code=invited.code,
            link=link_of(invited.code, origin=origin),
            expires_at=invited.expires_at,
        )


class InvitedListOut(BaseModel):
    """The accounts of a list, in its order."""

    items: list[InvitedOut]


class RedeemIn(Body):
    """The code of an invitation, and the password chosen."""

    code: InvitationCode
    password: NewPassword


class RedeemedOut(BaseModel):
    """The token of a sign-in, and what is missing before it opens anything."""

    token: str
    expires_at: datetime
    next: Literal["second_factor"] | None = Field(
        description="Null: send the token as `Authorization: Bearer`. `second_factor`: this role "
        "needs an authenticator; sign in at the login page to set it, or to give its code."
    )

    @classmethod
    def of(cls, started: Started) -> "RedeemedOut":
        """Return a sign-in as it is sent."""
        is_full = started.stage == "full"
        return cls(
            token=started.token,
            expires_at=started.expires_at,
            next=None if is_full else "second_factor",
        )


def link_of(code: str, *, origin: str) -> str:
    """Return the address of an invitation; browsers keep to themselves what stands behind #.

    Examples
    --------
    >>> link_of("7QK2-M0XA-1123-ZZZZ", origin="https://grid.example")
    'https://grid.example/invite#7QK2-M0XA-1123-ZZZZ'
    """
    return f"{origin}/invite#{code}"

"""Who is asking, and what roles there are: plain Python."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from gridsvc.db import Scope

ROLES = ("resident", "contact", "patrol", "coordinator", "planner", "administrator")
STAFF_ROLES = ("coordinator", "administrator")
PATROL_ROLES = (*STAFF_ROLES, "patrol")
FIELD_ROLES = (*PATROL_ROLES, "contact")
KEY_ROLES = (*STAFF_ROLES, "planner")
"""Roles that may make API keys."""
SECOND_FACTOR_ROLES = STAFF_ROLES
"""Roles that sign in with an authenticator as well as a password."""

Credential = Literal["browser", "device", "key"]


@dataclass(frozen=True)
class Principal:
    """A signed-in account: what it is called and what it may see.

    Attributes
    ----------
    credential
        What it signed in with: a browser's cookie or a program's token, a phone, or an API key.
    sign_in_id
        Which sign-in, for lists of them; absent for a key.
    """

    account_id: UUID
    name: str
    scope: Scope
    credential: Credential = "browser"
    sign_in_id: UUID | None = None

    @property
    def role(self) -> str:
        """The role that the account acts in."""
        return self.scope.role

    @property
    def is_read_only(self) -> bool:
        """Whether changes are refused."""
        return self.credential == "key"


@dataclass(frozen=True)
class Account:
    """An account as administrators see it.

    Attributes
    ----------
    territories
        Intervals of administrative codes, ``(lo, hi)``, at most four.
    has_password, has_second_factor
        Whether the invitation was taken up, and whether an authenticator is set.
    """

    id: UUID
    login: str
    name: str
    role: str
    office_code: int
    territories: tuple[tuple[int, int], ...]
    person_id: UUID | None
    is_disabled: bool
    created_at: datetime
    has_password: bool
    has_second_factor: bool


@dataclass(frozen=True)
class Credentials:
    """What an account proves itself by; it stays inside this package.

    Attributes
    ----------
    password_hash
        Absent until the invitation is taken up.
    totp_cipher
        Secret of the authenticator, encrypted; it counts once it is confirmed by a code.
    """

    id: UUID
    login: str
    name: str
    role: str
    office_code: int
    person_id: UUID | None
    password_hash: str | None
    totp_cipher: bytes | None
    totp_is_confirmed: bool
    totp_last_step: int | None

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password alone does not sign this account in."""
        return self.role in SECOND_FACTOR_ROLES or self.totp_is_confirmed


@dataclass(frozen=True)
class Started:
    """A sign-in that has begun.

    Attributes
    ----------
    token
        To be presented with each request; only its hash is stored.
    stage
        ``full``, or ``second_factor`` while the authenticator's code is missing: the token then
        opens nothing else.
    has_second_factor
        Whether an authenticator is set already; otherwise it is to be set now.
    """

    token: str
    stage: Literal["full", "second_factor"]
    expires_at: datetime
    has_second_factor: bool = False


@dataclass(frozen=True)
class DevelopmentAccount:
    """An account as ``./grid demo`` makes it, with the code that signs it in."""

    id: UUID
    name: str
    role: str
    territory_codes: tuple[int, ...]
    code: str

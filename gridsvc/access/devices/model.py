"""Sign-ins and devices, in plain Python."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True)
class SignIn:
    """A browser, program or phone that is signed in, as its owner sees it.

    Attributes
    ----------
    id
        Of the sign-in; of the device where there is one, whose tokens come and go.
    name
        ``Firefox, Android``, or what the phone was called; may be empty.
    used_at
        To ten minutes.
    """

    id: UUID
    kind: Literal["browser", "device"]
    name: str
    created_at: datetime
    used_at: datetime
    is_current: bool


@dataclass(frozen=True)
class DeviceStarted:
    """What a phone keeps; of both tokens only the hash is stored here.

    Attributes
    ----------
    token
        To be presented with each request, for an hour.
    expires_at
        Of ``token``.
    refresh_token
        To be exchanged for the next pair, once, within sixty days.
    """

    token: str
    expires_at: datetime
    refresh_token: str
    device_id: UUID


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token as it is stored.

    Attributes
    ----------
    repeat_hash
        Of the idempotency key that it was used with; absent without one, or before.
    is_newest_used
        Whether no other token of its device was used after it: its successor is still unused.
    """

    device_id: UUID
    is_revoked: bool
    expires_at: datetime
    used_at: datetime | None
    repeat_hash: bytes | None
    is_newest_used: bool

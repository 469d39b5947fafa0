"""Reports of residents in plain Python: what is sent, where it is, and the link that follows it."""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid5

ENTRIES = ("page", "api")
OWN_STEPS = ("report", "note", "verify", "refuse", "reopen")
"""Steps of an incident that its reporter may make."""
LONGEST_WORDS = 500
SIMILAR_WITHIN_M = 50.0
SIMILAR_DAYS = 28
NEAR_WITHIN_M = 2_000.0
"""What lies in no community, and so near to one, is that one's sub-district's."""

ENDED = ("verified", "closed", "duplicate", "not_ours")
"""Statuses after which nothing more happens by itself."""

CONFIRMABLE = ("resolved",)
REOPENABLE = ("resolved", "verified", "closed")

_CODE_BYTES, _ID_BYTES, _SECRET_BYTES = 6, 16, 18
TOKEN_LENGTH = 54
SECRET_LENGTH = 24
_NAMESPACE = UUID("8d0b3f0a-7a52-4f6e-9a0e-6b6f0c0c5d11")


@dataclass(frozen=True)
class Where:
    """What a reporter says of the place: a stairwell, else a compound, else a point (EPSG:4326)."""

    stairwell_code: str | None = None
    compound_code: str | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True)
class Spot:
    """Where a report is, with the names that people know; position in EPSG:4326.

    Attributes
    ----------
    place
        stairwell, compound, community or outside.
    """

    community_code: int
    place: str
    lon: float
    lat: float
    stairwell_code: str | None = None
    compound_code: str | None = None
    community_name: str = ""
    compound_name: str = ""
    stairwell_name: str = ""


@dataclass(frozen=True)
class Door:
    """What the code on a stairwell notice leads to.

    Attributes
    ----------
    spot
        The stairwell, where it is in use.
    ended_on
        The day on which it ended, where it was one.
    successors
        The stairwells in use that it became.
    """

    code: str
    spot: Spot | None = None
    ended_on: date | None = None
    successors: tuple[Spot, ...] = ()


@dataclass(frozen=True)
class NewReport:
    """A report as it comes in.

    Attributes
    ----------
    id
        Made by the client, or by `id_of_key`.
    secret
        Made by the client, as `new_secret`: with it a repetition gets the first answer again.
    key
        The ``Idempotency-Key`` that it came with.
    """

    id: UUID
    category_code: str
    words: str
    where: Where
    reported_at: datetime
    email: str | None = None
    language: str = "zh"
    entry: str = "api"
    secret: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)

    @property
    def request_hash(self) -> bytes:
        """What tells one report from another; when it was made does not."""
        told = (self.category_code, self.words, self.where, self.email)
        return hashlib.sha256(repr(told).encode()).digest()


@dataclass(frozen=True)
class Filed:
    """A report that was taken, and the token by which it can be followed."""

    id: UUID
    spot: Spot
    category_code: str
    status: str
    reported_at: datetime
    token: str = field(repr=False)
    is_new: bool = True


@dataclass(frozen=True)
class Kept:
    """What was kept of an earlier report with the same id."""

    token_hash: bytes
    token_cipher: bytes
    key_hash: bytes | None
    request_hash: bytes


@dataclass(frozen=True)
class Address:
    """Where a reporter wants to hear, in which language, and by which token it is followed."""

    email: str = field(repr=False)
    language: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Step:
    """Something that happened to an incident and that its reporter may know.

    Attributes
    ----------
    is_own
        Whether the reporter did it.
    """

    kind: str
    at: datetime
    words: str = ""
    is_own: bool = False


@dataclass(frozen=True)
class Followed:
    """An incident as whoever reported it sees it."""

    id: UUID
    community_code: int
    category_code: str
    status: str
    reported_at: datetime
    closed_at: datetime | None
    words: str
    place: str
    spot: Spot
    has_email: bool
    steps: tuple[Step, ...]

    @property
    def can_confirm(self) -> bool:
        """Whether the reporter is asked if it is solved."""
        return self.status in CONFIRMABLE

    @property
    def can_reopen(self) -> bool:
        """Whether the reporter may say that it is not."""
        return self.status in REOPENABLE


@dataclass(frozen=True)
class Similar:
    """An open public incident near a place, in what everybody may know of it.

    Attributes
    ----------
    words
        As reported, with long numbers hidden.
    distance_m
        Rounded up to tens.
    photo_id
        A published photo, where there is one.
    """

    id: UUID
    community_code: int
    category_code: str
    status: str
    reported_at: datetime
    words: str
    place_name: str
    distance_m: int
    photo_id: UUID | None


@dataclass(frozen=True)
class FollowToken:
    """What the link of a report is made of: where to look, and the secret that opens it."""

    community_code: int
    incident_id: UUID
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The token as it stands in a link: 54 letters that no address has to escape."""
        code = self.community_code.to_bytes(_CODE_BYTES, "big")
        return _letters(code + self.incident_id.bytes + self.secret)

    @property
    def hashed(self) -> bytes:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret).digest()

    @classmethod
    def read(cls, text: str) -> "FollowToken | None":
        r"""Return what a token says, be its secret right or wrong; nothing for what is no token.

        Examples
        --------
        >>> token = FollowToken(440605011016, UUID(int=7), bytes(18))
        >>> FollowToken.read(f" {token.text}\n") == token, FollowToken.read("7QK2-M0XA")
        (True, None)
        """
        raw = _raw(text.strip(), length=TOKEN_LENGTH)
        if raw is None:
            return None
        own_id = raw[_CODE_BYTES : _CODE_BYTES + _ID_BYTES]
        return cls(
            int.from_bytes(raw[:_CODE_BYTES], "big"),
            UUID(bytes=own_id),
            raw[_CODE_BYTES + _ID_BYTES :],
        )


def _letters(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str, *, length: int) -> bytes | None:
    if len(text) != length or not text.isascii():
        return None
    try:
        return base64.b64decode(text + "=" * (-length % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return None


def new_secret() -> str:
    """Return the secret of a link: 144 random bits, 24 letters."""
    return _letters(secrets.token_bytes(_SECRET_BYTES))


def secret_bytes(secret: str) -> bytes | None:
    """Return a secret as `new_secret` makes it in bytes; nothing for what is none."""
    return _raw(secret, length=SECRET_LENGTH)


def key_hash(key: str) -> bytes:
    """Return what is kept of an ``Idempotency-Key``."""
    return hashlib.sha256(f"report {key}".encode()).digest()


def id_of_key(key: str) -> UUID:
    """Return the id of a report whose client made none: the same for a repetition."""
    return uuid5(_NAMESPACE, key)

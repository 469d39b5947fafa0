"""Notices, channels, deliveries and inbox entries, in plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
Value: TypeAlias = "str | Mapping[str, str]"
"""What stands for a placeholder: one text, or one for each language."""

WECOM, DINGTALK, FEISHU, WEBHOOK, EMAIL, COPY = (
    *("wecom", "dingtalk", "feishu", "webhook", "email", "copy"),
)
ROBOTS = (WECOM, DINGTALK, FEISHU)
ON_THE_WEB = (*ROBOTS, WEBHOOK)
"""Kinds whose address is a URL."""
CHANNEL_KINDS = (*ON_THE_WEB, EMAIL, COPY)

SPREAD, DELIVER = "notices.spread", "notices.deliver"
"""Errands: find who is told, and tell one of them."""
TEST = "channel.test"
"""Template of a test notice."""
DEAD_LETTER, READY_TO_COPY = "notice.dead", "notice.to_copy"
"""Kinds of live updates."""

WAITING, SENT, DEAD, TO_COPY, COPIED = "waiting", "sent", "dead", "to_copy", "copied"


@dataclass(frozen=True)
class Audience:
    """Who is to hear of something; several of these at once are fine, and none is as well.

    Attributes
    ----------
    place_code
        A community, compound or stairwell (12, 15 or 20 digits): its group is told, or that of
        the next larger place that has one; machines (``webhook``) hear of every place in theirs.
    roles
        Into the inboxes of those accounts of the community.
    account_ids
        Into the inboxes of these accounts.
    email_cipher, language
        An address that the vault has encrypted, and the language to write to it in.
    """

    place_code: str | None = None
    roles: frozenset[str] = frozenset()
    account_ids: frozenset[UUID] = frozenset()
    email_cipher: bytes | None = None
    language: Language = "zh"


@dataclass(frozen=True)
class Message:
    """What is to be said.

    Attributes
    ----------
    template
        As the templates name it, such as ``incident.resolved``.
    values
        A text for each placeholder of the template; no names or phones of people.
    subject
        Id of what it is about, for links and for machines.
    category
        A code such as ``lift.fault``, for templates with words of their own for a category.
    """

    community_code: int
    template: str
    values: Mapping[str, Value]
    audience: Audience
    subject: str
    category: str = ""


@dataclass(frozen=True)
class Rendered:
    """A message in one language."""

    title: str
    text: str


@dataclass(frozen=True)
class Notice:
    """A message as it was written into the outbox."""

    community_code: int
    id: UUID
    template: str
    category: str
    values: Mapping[str, Value]
    subject: str
    place_code: str | None
    created_at: datetime


@dataclass(frozen=True)
class Channel:
    """Where the people of a place, or a machine, can be told.

    Attributes
    ----------
    host
        Of its address: all that is ever shown of one.
    has_secret
        Whether what is sent is signed.
    """

    community_code: int
    id: UUID
    kind: str
    name: str
    place_code: str
    language: Language
    host: str
    has_secret: bool
    is_on: bool
    created_at: datetime


@dataclass(frozen=True)
class Target:
    """A channel with what it takes to reach it; it stays inside this package."""

    kind: str
    address_cipher: bytes | None
    secret_cipher: bytes | None
    language: Language


@dataclass(frozen=True)
class Delivery:
    """One notice on its way to one channel or address.

    Attributes
    ----------
    kind
        Of the channel; ``email`` also for a single address.
    attempt_count
        How often it was tried since it was queued, or queued again.
    outcome
        A word for how the last try ended, such as ``timeout``; absent before the first.
    next_at
        When it is tried again, while it waits after a try.
    """

    community_code: int
    id: UUID
    notice_id: UUID
    kind: str
    channel_id: UUID | None
    channel_name: str
    language: Language
    status: str
    attempt_count: int
    outcome: str | None
    next_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Letter:
    """A delivery with the words that are sent."""

    delivery: Delivery
    notice: Notice
    rendered: Rendered


@dataclass(frozen=True)
class Attempt:
    """One try to deliver.

    Attributes
    ----------
    outcome
        ``sent``, or a word for what went wrong.
    status
        That of the answer, or the code of the robot's or mail server's refusal, if there was one.
    """

    number: int
    at: datetime
    outcome: str
    status: int | None
    took_ms: int


@dataclass(frozen=True)
class InboxEntry:
    """A message to one account."""

    community_code: int
    id: UUID
    template: str
    category: str
    subject: str
    created_at: datetime
    read_at: datetime | None
    values: Mapping[str, Value] = field(repr=False)

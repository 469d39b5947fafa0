"""Notices over the wire: channels without their addresses, deliveries, the inbox."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gridsvc.notices import service
from gridsvc.notices.model import Attempt, InboxEntry, Language, Letter

ChannelKind = Literal["wecom", "dingtalk", "feishu", "webhook", "email", "copy"]
DeliveryStatus = Literal["waiting", "sent", "dead", "to_copy", "copied"]
PlaceCode = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{11}([0-9]{3}([0-9]{5})?)?$"),
    Field(
        description="Of a community, a compound or a stairwell: 12, 15 or 20 digits. The"
        " sub-district's own code: all of it."
    ),
]
ChannelName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Address = Annotated[
    str,
    StringConstraints(max_length=1000),
    Field(description="An `https` address, or of an e-mail; it is never sent back."),
]
Secret = Annotated[
    str,
    StringConstraints(max_length=200),
    Field(description="What signs; never sent back. A webhook without one gets a new one."),
]


class ChannelIn(BaseModel):
    """A channel to be made."""

    model_config = ConfigDict(extra="forbid")

    kind: ChannelKind
    name: ChannelName
    place_code: PlaceCode
    address: Address = ""
    secret: Secret = ""
    language: Language = "zh"


class ChannelChange(BaseModel):
    """What is to change of a channel; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    name: ChannelName | None = None
    language: Language | None = None
    is_on: bool | None = None
    address: Address | None = None
    secret: Secret | None = None


class ChannelOut(BaseModel):
    """Where the people of a place, or a machine, can be told."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    community_code: int
    kind: ChannelKind
    name: str
    place_code: str
    language: Language
    host: str = Field(description="Of its address, the rest of which is a secret.")
    has_secret: bool = Field(description="Whether what is sent is signed.")
    is_on: bool
    created_at: datetime


class NewChannelOut(ChannelOut):
    """A channel that was made."""

    secret: str | None = Field(
        description="That of a webhook, where none was given: `whsec_…`, shown this once."
    )


class ChannelsOut(BaseModel):
    """The channels of a territory."""

    items: list[ChannelOut]


class SentTestOut(BaseModel):
    """A test notice on its way."""

    delivery_id: UUID = Field(description="Ask for this delivery to read how it went.")


class DeliveryOut(BaseModel):
    """One notice on its way to one channel or address."""

    id: UUID
    community_code: int
    notice_id: UUID
    template: str = Field(description="What happened, as `incident.resolved`.")
    subject: str = Field(description="Id of what it happened to.")
    kind: ChannelKind
    channel_id: UUID | None = Field(description="Null for a single e-mail address.")
    channel_name: str
    status: DeliveryStatus
    attempt_count: int = Field(description="Since it was queued, or queued again.")
    outcome: str | None = Field(description="How the last try ended, as `timeout`.")
    next_at: datetime | None = Field(description="When it is tried again, while it waits.")
    title: str
    text: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, letter: Letter) -> "DeliveryOut":
        """Return a delivery as it is sent."""
        return cls(**_told(letter))


def _told(letter: Letter) -> dict[str, object]:
    known = set(DeliveryOut.model_fields)
    told = {name: value for name, value in vars(letter.delivery).items() if name in known}
    notice, rendered = letter.notice, letter.rendered
    return {
        **told,
        "template": notice.template,
        "subject": notice.subject,
        "title": rendered.title,
        "text": rendered.text,
    }


class AttemptOut(BaseModel):
    """One try to deliver."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    at: datetime
    outcome: str = Field(description="`sent`, or a word for what went wrong.")
    status: int | None = Field(description="Of the answer, or the code of a robot's refusal.")
    took_ms: int


class TriedDeliveryOut(DeliveryOut):
    """A delivery with its tries, the last one first."""

    attempts: list[AttemptOut]

    @classmethod
    def with_attempts(cls, letter: Letter, attempts: list[Attempt]) -> "TriedDeliveryOut":
        """Return a delivery and its tries as they are sent."""
        tried = [AttemptOut.model_validate(one) for one in attempts]
        return cls(**_told(letter), attempts=tried)


class EntryOut(BaseModel):
    """A message to the own account."""

    id: UUID
    community_code: int
    template: str = Field(description="What happened, as `incident.assigned`.")
    subject: str = Field(description="Id of what it happened to.")
    title: str
    text: str
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, entry: InboxEntry, language: Language) -> "EntryOut":
        """Return an entry as it is sent, in a language."""
        rendered = service.render(entry, language)
        told = {name: value for name, value in vars(entry).items() if name in cls.model_fields}
        return cls(**told, title=rendered.title, text=rendered.text)


class InboxOut(BaseModel):
    """Some entries of the own inbox."""

    items: list[EntryOut]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")
    unread_count: int = Field(description="Of the whole inbox.")


class ReadOut(BaseModel):
    """What was marked as read."""

    count: int = Field(description="How many entries had not been read before.")

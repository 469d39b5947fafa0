"""Channels: who is told at a place; their addresses go in and never come out again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.db import Interval, new_id, scope_of
from gridsvc.errors import InvalidChannelError, NotFoundError
from gridsvc.jobs import errands
from gridsvc.notices import store
from gridsvc.notices.model import (
    COPY,
    DELIVER,
    DINGTALK,
    EMAIL,
    FEISHU,
    TEST,
    TO_COPY,
    WAITING,
    WEBHOOK,
    Channel,
    Language,
)
from gridsvc.notices.sending.addresses import Network, is_allowed, literal, place_of
from gridsvc.notices.sending.mail import is_address
from gridsvc.notices.sending.signing import new_webhook_secret, webhook_key
from gridsvc.vault import Vault

_PLACE = re.compile(r"[1-9][0-9]{11}([0-9]{3}([0-9]{5})?)?")
_SIGNED = (DINGTALK, FEISHU, WEBHOOK)
MAX_CHANNELS = 2_000
"""Of one territory: a stairwell has one, or two."""
FAULTS = (
    *("address", "private", "email", "no-address", "name", "not-signed", "secret"),
    "too-many",
)
"""Why a channel is refused; each has words on the pages."""


@dataclass(frozen=True)
class NewChannel:
    """A channel to be made.

    Attributes
    ----------
    place_code
        Of a community, compound or stairwell; the sub-district's own code: all of it.
    address
        A URL, or an e-mail address; none for texts that somebody copies.
    secret
        What signs; a webhook without one gets a new one.
    """

    kind: str
    name: str
    place_code: str
    address: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    language: Language = "zh"


def list_channels(session: Session) -> list[Channel]:
    """Return the channels of the caller's territory."""
    access.require_role(session, "administrator")
    return store.list_channels(session)


def get_channel(session: Session, channel_id: UUID) -> Channel:
    """Return a channel of the caller's territory.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    """
    access.require_role(session, "administrator")
    found = store.find_channel(session, channel_id)
    if found is None:
        raise NotFoundError("channel", channel_id)
    return found


def add(
    session: Session, vault: Vault, wanted: NewChannel, *, networks: Sequence[Network] = ()
) -> tuple[Channel, str]:
    """Make a channel.

    Parameters
    ----------
    networks
        Private ones that notices may go to.

    Returns
    -------
    tuple
        The channel; and the secret of a webhook that was made for it, else nothing.

    Raises
    ------
    NotFoundError
        The place is not in the caller's territory.
    InvalidChannelError
        Address or secret do not fit the kind.
    """
    access.require_role(session, "administrator")
    code = _community_of(session, wanted.place_code)
    if len(store.list_channels(session)) >= MAX_CHANNELS:
        raise InvalidChannelError("too-many", f"There are {MAX_CHANNELS} channels already.")
    made = new_webhook_secret() if wanted.kind == WEBHOOK and not wanted.secret else ""
    channel_id = new_id()
    store.add_channel(
        session,
        community_code=code,
        id=channel_id,
        kind=wanted.kind,
        name=_name(wanted.name),
        place_code=wanted.place_code,
        language=wanted.language,
        **_address(wanted.kind, wanted.address, vault, networks),
        **_secret(wanted.kind, wanted.secret or made, vault),
    )
    _record(
        session, code, "notice-channel.add", channel_id, kind=wanted.kind, place=wanted.place_code
    )
    return get_channel(session, channel_id), made


def change(
    session: Session,
    vault: Vault,
    channel_id: UUID,
    *,
    name: str | None = None,
    language: Language | None = None,
    is_on: bool | None = None,
    address: str | None = None,
    secret: str | None = None,
    networks: Sequence[Network] = (),
) -> Channel:
    """Change of a channel what is given.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    InvalidChannelError
        Address or secret do not fit the kind.
    """
    channel = get_channel(session, channel_id)
    values: dict[str, Any] = {"language": language, "is_on": is_on}
    if name is not None:
        values["name"] = _name(name)
    if address is not None:
        values |= _address(channel.kind, address, vault, networks)
    if secret is not None:
        values |= _secret(channel.kind, secret, vault)
    told = {key: value for key, value in values.items() if value is not None}
    if told:
        store.change_channel(session, channel_id, **told)
        fields = ", ".join(sorted(told))
        _record(session, channel.community_code, "notice-channel.change", channel_id, fields=fields)
    return get_channel(session, channel_id)


def remove(session: Session, channel_id: UUID) -> None:
    """Delete a channel; what still waits for it becomes a dead letter.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    """
    channel = get_channel(session, channel_id)
    store.delete_channel(session, channel_id)
    _record(session, channel.community_code, "notice-channel.delete", channel_id)


def send_test(session: Session, channel_id: UUID) -> UUID:
    """Send a test notice to one channel; return its delivery, in which to read how it went.

    Raises
    ------
    NotFoundError
        There is none, or it is not the caller's to see.
    """
    channel = get_channel(session, channel_id)
    notice_id, delivery_id = new_id(), new_id()
    code = channel.community_code
    store.add_notice(
        session,
        community_code=code,
        id=notice_id,
        template=TEST,
        values={"channel": channel.name},
        subject=str(channel_id),
        place_code=channel.place_code,
    )
    store.add_delivery(
        session,
        community_code=code,
        id=delivery_id,
        notice_id=notice_id,
        **towards(channel),
    )
    if channel.kind != COPY:
        errands.put(session, DELIVER, community_code=code, row_id=delivery_id)
    _record(session, code, "notice-channel.test", channel_id)
    return delivery_id


def towards(channel: Channel) -> dict[str, object]:
    """Return what a delivery to a channel says of where it goes."""
    return {
        "kind": channel.kind,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "language": channel.language,
        "status": TO_COPY if channel.kind == COPY else WAITING,
    }


def _community_of(session: Session, place_code: str) -> int:
    """Return the community of a place; a sub-district's own code stays what it is."""
    if not _PLACE.fullmatch(place_code):
        raise NotFoundError("place", place_code)
    code = int(place_code[:12])
    wanted = Interval.of(code)
    if not any(own.lo <= wanted.lo and wanted.hi <= own.hi for own in scope_of(session).intervals):
        raise NotFoundError("place", place_code)
    return code


def _name(text: str) -> str:
    name = "".join(letter for letter in text if letter.isprintable()).strip()
    if not name:
        raise InvalidChannelError("name", "A channel needs a name.")
    return name


def _address(
    kind: str, address: str, vault: Vault, networks: Sequence[Network]
) -> dict[str, object]:
    """Return an address as it is stored."""
    address = address.strip()
    if kind == COPY:
        if address:
            raise InvalidChannelError("no-address", "Texts to copy have no address.")
        return {"address_cipher": None, "host": ""}
    if kind == EMAIL:
        if not is_address(address):
            raise InvalidChannelError("email", "The address is no e-mail address.")
        host = address.partition("@")[2]
    else:
        host = _host_of(address, networks)
    return {"address_cipher": vault.encrypt(address), "host": host}


def _host_of(url: str, networks: Sequence[Network]) -> str:
    """Return the host of a URL that may be told; a name is looked up when it is."""
    try:
        place = place_of(url)
    except ValueError as error:
        raise InvalidChannelError("address", f"The address cannot be used: {error}.") from error
    if place.scheme == "http" and not networks:
        raise InvalidChannelError("address", "The address does not begin with https://.")
    address = literal(place.host)
    if address is not None and not is_allowed(address, networks):
        raise InvalidChannelError("private", "The address is on a private network.")
    return place.host


def _secret(kind: str, secret: str, vault: Vault) -> dict[str, object]:
    """Return a secret as it is stored."""
    secret = secret.strip()
    if secret and kind not in _SIGNED:
        raise InvalidChannelError("not-signed", "What this kind of channel is sent is not signed.")
    if kind == WEBHOOK:
        try:
            webhook_key(secret)
        except ValueError as error:
            raise InvalidChannelError("secret", f"The secret cannot be used: {error}.") from error
    return {"secret_cipher": vault.encrypt(secret) if secret else None}


def _record(
    session: Session, community_code: int, action: str, channel_id: UUID, **detail: object
) -> None:
    audit.record(
        session,
        community_code=community_code,
        action=action,
        subject=str(channel_id),
        **detail,
    )

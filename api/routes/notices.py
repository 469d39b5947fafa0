"""Channels of notices, what could not be delivered, and texts to copy."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from api.deps import SessionDep, SettingsDep, VaultDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.notices import (
    ChannelChange,
    ChannelIn,
    ChannelOut,
    ChannelsOut,
    DeliveryOut,
    DeliveryStatus,
    NewChannelOut,
    SentTestOut,
    TriedDeliveryOut,
)
from api.schemas.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    decode_time_cursor,
    page_of,
)
from gridsvc.notices import channels, service
from gridsvc.notices.channels import NewChannel
from gridsvc.notices.model import Channel

router = APIRouter(prefix="/api/v1/notices", tags=["notices"])
Wanted = Annotated[
    DeliveryStatus,
    Query(description="`dead`: could not be delivered; `to_copy`: for groups without a robot."),
]


@router.get("/channels", response_model=ChannelsOut, responses=responses(401, 403, 503))
def list_channels(session: SessionDep) -> dict[str, object]:
    """Return the channels of the caller's territory, by place and name; never their addresses."""
    return {"items": channels.list_channels(session)}


@router.post(
    "/channels",
    response_model=NewChannelOut,
    status_code=201,
    responses=responses(401, 403, 404, 422, 503),
)
def add_channel(
    session: SessionDep, vault: VaultDep, settings: SettingsDep, body: ChannelIn
) -> dict[str, object]:
    """Make a channel.

    No answer is kept under an `Idempotency-Key`, because it may hold a secret: if it is lost,
    delete the channel and make another.
    """
    wanted = NewChannel(**body.model_dump())
    networks = settings.notice_networks or ()
    made, secret = channels.add(session, vault, wanted, networks=networks)
    return {**vars(made), "secret": secret or None}


@router.patch(
    "/channels/{channel_id}",
    response_model=ChannelOut,
    responses=responses(401, 403, 404, 422, 503),
)
def change_channel(
    session: SessionDep,
    vault: VaultDep,
    settings: SettingsDep,
    channel_id: UUID,
    body: ChannelChange,
) -> Channel:
    """Change of a channel what is given."""
    networks = settings.notice_networks or ()
    return channels.change(session, vault, channel_id, **body.model_dump(), networks=networks)


@router.delete(
    "/channels/{channel_id}",
    status_code=204,
    response_class=Response,
    responses=responses(401, 403, 404, 422, 503),
)
def delete_channel(session: SessionDep, channel_id: UUID) -> None:
    """Delete a channel; what still waits for it becomes a dead letter."""
    channels.remove(session, channel_id)


@router.post(
    "/channels/{channel_id}/test",
    response_model=SentTestOut,
    status_code=201,
    responses={
        200: {"model": SentTestOut, "description": "Known already: the first answer again."},
        **responses(401, 403, 404, 422, 503),
    },
)
def send_test(
    session: SessionDep, channel_id: UUID, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Send a test notice to a channel."""
    return once(
        session,
        idempotency_key,
        f"test {channel_id}".encode(),
        status=201,
        act=lambda: SentTestOut(delivery_id=channels.send_test(session, channel_id)),
    )


@router.get(
    "/deliveries", response_model=Page[DeliveryOut], responses=responses(401, 403, 422, 503)
)
def list_deliveries(
    session: SessionDep,
    status: Wanted = "dead",
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, object]:
    """Return the deliveries of a status in the caller's territory, the newest first."""
    before = decode_time_cursor(cursor)
    found = service.list_letters(session, status=status, before=before, limit=limit + 1)
    shown = [DeliveryOut.of(one) for one in found]
    return page_of(shown, limit, names=lambda last: (last.created_at.isoformat(), str(last.id)))


@router.get(
    "/deliveries/{delivery_id}",
    response_model=TriedDeliveryOut,
    responses=responses(401, 403, 404, 422, 503),
)
def get_delivery(session: SessionDep, delivery_id: UUID) -> TriedDeliveryOut:
    """Return a delivery with every try."""
    letter = service.get_letter(session, delivery_id)
    return TriedDeliveryOut.with_attempts(letter, service.list_attempts(session, delivery_id))


@router.post(
    "/deliveries/{delivery_id}/resend",
    response_model=DeliveryOut,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def resend_delivery(
    session: SessionDep, delivery_id: UUID, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Try a dead letter again, from the beginning; it keeps its id."""
    return once(
        session,
        idempotency_key,
        f"resend {delivery_id}".encode(),
        status=200,
        act=lambda: DeliveryOut.of(service.resend(session, delivery_id)),
    )


@router.post(
    "/deliveries/{delivery_id}/copied",
    response_model=DeliveryOut,
    responses=responses(401, 403, 404, 409, 422, 503),
)
def mark_copied(
    session: SessionDep, delivery_id: UUID, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Note that a text was put into its group."""
    return once(
        session,
        idempotency_key,
        f"copied {delivery_id}".encode(),
        status=200,
        act=lambda: DeliveryOut.of(
            service.mark_copied(session, delivery_id, now=datetime.now(UTC))
        ),
    )

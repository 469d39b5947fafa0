"""Things to say, whoever says them, and a worker's steps without a worker."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gridsvc.db import Interval, Scope
from gridsvc.jobs.running import TryAgainError
from gridsvc.notices import channels, delivering, service
from gridsvc.notices.channels import NewChannel
from gridsvc.notices.delivering import Office
from gridsvc.notices.model import Audience, Channel, Message
from tests import town
from tests.databases import Clone

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET
COMPOUND, STAIRWELL = f"{A}007", f"{A}00700102"
LOOPBACK = (ip_network("127.0.0.0/8"),)
VALUES = {"category": {"zh": "楼道照明", "en": "Lights"}, "place": "7 栋", "number": "42"}


def office_of(**changed: Any) -> Office:
    given: dict[str, Any] = {"networks": LOOPBACK, "wait_s": 2.0, "draw": lambda: 1.0}
    return Office(town.VAULT, **{**given, **changed})


def scope(role: str, *codes: int, account: UUID | None = None) -> Scope:
    account = account or town.id_of("office", {A: "east", B: "west"}.get(codes[0], "street"))
    return Scope(role, tuple(map(Interval.of, codes)), account=account)


def message(audience: Audience, *, code: int = A, **changed: Any) -> Message:
    values: Mapping[str, Any] = VALUES | {"link": "https://grid.example/i/42"}
    given: dict[str, Any] = {"template": "incident.reported", "values": values, "subject": "42"}
    return Message(community_code=code, audience=audience, **{**given, **changed})


def say(
    clone: Clone, audience: Audience, *, role: str = "coordinator", code: int = A, **changed: Any
) -> UUID:
    with clone.api.session(scope(role, code)) as session, session.begin():
        return service.enqueue(session, message(audience, code=code, **changed))


def add_channel(
    clone: Clone,
    kind: str,
    place_code: object,
    address: str = "",
    *,
    code: int = STREET,
    **more: Any,
) -> tuple[Channel, str]:
    wanted = NewChannel(kind, f"{kind} {place_code}", str(place_code), address, **more)
    with clone.api.session(scope("administrator", code)) as session, session.begin():
        return channels.add(session, town.VAULT, wanted, networks=LOOPBACK)


def queued(clone: Clone) -> list[tuple[str, int, UUID]]:
    """Return the errands that wait, as a worker would take them."""
    query = "SELECT args FROM procrastinate.procrastinate_jobs WHERE status = 'todo' ORDER BY id"
    with clone.root.connect() as connection:
        found = connection.scalars(text(query)).all()
    return [(one["errand"], one["community_code"], UUID(one["row_id"])) for one in found]


def clear_queue(clone: Clone) -> None:
    clone.run("SET LOCAL search_path TO procrastinate", "DELETE FROM procrastinate_jobs")


def spread(clone: Clone, notice_id: UUID, *, code: int = A) -> None:
    delivering.spread(clone.job, code, notice_id)


def deliver(
    clone: Clone, delivery_id: UUID, office: Office | None = None, code: int = A
) -> float | None:
    """Try to deliver; return after how long it is to be tried again."""
    try:
        delivering.deliver(clone.job, office or office_of(), code, delivery_id)
    except TryAgainError as again:
        return again.after_s
    return None


def rows(clone: Clone, table: str, where: str = "true") -> list[Any]:
    query = f"SELECT * FROM gridsvc.{table} WHERE {where} ORDER BY created_at, id"  # noqa: S608
    with clone.root.connect() as connection:
        return list(connection.execute(text(query)).all())


def deliveries(clone: Clone, notice_id: UUID) -> list[Any]:
    return rows(clone, "notice_delivery", f"notice_id = '{notice_id}'")

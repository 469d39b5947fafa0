"""What a worker does for notices: finds who is to be told, and tells them, again where needed.

These take a database, not a session: no connection waits for a receiver. A try is noted before it
is made and after it has ended; killed in between, it is made again, and whoever was told twice
knows it by the id.

References
----------
.. [1] M. Brooker, Exponential Backoff And Jitter (2015),
   https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("full jitter").
"""

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from gridsvc.db import Database, Interval, Scope, new_id
from gridsvc.jobs import errands
from gridsvc.jobs.errands import Errands
from gridsvc.jobs.running import TryAgainError
from gridsvc.notices import live, store
from gridsvc.notices.channels import towards
from gridsvc.notices.model import (
    COPY,
    DEAD,
    DEAD_LETTER,
    DELIVER,
    EMAIL,
    READY_TO_COPY,
    SENT,
    SPREAD,
    WAITING,
    WEBHOOK,
    Channel,
    Delivery,
    Letter,
    Target,
)
from gridsvc.notices.sending.addresses import Network, place_of
from gridsvc.notices.sending.mail import MailServer, message_of, send
from gridsvc.notices.sending.outcome import RefusedError
from gridsvc.notices.sending.posting import post
from gridsvc.notices.sending.robots import judge, post_of
from gridsvc.notices.service import letter_of
from gridsvc.vault import Vault

MAX_ATTEMPTS = 12
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 10.0, 3 * 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Office:
    """What it takes to deliver.

    Attributes
    ----------
    networks
        Private ones that notices may go to.
    wait_s
        Longest time that a receiver is waited for.
    mail
        The operator's mail server; absent: e-mails are dead letters.
    draw
        A number from 0 to 1, for pauses.
    """

    vault: Vault
    networks: Sequence[Network] = ()
    wait_s: float = 10.0
    mail: MailServer | None = None
    draw: Callable[[], float] = field(default=random.random)


def errands_of(office: Office) -> Errands:
    """Return the errands of notices, for a worker's table."""
    return {
        SPREAD: spread,
        DELIVER: lambda database, code, row_id: deliver(database, office, code, row_id),
    }


def pause_s(attempt_count: int, *, draw: Callable[[], float]) -> float:
    """Return how long to wait after so many tries: anything up to twice as long each time.

    Examples
    --------
    >>> [pause_s(count, draw=lambda: 1.0) for count in (1, 2, 3, 12)]
    [10.0, 20.0, 40.0, 10800.0]
    """
    return draw() * min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (attempt_count - 1))


# ---- who is told


def places_around(place_code: str) -> list[str]:
    """Return a place and those it lies in, the smallest first.

    Examples
    --------
    >>> places_around("440605011016003")
    ['440605011016003', '440605011016', '440605011000']
    """
    lengths = [length for length in (20, 15, 12) if length <= len(place_code)]
    street_code = f"{place_code[:9]}000"
    return list(dict.fromkeys([*(place_code[:length] for length in lengths), street_code]))


def chosen(channels: Sequence[Channel], places: Sequence[str]) -> list[Channel]:
    """Return who is told: every machine, and the people of the smallest place that has any."""
    machines = [one for one in channels if one.kind == WEBHOOK]
    people = [one for one in channels if one.kind != WEBHOOK]
    nearest = next((code for code in places if any(one.place_code == code for one in people)), "")
    return machines + [one for one in people if one.place_code == nearest]


def spread(database: Database, community_code: int, notice_id: UUID) -> None:
    """Write a delivery for each channel that is to have a notice; once, however often it is run."""
    with database.session(_scope(community_code)) as session, session.begin():
        notice = store.find_notice(session, community_code, notice_id)
        if notice is None or notice.place_code is None:
            return  # retention was faster
        places = places_around(notice.place_code)
        told = {
            # Made from what it joins: a second run makes the same one.
            uuid5(NAMESPACE_OID, f"{notice_id} {channel.id}"): channel
            for channel in chosen(store.channels_of(session, places), places)
        }
        new = store.add_deliveries(
            session,
            [
                {
                    "community_code": community_code,
                    "id": delivery_id,
                    "notice_id": notice_id,
                    **towards(channel),
                }
                for delivery_id, channel in told.items()
            ],
        )
        for delivery_id in new:
            if told[delivery_id].kind == COPY:
                live.tell(
                    session,
                    community_code=community_code,
                    kind=READY_TO_COPY,
                    subject=str(delivery_id),
                )
            else:
                errands.put(session, DELIVER, community_code=community_code, row_id=delivery_id)


# ---- telling them


def deliver(database: Database, office: Office, community_code: int, delivery_id: UUID) -> None:
    """Try to deliver, unless there is nothing left to do.

    Raises
    ------
    TryAgainError
        It did not arrive and is to be tried again later.
    """
    scope = _scope(community_code)
    with database.session(scope) as session, session.begin():
        tried = store.begin(session, community_code, delivery_id)
        if tried is None:
            return
        notice = store.find_notice(session, community_code, tried.notice_id)
        assert notice is not None  # noqa: S101  (a foreign key holds it)
        letter, target = letter_of(tried, notice), store.find_target(session, tried)
    began_s = time.monotonic()
    refusal = _try(office, letter, target)
    took_ms = round((time.monotonic() - began_s) * 1000)
    after_s = _again_after_s(office, tried, refusal)
    with database.session(scope) as session, session.begin():
        outcome = refusal.outcome if refusal else SENT
        store.add_attempt(
            session,
            community_code=community_code,
            id=new_id(),
            delivery_id=delivery_id,
            number=tried.attempt_count,
            outcome=outcome,
            status=refusal.status if refusal else None,
            took_ms=took_ms,
        )
        values = _ending(refusal, after_s)
        store.finish(session, tried, outcome=outcome, **values)
        if values["status"] == DEAD:
            live.tell(
                session,
                community_code=community_code,
                kind=DEAD_LETTER,
                subject=str(delivery_id),
            )
    _note(tried, outcome, after_s)
    if after_s is not None:
        raise TryAgainError(math.ceil(after_s))


def _ending(refusal: RefusedError | None, after_s: float | None) -> dict[str, object]:
    """Return what becomes of a delivery after a try."""
    now = datetime.now(UTC)
    if refusal is None:
        return {"status": SENT, "ended_at": now, "address_cipher": None}  # nobody needs it now
    if after_s is None:
        return {"status": DEAD, "ended_at": now}
    return {"status": WAITING, "next_at": now + timedelta(seconds=after_s)}


def _again_after_s(office: Office, tried: Delivery, refusal: RefusedError | None) -> float | None:
    """Return when to try again; nothing where that is not to be."""
    if refusal is None or refusal.is_final or tried.attempt_count >= MAX_ATTEMPTS:
        return None
    return max(refusal.after_s, pause_s(tried.attempt_count, draw=office.draw))


def _try(office: Office, letter: Letter, target: Target | None) -> RefusedError | None:
    """Send a letter; return why it did not arrive, if it did not."""
    try:
        if target is None or target.address_cipher is None:
            raise RefusedError("channel-gone", is_final=True)  # noqa: TRY301 - one way out
        _send(office, letter, target, office.vault.decrypt(target.address_cipher))
    except RefusedError as refusal:
        return refusal
    except Exception as error:
        # Whatever it is, it is counted as a try: it must not be made for ever.
        log.exception("unexpected error in a delivery", exc_info=error)
        return RefusedError("fault")
    return None


def _send(office: Office, letter: Letter, target: Target, address: str) -> None:
    if target.kind == EMAIL:
        if office.mail is None:
            raise RefusedError("no-mail-server", is_final=True)
        message = message_of(letter, office.mail.sender, address)
        send(message, office.mail, wait_s=office.wait_s)
        return
    secret = None if target.secret_cipher is None else office.vault.decrypt(target.secret_cipher)
    made = post_of(letter, address, secret, now=datetime.now(UTC))
    answer = post(
        place_of(made.url),
        made.body,
        made.headers,
        networks=office.networks,
        wait_s=office.wait_s,
    )
    judge(target.kind, answer)


def _note(tried: Delivery, outcome: str, after_s: float | None) -> None:
    facts = {"delivery": str(tried.id), "kind": tried.kind, "attempt": tried.attempt_count}
    if after_s is not None:
        facts["after_s"] = math.ceil(after_s)
    log.info("delivery tried", extra={**facts, "outcome": outcome})


def _scope(community_code: int) -> Scope:
    """Return the job's scope: channels of the whole sub-district count as well."""
    return Scope("job", (Interval.of(community_code // 1000 * 1000),))

"""Rounds over the whole territory, as a worker makes them every few minutes."""

import logging

from gridsvc.db import Database, Interval, Scope, clear_connection_errors
from gridsvc.incidents.moving import sweeping
from gridsvc.overview.incidents import LISTENERS
from gridsvc.territory import service as territory

_EVERYTHING = Scope("job", (Interval(0, 999_999_999_999),))
_MOST_ROUNDS = 1_000

log = logging.getLogger(__name__)


def sweep_incidents(database: Database) -> None:
    """Let the rules of incidents act, a transaction for each batch of each sub-district.

    Parameters
    ----------
    database
        Of the job role.
    """
    with clear_connection_errors():
        with database.session(_EVERYTHING, read_only=True) as session:
            streets = territory.list_street_codes(session)
        for code in streets:
            _sweep(database, code)


def _sweep(database: Database, street_code: int) -> None:
    for _ in range(_MOST_ROUNDS):
        scope = Scope("job", (Interval.of(street_code),))
        with database.session(scope) as session, session.begin():
            swept = sweeping.sweep(session, on_event=LISTENERS)
        if any((swept.escalated, swept.closed, swept.moved, swept.followed)):
            log.info(
                "incidents swept",
                extra={
                    "street": street_code,
                    "escalated": swept.escalated,
                    "closed": swept.closed,
                    "moved": swept.moved,
                    "followed": swept.followed,
                },
            )
        if not swept.is_full:
            return

"""Steps of the tests of plans: who leads what, a plan proposed, and who could lead instead."""

from datetime import date
from uuid import UUID

from sqlalchemy import text

from gridsvc.contacts import service
from gridsvc.contacts.model import Plan, PlanOptions
from gridsvc.contacts.plans import service as plans
from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.local_time import local_today
from tests import town
from tests.databases import Clone

A, B = town.EAST_SHORE, town.WEST_BRIDGE
COORDINATOR = Scope("coordinator", (Interval.of(A),), account=town.ACCOUNT)


def coordinator(clone: Clone) -> ScopedSession:
    """Return a session of the coordinator of the first community."""
    return clone.api.session(COORDINATOR)


def leads(session: ScopedSession, on: date | None = None) -> dict[str, UUID]:
    """Return who leads each stairwell of the first community on a day."""
    rows = session.execute(
        text(
            "SELECT stairwell_code, member_id FROM gridsvc.contact WHERE community_code = :code"
            " AND kind = 'lead' AND valid @> CAST(:day AS date)"
        ),
        {"code": A, "day": on or local_today()},
    )
    return dict(rows.all())


def supporting(session: ScopedSession, on: date | None = None) -> set[tuple[str, UUID, int]]:
    """Return stairwell, member and households of each supporting contact on a day."""
    rows = session.execute(
        text(
            "SELECT stairwell_code, member_id, households FROM gridsvc.contact"
            " WHERE community_code = :code AND kind = 'supporting'"
            " AND valid @> CAST(:day AS date)"
        ),
        {"code": A, "day": on or local_today()},
    )
    return {(code, member_id, households) for code, member_id, households in rows}


def propose(session: ScopedSession, **options: object) -> Plan:
    """Propose a plan of the first community."""
    (plan,) = service.propose(
        session,
        time_limit_s=0.2,
        community_code=A,
        options=PlanOptions(**options),  # type: ignore[arg-type]
    ).plans
    return plan


def shuffle(session: ScopedSession) -> None:
    """Let contacts have begun in 2020, and the leads of the first compound be nobody's choice.

    All of it is led by one member who lives elsewhere: a plan will change most of these lines.
    """
    session.execute(text("DELETE FROM gridsvc.contact_pin"))
    session.execute(text("UPDATE gridsvc.contact SET valid = daterange('2020-01-01', NULL)"))
    session.execute(
        text(
            "UPDATE gridsvc.contact SET member_id = :member WHERE community_code = :code"
            " AND kind = 'lead' AND stairwell_code LIKE :compound"
        ),
        {
            "member": town.id_of("member", A, 7),
            "code": A,
            "compound": f"{town.compound_code(A)}%",
        },
    )


def changed_lines(session: ScopedSession, plan: Plan) -> list[str]:
    """Return the stairwells that a plan gives another lead."""
    return [
        line.stairwell_code
        for line in plans.list_lines(session, plan.id, limit=None)
        if line.change in ("new", "handed_over")
    ]


def somebody_else(session: ScopedSession, code: str, *others: UUID | None) -> UUID:
    """Return an available member who leads a stairwell neither now nor in what is given."""
    taken = {leads(session).get(code), *others}
    return next(
        member for number in range(8) if (member := town.id_of("member", A, number)) not in taken
    )


def snapshot(session: ScopedSession) -> list[tuple[object, ...]]:
    """Return every contact of the first community, to see that nothing has changed."""
    return [
        tuple(row)
        for row in session.execute(
            text(
                "SELECT stairwell_code, kind, member_id, valid::text, households, is_cover"
                " FROM gridsvc.contact WHERE community_code = :code ORDER BY 1, 2, 3, 4"
            ),
            {"code": A},
        )
    ]

"""Stairwell notices (楼道公示牌) as a PDF: of one stairwell, or of a compound.

Names are on it: it is made when it is asked for, sent, kept nowhere, and noted with counts only.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.deps import DatabaseDep
from api.pages.desk import Desk, DeskDep
from api.printing.bundles import PAGES_A_FILE
from api.printing.model import Notice, NoticeContact
from api.printing.notices import render_notices
from gridsvc.audit import service as audit
from gridsvc.contacts.duty import service as duty
from gridsvc.contacts.duty.model import Duty, DutyFilter
from gridsvc.db import Database, Scope, clear_connection_errors
from gridsvc.errors import NotFoundError
from gridsvc.local_time import local_today
from gridsvc.territory import service as territory
from gridsvc.territory import streets
from gridsvc.territory.model import Stairwell

router = APIRouter(prefix="/contacts/notices", include_in_schema=False)

_MOST_CONTACTS = 10_000
_MOST_STAIRWELLS = 10_000
_STAIRWELL_DIGITS = 20
NoticeCode = Annotated[
    str, Path(pattern=r"^([0-9]{15}|[0-9]{20})$", description="Of a compound or a stairwell.")
]


@router.get("/{code}.pdf", response_class=Response)
def print_notices(
    desk: DeskDep,
    database: DatabaseDep,
    code: NoticeCode,
    paper: Literal["A4", "A5"] = "A4",
    part: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    """Return the notices of a stairwell or a compound, a page each; long ones in numbered parts."""
    stairwells = _stairwells(desk, code)
    own = stairwells[(part - 1) * PAGES_A_FILE : part * PAGES_A_FILE]
    if not own:
        raise NotFoundError("part of the notices of", code)
    made = render_notices(
        _notices(desk, code, own),
        paper=paper,
        language=desk.language,
        issued_on=local_today(),
    )
    _note(database, desk.principal.scope, own[0].community_code, code, count=len(own))
    number = f"-{part}" if len(stairwells) > PAGES_A_FILE else ""
    headers = {
        "Content-Disposition": f'inline; filename="notices-{code}{number}.pdf"',
        "Cache-Control": "private, no-store",
    }
    return Response(made, media_type="application/pdf", headers=headers)


def _note(database: Database, scope: Scope, community_code: int, code: str, *, count: int) -> None:
    """Note that notices were printed, in a transaction of its own: that of a GET only reads."""
    with clear_connection_errors(), database.session(scope) as session, session.begin():
        audit.record(
            session,
            community_code=community_code,
            action="contacts.notices",
            subject=code,
            notices=count,
        )


def _stairwells(desk: Desk, code: str) -> Sequence[Stairwell]:
    if len(code) == _STAIRWELL_DIGITS:
        return [territory.get_stairwell(desk.session, code)]
    territory.get_compound(desk.session, code)
    return territory.list_stairwells(desk.session, compound_code=code, limit=_MOST_STAIRWELLS)


def _notices(desk: Desk, code: str, stairwells: Sequence[Stairwell]) -> list[Notice]:
    is_one = len(code) == _STAIRWELL_DIGITS
    wanted = DutyFilter(stairwell_code=code) if is_one else DutyFilter(compound_code=code)
    found = duty.list_in_force(desk.session, wanted, limit=_MOST_CONTACTS)
    contacts: Mapping[str, Sequence[Duty]] = {
        stairwell: list(own) for stairwell, own in groupby(found, lambda one: one.stairwell_code)
    }
    community_code = stairwells[0].community_code
    street = streets.name_of(desk.session, community_code)
    community = desk.places().code_name(community_code)
    return [
        Notice(
            grid_code=one.code,
            street=street,
            community=community,
            compound=one.compound_name,
            building=one.building_name,
            stairwell=one.name,
            contacts=tuple(_contact(duty) for duty in contacts.get(one.code, ()) if duty.name),
            report_url=f"{desk.settings.public_origin}/g/{one.code}",
        )
        for one in stairwells
    ]


def _contact(found: Duty) -> NoticeContact:
    """Return a contact as a stairwell may read of them: nobody agreed to a badge or a number."""
    return NoticeContact(
        name=found.name or "",
        phone=found.phone_masked,
        post="lead" if found.kind == "lead" else "supporting",
    )

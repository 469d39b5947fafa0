"""Reports that programs send with an API key.

These take a database: a key is looked up and counted in a transaction of its own, and each report
opens the one community that it lies in.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from geodata.categories import Category, Question, load_categories
from geodata.codes import COMPOUND_DIGITS, STAIRWELL_DIGITS, community_of
from gridsvc.access.keys import service as keys
from gridsvc.access.model import Principal
from gridsvc.db import NOBODY, Database, Interval, Scope
from gridsvc.errors import (
    ApiKeyRefusedError,
    NotFoundError,
    NotSignedInError,
    UnfitServiceRequestError,
)
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life.service import Listener
from gridsvc.incidents.model import Incident, NewIncident
from gridsvc.incidents.public import service, store
from gridsvc.incidents.public.model import NewRequest, Spot
from gridsvc.territory import service as territory
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Key, Rate

NEAR_WITHIN_M = 2_000.0
"""What lies in no community, and so near to one, is taken all the same, and flagged."""
# An app of a whole sub-district; a key that got lost must not fill the work lists.
_BY_ACCOUNT = Rate(count=600, per_s=3600)
_MOST_COMPOUNDS = 1000
LONGEST_WORDS = 8_000
"""Characters of a description (4,000, by the specification), a place and answers together."""


def authenticate(database: Database, api_key: str | None) -> Principal:
    """Return who holds a key, and count the report that comes with it.

    Raises
    ------
    ApiKeyRefusedError
        It is missing, unknown, expired or revoked.
    TooManyTriesError
        Its owner's programs have sent too many of late.
    """
    with database.session(NOBODY) as session, session.begin():
        try:
            principal = keys.authenticate(session, api_key or "")
        except NotSignedInError as error:
            raise ApiKeyRefusedError from error
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, {Key("open311 report", str(principal.account_id)): _BY_ACCOUNT})
    return principal


def file(
    database: Database,
    principal: Principal,
    request: NewRequest,
    *,
    jurisdiction: str | None,
    on_event: Sequence[Listener] = (),
) -> Incident:
    """Take a report; one with an id that is there already, and the same words, is known.

    Parameters
    ----------
    jurisdiction
        Code of the sub-district, where the program named one.
    on_event
        Told of the report, in the same transaction.

    Raises
    ------
    NotFoundError
        There is no such service or jurisdiction.
    UnfitServiceRequestError
        The place, or an answer to a question, cannot be what was meant.
    IdTakenError
        Another report has the id.
    """
    with (
        database.session(Scope("resident", principal.scope.intervals), read_only=True) as session,
        session.begin(),
    ):
        if jurisdiction is not None:
            service.get_jurisdiction(session, jurisdiction)
        category = service.get_service(session, request.category_code)
        told = _told_answers(category, request)
        spot = _locate(session, request)
    # Where only words say where it is, they are part of what is to be known.
    place = request.address if request.address and request.lon is None else None
    words = "\n".join(part for part in (request.words, place, *told) if part)
    incident = NewIncident(
        id=request.id,
        category_code=category.code,
        reported_at=datetime.now(UTC),
        summary=words or category.name_zh,
        lon=spot.lon,
        lat=spot.lat,
    )
    with database.session(_scope_of(principal, spot)) as session, session.begin():
        return incidents.add(session, incident, summary_length=LONGEST_WORDS, on_event=on_event)


def _scope_of(principal: Principal, spot: Spot) -> Scope:
    """Return the scope in which a report is written: its one community.

    Contact is the least role whose reports count in the heat cells.
    """
    own = principal.scope.intervals
    if not any(one.lo <= spot.community_code <= one.hi for one in own):
        raise UnfitServiceRequestError(["This api_key is for another territory than the place."])
    one = Interval(spot.community_code, spot.community_code)
    return Scope("contact", (one,), account=principal.account_id)


# ---- where


def _locate(session: Session, request: NewRequest) -> Spot:
    """Return the place: a position comes before a code, a code before words."""
    if request.lon is not None and request.lat is not None:
        return _at(session, lon=request.lon, lat=request.lat)
    if request.address_id:
        return _of_grid(session, request.address_id)
    return _named(session, request.address or "")


def _at(session: Session, *, lon: float, lat: float) -> Spot:
    found = territory.find_community_at(session, lon=lon, lat=lat)
    if found is not None:
        return Spot(found[0], lon, lat)
    if not store.is_near_community(session, lon=lon, lat=lat, within_m=NEAR_WITHIN_M):
        raise UnfitServiceRequestError(["lat, long: the place lies outside this jurisdiction."])
    return Spot(territory.outside_code(session), lon, lat)


def _of_grid(session: Session, code: str) -> Spot:
    digits = len(code) if code.isascii() and code.isdigit() else 0
    try:
        if digits == COMPOUND_DIGITS:
            compound = territory.get_compound(session, code)
            return Spot(community_of(code), compound.lon, compound.lat)
        if digits == STAIRWELL_DIGITS:
            stairwell = territory.get_stairwell(session, code)
            return Spot(community_of(code), stairwell.lon, stairwell.lat)
    except NotFoundError as error:
        raise _no_grid() from error
    raise _no_grid()


def _no_grid() -> UnfitServiceRequestError:
    return UnfitServiceRequestError(["address_id: no compound or stairwell in use has this code."])


def _named(session: Session, address: str) -> Spot:
    """Return the place of the compound that words name: the one with the longest such name."""
    compounds = territory.list_compounds(session, limit=_MOST_COMPOUNDS)
    named = [one for one in compounds if one.name and one.name in address]
    longest = max((len(one.name) for one in named), default=0)
    meant = [one for one in named if len(one.name) == longest]
    if len(meant) != 1:
        which = "several compounds have" if meant else "no compound in use has"
        raise UnfitServiceRequestError([f"address_string: {which} this name; send lat and long."])
    return Spot(meant[0].community_code, meant[0].lon, meant[0].lat)


# ---- answers


def questions_of(category_code: str) -> tuple[Question, ...]:
    """Return what a reporter is asked for a category beside the words."""
    found = (one.questions for one in load_categories() if one.code == category_code)
    return next(found, ())


def _told_answers(category: Category, request: NewRequest) -> list[str]:
    """Return a line for each answer; what was not asked is refused, so that nothing is lost."""
    questions = {one.code: one for one in questions_of(category.code)}
    faults, lines = [], []
    for code, values in request.answers.items():
        question = questions.get(code)
        if question is None:
            faults.append("attribute: this service has none of this code.")
            continue
        told = [_told(question, value) for value in values if value]
        if None in told:
            faults.append(f"attribute[{question.code}]: not one of the possible values.")
        elif told:
            lines.append(f"{question.zh} {'、'.join(map(str, told))}")
    if faults:
        raise UnfitServiceRequestError(faults)
    return lines


def _told(question: Question, value: str) -> str | None:
    """Return an answer in words; None where it is not one of those that are possible."""
    if question.kind == "choice":
        return next((one.zh for one in question.choices if one.code == value), None)
    if question.kind == "yes_no":
        return {"yes": "是", "no": "否"}.get(value)
    if question.kind == "number":
        return value if _is_number(value) else None
    return value


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False

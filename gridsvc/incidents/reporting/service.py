"""What somebody without an account can do: report, see what is near, follow, and answer.

As in `gridsvc.access.signing_in`, these take a database: tries are counted in a transaction of
their own, and each report opens the one community that it lies in.
"""

import hmac
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from geopandas import GeoDataFrame
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from geodata.categories import Category, class_of
from geodata.codes import community_of, street_of
from gridsvc.access.signing_in import Caller
from gridsvc.audit import service as audit
from gridsvc.db import MAX_INTERVALS, NOBODY, Database, Interval, Scope, acting_as, new_id
from gridsvc.errors import (
    IdempotencyMismatchError,
    IdTakenError,
    NotFoundError,
    ReplyRefusedError,
    UnknownPlaceError,
)
from gridsvc.incidents import service as incidents
from gridsvc.incidents.model import Incident
from gridsvc.incidents.reporting import store
from gridsvc.incidents.reporting.model import (
    CONFIRMABLE,
    ENDED,
    NEAR_WITHIN_M,
    REOPENABLE,
    SIMILAR_DAYS,
    SIMILAR_WITHIN_M,
    Address,
    Door,
    Filed,
    Followed,
    FollowToken,
    Kept,
    NewReport,
    Reply,
    Similar,
    Spot,
    Step,
    Where,
    key_hash,
    new_secret,
    secret_bytes,
)
from gridsvc.incidents.reporting.words import public_words
from gridsvc.territory import service as territory
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Key, Rate, subnet_of
from gridsvc.vault import Vault

_STAIRWELL_CODE = re.compile(r"[0-9]{20}")

# A phone that was offline sends up to a hundred at once; then one every half minute.
_BY_SUBNET = Rate(count=120, per_s=3600)
# The very same words at the very same place, without an id by which to know it again.
_ALIKE = Rate(count=1, per_s=600)
_REPLIES = Rate(count=20, per_s=3600)
# A finger that moves a point about asks a few times a minute.
_LOOKS = Rate(count=600, per_s=3600)
_MOST_SIMILAR = 5
# What the service does itself on behalf of a reporter: count, and move an incident on.
_OWN_WORK = "patrol"
# In whose role an address is read: policies hide it from all field roles but staff.
_POST_OFFICE = "coordinator"
_AFTER = {"confirm": "verified", "reopen": "in_progress"}

Listener = Callable[[Session, Filed], None]
"""Called in the transaction of a new report: notices, and the first event of its life."""


def resident_scope(token: FollowToken) -> Scope:
    """Return the scope of whoever follows a report: that one, in its one community."""
    interval = Interval(token.community_code, token.community_code)
    return Scope("resident", (interval,), report=token.incident_id)


def _community_scope(community_code: int) -> Scope:
    return Scope("resident", (Interval(community_code, community_code),))


# ---- where


def locate(database: Database, where: Where) -> Spot:
    """Return the place that a reporter means.

    Raises
    ------
    UnknownPlaceError
        No stairwell or compound in use has the code; or the point lies far from every community.
    """
    code = where.stairwell_code or where.compound_code
    if code is not None:
        return _by_code(database, where, community_of(code))
    if where.lon is None or where.lat is None:
        raise UnknownPlaceError("The report does not say where.")
    return _at(database, lon=where.lon, lat=where.lat)


def _by_code(database: Database, where: Where, community_code: int) -> Spot:
    with (
        database.session(_community_scope(community_code), read_only=True) as session,
        session.begin(),
    ):
        try:
            return _named(session, where)
        except NotFoundError as error:
            raise UnknownPlaceError(f"No {error.kind} in use has this code.") from error


def _named(session: Session, where: Where) -> Spot:
    if where.stairwell_code:
        stairwell = territory.get_stairwell(session, where.stairwell_code)
        return Spot(
            stairwell.community_code,
            "stairwell",
            stairwell.lon,
            stairwell.lat,
            stairwell_code=stairwell.code,
            compound_code=stairwell.compound_code,
            community_name=store.find_community_name(session, stairwell.community_code),
            compound_name=stairwell.compound_name,
            stairwell_name=f"{stairwell.building_name} {stairwell.name}",
        )
    compound = territory.get_compound(session, where.compound_code or "")
    return Spot(
        compound.community_code,
        "compound",
        compound.lon,
        compound.lat,
        compound_code=compound.code,
        community_name=store.find_community_name(session, compound.community_code),
        compound_name=compound.name,
    )


def _at(database: Database, *, lon: float, lat: float) -> Spot:
    with database.session(NOBODY, read_only=True) as session, session.begin():
        found = territory.find_community_at(session, lon=lon, lat=lat)
        near = found or store.find_community_near(session, lon=lon, lat=lat, within_m=NEAR_WITHIN_M)
    if near is None:
        raise UnknownPlaceError("This point lies far from every community that is looked after.")
    code, name = near
    if found is None:
        return Spot(street_of(code), "outside", lon, lat)
    with database.session(_community_scope(code), read_only=True) as session, session.begin():
        stairwell, compound = store.find_grids_at(session, code, lon=lon, lat=lat)
        if stairwell is None and compound is None:
            return Spot(code, "community", lon, lat, community_name=name)
        return _moved(_named(session, Where(stairwell, compound)), lon=lon, lat=lat)


def find_door(database: Database, code: str) -> Door:
    """Return what the code of a stairwell notice leads to, be it long out of date, or none."""
    if not _STAIRWELL_CODE.fullmatch(code):
        return Door(code)
    scope = _community_scope(community_of(code))
    with database.session(scope, read_only=True) as session, session.begin():
        ended_on = store.find_end(session, code)
        if ended_on is None:
            return Door(code, spot=_find_named(session, code))
        return Door(code, ended_on=ended_on, successors=tuple(_successors(session, code)))


def _find_named(session: Session, code: str) -> Spot | None:
    try:
        return _named(session, Where(stairwell_code=code))
    except NotFoundError:
        return None


def _successors(session: Session, code: str) -> list[Spot]:
    """Return what a stairwell became, through as many splits and mergers as there were."""
    found: dict[str, Spot] = {}
    seen, waiting = {code}, [code]
    while waiting:
        for one in store.list_successors(session, waiting.pop()):
            if one in seen:
                continue
            seen.add(one)
            spot = _find_named(session, one)
            if spot:
                found[one] = spot
            else:
                waiting.append(one)
    return [found[one] for one in sorted(found)]


def read_ground(database: Database) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Return the communities and compounds to choose a place from; EPSG:4326.

    Of a database of more than four sub-districts, those of the first four: a scope has no more.
    """
    with database.session(NOBODY, read_only=True) as session, session.begin():
        streets = store.list_streets(session, limit=MAX_INTERVALS)
    scope = Scope("resident", tuple(map(Interval.of, streets)))
    with database.session(scope, read_only=True) as session, session.begin():
        return territory.read_communities(session), territory.read_compounds(session)


def list_categories(database: Database) -> list[Category]:
    """Return the categories that can be reported, classes before their sub-categories."""
    with database.session(NOBODY, read_only=True) as session, session.begin():
        return incidents.list_categories(session)


def _moved(spot: Spot, *, lon: float, lat: float) -> Spot:
    return Spot(**{**vars(spot), "lon": lon, "lat": lat})


# ---- what is near already


def list_similar(database: Database, spot: Spot, category_code: str) -> list[Similar]:
    """Return open public incidents of the same class near a spot, the nearest first.

    What is not for everybody is not among them, nor hinted at.
    """
    with (
        database.session(_community_scope(spot.community_code), read_only=True) as session,
        session.begin(),
    ):
        found = store.list_similar(
            session,
            spot,
            class_code=class_of(category_code),
            ended=ENDED,
            since=datetime.now(UTC) - timedelta(days=SIMILAR_DAYS),
            within_m=SIMILAR_WITHIN_M,
            limit=_MOST_SIMILAR,
        )
    return [Similar(**{**vars(one), "words": public_words(one.words)}) for one in found]


def look_round(
    database: Database, where: Where, category_code: str, *, caller: Caller | None
) -> tuple[Spot, list[Similar]]:
    """Return the place that somebody is about to report, and what is reported there already.

    Raises
    ------
    UnknownPlaceError
        As `locate`.
    TooManyTriesError
        From this subnet there were too many looks of late.
    """
    if caller is not None:
        limits = {Key("report look from", subnet_of(caller.address)): _LOOKS}
        with database.session(NOBODY) as session, session.begin():
            throttle.take(session, limits)
    spot = locate(database, where)
    return spot, list_similar(database, spot, category_code)


# ---- reporting


def file(
    database: Database,
    vault: Vault,
    report: NewReport,
    *,
    caller: Caller | None,
    listeners: Sequence[Listener] = (),
) -> Filed:
    """Take a report; one that is there already gets the first answer again.

    Parameters
    ----------
    caller
        Where it comes from, to be counted; absent for people with an account.
    listeners
        Called in the same transaction.

    Raises
    ------
    UnknownCategoryError, UnknownPlaceError
        It names what is not there, or no longer.
    IdTakenError, IdempotencyMismatchError
        The id, or the key, belongs to another report.
    TooManyTriesError
        There were too many from this subnet of late, or this very one a moment ago.
    """
    spot = locate(database, report.where)
    scope = resident_scope(FollowToken(spot.community_code, report.id, b""))
    with database.session(scope, read_only=True) as session, session.begin():
        category = incidents.require_category(session, report.category_code)
        earlier = _repeated(session, vault, report, spot)
    if earlier:
        return earlier
    if caller is not None:
        _count(database, report, caller)
    try:
        with database.session(scope) as session, session.begin():
            store.lock(session, report.id)
            return _repeated(session, vault, report, spot) or _add(
                session, vault, report, spot, category, listeners
            )
    except IntegrityError as error:  # somebody with an account took the id meanwhile
        raise IdTakenError(report.id) from error


def _count(database: Database, report: NewReport, caller: Caller) -> None:
    subnet = subnet_of(caller.address)
    alike = Key("report alike", f"{subnet} {report.request_hash.hex()}")
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, {Key("report from", subnet): _BY_SUBNET, alike: _ALIKE})


def _repeated(session: Session, vault: Vault, report: NewReport, spot: Spot) -> Filed | None:
    """Return the first answer to a report, if whoever sends it can show to have sent it before."""
    kept = store.find_kept(session, spot.community_code, report.id)
    if kept is None:
        return None
    if not _is_own(kept, report):
        raise IdTakenError(report.id)
    if kept.request_hash != report.request_hash:
        if report.key:
            raise IdempotencyMismatchError(report.key)
        raise IdTakenError(report.id)
    known = incidents.get(session, report.id)
    token = vault.decrypt(kept.token_cipher)
    return Filed(
        report.id, spot, known.category_code, known.status, known.reported_at, token, is_new=False
    )


def _is_own(kept: Kept, report: NewReport) -> bool:
    if report.secret:
        secret = secret_bytes(report.secret) or b""
        hashed = FollowToken(0, report.id, secret).hashed
        return hmac.compare_digest(hashed, kept.token_hash)
    return bool(
        report.key and kept.key_hash and hmac.compare_digest(key_hash(report.key), kept.key_hash)
    )


def _add(
    session: Session,
    vault: Vault,
    report: NewReport,
    spot: Spot,
    category: Category,
    listeners: Sequence[Listener],
) -> Filed:
    secret = secret_bytes(report.secret or new_secret())
    if secret is None:
        raise ValueError("a secret is made by new_secret")
    token = FollowToken(spot.community_code, report.id, secret)
    store.add(
        session,
        report,
        spot,
        is_public=category.is_public,
        token_hash=token.hashed,
        token_cipher=vault.encrypt(token.text),
        email_cipher=vault.encrypt(report.email) if report.email else None,
        key_hash=key_hash(report.key) if report.key else None,
    )
    with acting_as(session, _OWN_WORK):
        store.count_heat(session, spot.community_code, report.id)
    audit.record(
        session,
        community_code=spot.community_code,
        action="incident.report",
        subject=str(report.id),
        category=report.category_code,
        place=spot.place,
        entry=report.entry,
    )
    filed = Filed(report.id, spot, report.category_code, "reported", report.reported_at, token.text)
    for listener in listeners:
        listener(session, filed)
    return filed


# ---- following


def open_report(session: Session, token: FollowToken) -> Incident:
    """Return the incident that a link opens, in the scope of `resident_scope`.

    Raises
    ------
    NotFoundError
        There is none, or the secret is another one: nobody is told which.
    """
    kept = store.find_kept(session, token.community_code, token.incident_id)
    if kept is None or not hmac.compare_digest(kept.token_hash, token.hashed):
        raise NotFoundError("report", token.incident_id)
    return incidents.get(session, token.incident_id)


def lock(session: Session, token: FollowToken) -> Incident:
    """Let nobody else write to a report until the transaction ends, and return its incident.

    Raises
    ------
    NotFoundError
        As `open_report`.
    """
    store.lock(session, token.incident_id)
    return open_report(session, token)


def follow(database: Database, token: FollowToken) -> Followed:
    """Return a report as its reporter sees it.

    Raises
    ------
    NotFoundError
        As `open_report`.
    """
    with database.session(resident_scope(token), read_only=True) as session, session.begin():
        incident = open_report(session, token)
        code, name = (
            incident.community_code,
            store.find_community_name(session, incident.community_code),
        )
        return Followed(
            incident.id,
            code,
            incident.category_code,
            incident.status,
            incident.reported_at,
            incident.closed_at,
            incident.summary,
            incident.place,
            _spot_of(session, incident, name),
            store.has_email(session, code, incident.id),
            _steps(session, incident),
        )


def _spot_of(session: Session, incident: Incident, community_name: str) -> Spot:
    """Return the place with its names; a grid that ended meanwhile has its code only."""
    plain = Spot(
        incident.community_code,
        incident.place,
        incident.lon,
        incident.lat,
        incident.stairwell_code,
        incident.compound_code,
        community_name,
    )
    if incident.place not in {"stairwell", "compound"}:
        return plain
    try:
        return _named(session, Where(incident.stairwell_code, incident.compound_code))
    except NotFoundError:
        return plain


def _steps(session: Session, incident: Incident) -> tuple[Step, ...]:
    """Return what happened, the oldest first."""
    replies = store.list_replies(session, incident.community_code, incident.id)
    steps = [Step("reported", incident.reported_at)]
    steps += [Step(one.kind, one.at, one.words) for one in replies]
    if incident.closed_at:
        steps.append(Step("closed", incident.closed_at))
    return tuple(sorted(steps, key=lambda step: step.at))


def reply(database: Database, token: FollowToken, kind: str, words: str = "") -> None:
    """Add a word of the reporter, confirm the solution, or ask to reopen.

    Raises
    ------
    NotFoundError
        As `open_report`.
    ReplyRefusedError
        It does not fit where the incident stands.
    TooManyTriesError
        There were too many of late.
    """
    with database.session(resident_scope(token), read_only=True) as session, session.begin():
        open_report(session, token)
    with database.session(NOBODY) as session, session.begin():
        limits = {Key("report reply", str(token.incident_id)): _REPLIES}
        throttle.take(session, limits)
    with database.session(resident_scope(token)) as session, session.begin():
        _reply(session, lock(session, token), kind, words)


def _reply(session: Session, incident: Incident, kind: str, words: str) -> None:
    allowed = {
        "word": bool(words),
        "confirm": incident.status in CONFIRMABLE,
        "reopen": incident.status in REOPENABLE,
    }
    if not allowed.get(kind):
        raise ReplyRefusedError(kind, incident.status)
    code = incident.community_code
    store.add_reply(session, code, incident.id, Reply(new_id(), kind, words, datetime.now(UTC)))
    if kind in _AFTER:
        with acting_as(session, _OWN_WORK):
            moved = store.set_status(
                session, code, incident.id, before=incident.status, after=_AFTER[kind]
            )
        if not moved:
            raise ReplyRefusedError(kind, "changed by somebody else meanwhile")
    audit.record(session, community_code=code, action=f"report.{kind}", subject=str(incident.id))


def forget_email(database: Database, token: FollowToken) -> None:
    """Let go of the reporter's address.

    Raises
    ------
    NotFoundError
        As `open_report`.
    """
    with database.session(resident_scope(token)) as session, session.begin():
        incident = open_report(session, token)
        store.forget_email(session, incident.community_code, incident.id)
        audit.record(
            session,
            community_code=incident.community_code,
            action="report.forget-email",
            subject=str(incident.id),
        )


# ---- for those who work on it


def list_replies(session: Session, incident: Incident) -> list[Reply]:
    """Return what the reporter of an incident said later, the oldest first, to field roles."""
    return store.list_replies(session, incident.community_code, incident.id)


def find_address(session: Session, vault: Vault, incident: Incident) -> Address | None:
    """Return where the reporter wants to hear, for a notice that nobody reads on its way.

    Whoever works on the incident may have one sent; to be shown the address, nobody may.
    """
    with acting_as(session, _POST_OFFICE):
        found = store.find_address(session, incident.id)
    if found is None:
        return None
    email_cipher, language, token_cipher = found
    return Address(vault.decrypt(email_cipher), language, vault.decrypt(token_cipher))

"""What somebody without an account can do: report, follow, and answer.

As in `gridsvc.access.signing_in`, these take a database: tries are counted in a transaction of
their own, and each report opens the one community that it lies in.
"""

import hmac
from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from geodata.categories import Category
from gridsvc.access.signing_in import Caller
from gridsvc.audit import service as audit
from gridsvc.db import NOBODY, Database, Interval, Scope, acting_as
from gridsvc.errors import (
    IdempotencyMismatchError,
    IdTakenError,
    NotFoundError,
    ReplyRefusedError,
)
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import model as life_model
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.checking import require_category
from gridsvc.incidents.life.service import Listener
from gridsvc.incidents.model import Incident
from gridsvc.incidents.reporting import places, store
from gridsvc.incidents.reporting.model import (
    CONFIRMABLE,
    REOPENABLE,
    Address,
    Filed,
    Followed,
    FollowToken,
    Kept,
    NewReport,
    Spot,
    Step,
    Where,
    key_hash,
    new_secret,
    secret_bytes,
)
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Key, Rate, subnet_of
from gridsvc.vault import Vault

# A phone that was offline sends up to a hundred at once; then one every half minute.
_BY_SUBNET = Rate(count=120, per_s=3600)
# The very same words at the very same place, without an id by which to know it again.
_ALIKE = Rate(count=1, per_s=600)
_REPLIES = Rate(count=20, per_s=3600)
# What the service does itself on behalf of a reporter: count, and move an incident on.
_OWN_WORK = "patrol"
# In whose role an address is read: policies hide it from all field roles but staff.
_POST_OFFICE = "coordinator"
_NOT_SOLVED = "上报人表示没有解决。"


def resident_scope(token: FollowToken) -> Scope:
    """Return the scope of whoever follows a report: that one, in its one community."""
    interval = Interval(token.community_code, token.community_code)
    return Scope("resident", (interval,), report=token.incident_id)


# ---- reporting


def file(
    database: Database,
    vault: Vault,
    report: NewReport,
    *,
    caller: Caller | None,
    on_event: Sequence[Listener] = (),
) -> Filed:
    """Take a report; one that is there already gets the first answer again.

    Parameters
    ----------
    caller
        Where it comes from, to be counted; absent for people with an account.
    on_event
        Told of the report, in the same transaction.

    Raises
    ------
    UnknownCategoryError, UnknownPlaceError
        It names what is not there, or no longer.
    IdTakenError, IdempotencyMismatchError
        The id, or the key, belongs to another report.
    TooManyTriesError
        There were too many from this subnet of late, or this very one a moment ago.
    """
    spot = places.locate(database, report.where)
    scope = resident_scope(FollowToken(spot.community_code, report.id, b""))
    with database.session(scope, read_only=True) as session, session.begin():
        category = require_category(session, report.category_code)
        earlier = _repeated(session, vault, report, spot)
    if earlier:
        return earlier
    if caller is not None:
        _count(database, report, caller)
    try:
        with database.session(scope) as session, session.begin():
            store.lock(session, report.id)
            return _repeated(session, vault, report, spot) or _add(
                session, vault, report, spot, category, on_event
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
    on_event: Sequence[Listener],
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
    life.begin(session, incidents.get(session, report.id), by="reporter", on_event=on_event)
    return Filed(report.id, spot, report.category_code, "reported", report.reported_at, token.text)


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
        return places.named(session, Where(incident.stairwell_code, incident.compound_code))
    except NotFoundError:
        return plain


def _steps(session: Session, incident: Incident) -> tuple[Step, ...]:
    """Return what the reporter may read of what happened, the oldest first."""
    return tuple(
        Step(event.step, event.at, event.note, is_own=event.actor_kind == "reporter")
        for event in life.list_events(session, incident.id)
    )


def reply(
    database: Database,
    token: FollowToken,
    kind: str,
    words: str = "",
    *,
    on_event: Sequence[Listener] = (),
) -> None:
    """Add a word of the reporter, confirm the solution, or ask to reopen.

    Parameters
    ----------
    on_event
        Told of the step, in the same transaction.

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
        incident = lock(session, token)
        wanted = _step_of(incident, kind, words)
        life.step(session, incident.id, wanted, version=None, on_event=on_event)


def _step_of(incident: Incident, kind: str, words: str) -> life_model.Step:
    """Return the step that a reply asks for, from where the incident stands."""
    allowed = {
        "word": bool(words),
        "confirm": incident.status in CONFIRMABLE,
        "reopen": incident.status in REOPENABLE,
    }
    if not allowed.get(kind):
        raise ReplyRefusedError(kind, incident.status)
    if kind == "reopen":
        step = "refuse" if incident.status in CONFIRMABLE else "reopen"
        words = words or _NOT_SOLVED
    else:
        step = {"word": "note", "confirm": "verify"}[kind]
    return life_model.Step(step, note=words, is_public=True, by="reporter")


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

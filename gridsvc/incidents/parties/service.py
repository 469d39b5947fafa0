"""Parties without an account, and the signed links by which they answer for one incident."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.categories import PARTY_KINDS
from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.access.tokens import hashed, new_token
from gridsvc.audit import service as audit
from gridsvc.db import Interval, Scope, new_id
from gridsvc.errors import InvalidLinkError, InvalidPartyError, NotFoundError
from gridsvc.incidents import store as incidents
from gridsvc.incidents.parties import store
from gridsvc.incidents.parties.model import EMAIL_LENGTH, NAME_LENGTH, Holder, Link, Party
from gridsvc.incidents.texts import checked_text
from gridsvc.territory import service as territory
from gridsvc.vault import Vault

LINK_LASTS = timedelta(days=30)
_EMAIL = re.compile(r"[^@\s<>,;:\"()]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_TOKEN = re.compile(r"([0-9]{12})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


def list_parties(
    session: Session, *, community_code: int | None = None, has_retired: bool = False
) -> list[Party]:
    """Return the parties of the caller's territory, by name."""
    access.require_role(session, *STAFF_ROLES)
    return store.list_parties(session, community_code=community_code, has_retired=has_retired)


def get_party(session: Session, party_id: UUID) -> Party:
    """Return one party.

    Raises
    ------
    NotFoundError
        The caller's territory has none of this id.
    """
    party = store.find_anywhere(session, party_id)
    if party is None:
        raise NotFoundError("party", party_id)
    return party


def add_party(
    session: Session,
    *,
    community_code: int,
    name: str,
    kind: str,
    email: str | None,
    vault: Vault,
) -> Party:
    """Keep a party of one community; what serves several is kept once in each.

    Raises
    ------
    InvalidPartyError
        Name, kind or address are none.
    NotFoundError
        The community is not the caller's.
    """
    access.require_role(session, *STAFF_ROLES)
    if community_code not in {one.code for one in territory.list_communities(session)}:
        raise NotFoundError("community", community_code)
    party_id = new_id()
    store.add(
        session,
        community_code=community_code,
        id=party_id,
        name=_checked_name(name),
        kind=_checked_kind(kind),
        email_cipher=_cipher(email, vault),
    )
    _note(session, community_code, party_id, "add")
    return get_party(session, party_id)


def change_party(session: Session, party_id: UUID, given: Mapping[str, Any], vault: Vault) -> Party:
    """Change what is given of a party: name, kind, email, is_retired.

    Whoever is retired gets nothing new, and no address of it is kept.

    Raises
    ------
    NotFoundError
        The caller's territory has none of this id.
    InvalidPartyError
        Name, kind or address are none.
    """
    access.require_role(session, *STAFF_ROLES)
    party = get_party(session, party_id)
    values: dict[str, Any] = {}
    if "name" in given:
        values["name"] = _checked_name(given["name"])
    if "kind" in given:
        values["kind"] = _checked_kind(given["kind"])
    if "email" in given:
        values["email_cipher"] = _cipher(given["email"], vault)
    if "is_retired" in given:
        values["is_retired"] = bool(given["is_retired"])
        if values["is_retired"]:
            values["email_cipher"] = None
    if values:
        store.change(session, party, **values)
        _note(session, party.community_code, party_id, "change")
    return get_party(session, party_id)


def read_email(session: Session, party: Party, *, vault: Vault) -> str | None:
    """Return the address that notices for a party go to; for sending, never for showing."""
    cipher = store.find_cipher(session, party.community_code, party.id)
    return vault.decrypt(cipher) if cipher else None


def _checked_name(name: str) -> str:
    plain = checked_text(name, what="name", at_most=NAME_LENGTH)
    if not plain or not plain.isprintable():
        raise InvalidPartyError("A party has a name, on one line.")
    return plain


def _checked_kind(kind: str) -> str:
    if kind not in PARTY_KINDS:
        raise InvalidPartyError(f"A party is one of {', '.join(PARTY_KINDS)}.")
    return kind


def _cipher(email: str | None, vault: Vault) -> bytes | None:
    if not email:
        return None
    plain = email.strip()
    if len(plain) > EMAIL_LENGTH or not plain.isprintable() or not _EMAIL.fullmatch(plain):
        raise InvalidPartyError("This is no e-mail address: give one such as desk@example.org.")
    return vault.encrypt(plain)


def _note(session: Session, community_code: int, party_id: UUID, what: str) -> None:
    audit.record(
        session, community_code=community_code, action=f"party.{what}", subject=str(party_id)
    )


# ---- links


def make_link(session: Session, incident_id: UUID, *, lasts: timedelta = LINK_LASTS) -> Link:
    """Make a link by which the party that an incident is handed to answers; older ones end.

    Raises
    ------
    NotFoundError
        The caller's territory has no such incident.
    InvalidPartyError
        It is not handed to a party.
    """
    access.require_role(session, *STAFF_ROLES)
    incident = incidents.find_incident(session, incident_id)
    if incident is None:
        raise NotFoundError("incident", incident_id)
    if incident.handler_party is None:
        raise InvalidPartyError("The incident is not handed to a party: assign it to one first.")
    now = datetime.now(UTC)
    code = incident.community_code
    store.revoke_links(session, community_code=code, incident_id=incident_id, at=now)
    token = f"{code}.{incident_id.hex}.{new_token()}"
    store.add_link(
        session,
        community_code=code,
        token_hash=hashed(token),
        incident_id=incident_id,
        party_id=incident.handler_party,
        expires_at=now + lasts,
    )
    audit.record(
        session,
        community_code=code,
        action="incident.link",
        subject=str(incident_id),
        party=str(incident.handler_party),
    )
    return Link(token, incident.handler_party, incident_id, now + lasts)


def scope_of_token(token: str) -> Scope:
    """Return the scope in which a link is looked up: one report of one community.

    Raises
    ------
    InvalidLinkError
        The token is none of ours.
    """
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise InvalidLinkError
    code = int(found[1])
    return Scope("resident", (Interval(code, code),), report=UUID(found[2]))


def open_link(session: Session, token: str) -> Holder:
    """Return what a link is for, in a session of `scope_of_token`, and note that it was used.

    Raises
    ------
    InvalidLinkError
        It is not ours, has run out, or the incident is handed to somebody else by now.
    """
    scope = scope_of_token(token)
    code, now = scope.intervals[0].lo, datetime.now(UTC)
    found = store.find_link(session, community_code=code, token_hash=hashed(token), now=now)
    incident = incidents.find_incident(session, found[0]) if found else None
    if found is None or incident is None or incident.handler_party != found[1]:
        raise InvalidLinkError
    store.note_use(session, community_code=code, token_hash=hashed(token), at=now)
    return Holder(incident_id=found[0], party_id=found[1], scope=scope)

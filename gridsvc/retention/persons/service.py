"""What an operator does for one person, as the job: find, export, erase."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.errors import NotFoundError
from gridsvc.local_time import local_today
from gridsvc.retention.persons import erasure, store
from gridsvc.retention.persons.model import Erased, FoundPerson, Person
from gridsvc.vault import Vault

SEARCH_LIMIT = 50


def search(session: Session, words: str) -> list[FoundPerson]:
    """Return members and accounts, at most fifty of each, phones masked.

    Parameters
    ----------
    words
        Part of a name or of a login, or a whole masked phone such as ``138****1234``.
    """
    access.require_role(session, "job")
    members = store.search_members(session, words, limit=SEARCH_LIMIT)
    return members + store.search_accounts(session, words, limit=SEARCH_LIMIT)


def get(session: Session, person_id: UUID) -> Person:
    """Return whose id this is: of a member, or of an account.

    Raises
    ------
    NotFoundError
        It is nobody's.
    """
    access.require_role(session, "job")
    person = store.find(session, person_id)
    if person is None:
        raise NotFoundError("member or account", person_id)
    return person


def export(session: Session, person_id: UUID, *, vault: Vault) -> dict[str, Any]:
    """Return everything that is stored about a person, the phone in clear, and note that.

    Returns
    -------
    dict
        ``exported_at``, ``person``, ``phone``, and for each table that holds anything about them
        its rows; secrets and their hashes are left out. Coordinates are EPSG:4326.

    Raises
    ------
    NotFoundError
        The id is nobody's.
    """
    person = get(session, person_id)
    tables = {
        name: rows
        for name, condition in store.conditions(session, person).items()
        if (rows := store.read_rows(session, name, condition))
    }
    _record(session, person, "export", {name: len(rows) for name, rows in tables.items()})
    cipher = store.find_cipher(session, person)
    return {
        "exported_at": datetime.now(UTC).isoformat(),
        "person": str(person.id),
        "phone": vault.decrypt(cipher) if cipher else None,
        "stored": tables,
    }


def erase(session: Session, person_id: UUID) -> Erased:
    """Take a person out of every table; history keeps an empty row without a name.

    Repeated, it finds nothing more to delete.

    Raises
    ------
    NotFoundError
        The id is nobody's.
    """
    person = get(session, person_id)
    erasure.hold(session, person)
    own = store.conditions(session, person)
    uncovered, ended = erasure.end_contacts(session, own["contact"], today=local_today())
    proposed = erasure.leave_proposals(session, person)
    erasure.blur_history(session, person, own)
    counts = {"contacts_ended": ended, "proposals": proposed, **erasure.delete_rows(session, own)}
    erasure.empty_member(session, own["member"])
    counts = {name: count for name, count in counts.items() if count}
    _record(session, person, "erase", counts)
    return Erased(person, tuple(uncovered), counts)


def _record(session: Session, person: Person, what: str, counts: dict[str, int]) -> None:
    audit.record(
        session,
        community_code=person.community_code,
        action=f"{person.kind}.{what}",
        subject=str(person.id),
        **counts,
    )

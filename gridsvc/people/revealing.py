"""Showing one member's phone in clear: rare, for a purpose, and noted.

It takes a database, not a session: a try counts even when it comes to nothing, so it is counted in
a transaction of its own.
"""

from uuid import UUID

from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.db import NOBODY, Database, Scope
from gridsvc.errors import NotFoundError
from gridsvc.people import store
from gridsvc.people.model import Revealed
from gridsvc.throttle import service as throttle
from gridsvc.throttle.model import Key, Rate
from gridsvc.vault import Vault

BY_ACCOUNT = Rate(count=30, per_s=3600)


def reveal(
    database: Database, scope: Scope, *, member_id: UUID, purpose: str, vault: Vault
) -> Revealed:
    """Return name and phone of a member of the caller's territory, and note that it was done.

    Parameters
    ----------
    scope
        Of the caller; its account is whose reveals are counted.
    purpose
        One of `gridsvc.people.model.PURPOSES`; it goes into the audit trail.

    Raises
    ------
    TooManyTriesError
        The account revealed thirty within the last hour.
    NotFoundError
        The caller's territory has no such member, or the member was erased.
    RoleNotAllowedError
        The caller is no coordinator or administrator.
    """
    with database.session(NOBODY) as session, session.begin():
        throttle.take(session, {Key("reveal by", str(scope.account)): BY_ACCOUNT})
    with database.session(scope) as session, session.begin():
        access.require_role(session, *STAFF_ROLES)
        found = store.find_identity(session, member_id)
        if found is None:
            raise NotFoundError("member", member_id)
        audit.record(
            session,
            community_code=found.community_code,
            action="member.reveal",
            subject=str(member_id),
            purpose=purpose,
        )
        phone = vault.decrypt(found.phone_cipher) if found.phone_cipher else None
        return Revealed(member_id, found.name, phone)

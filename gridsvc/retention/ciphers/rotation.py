"""Moving all that is encrypted to the newest key: it takes a database, not a session.

A transaction for each batch: interrupted anywhere, each cipher is one of the old key or of the
new, and as long as both are known everything can be read.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from geodata.progress import Progress, silent
from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.db import Base, Database, Scope
from gridsvc.errors import WrongDataKeyError
from gridsvc.retention.ciphers import store
from gridsvc.vault import Vault

BATCH = 500
Place = tuple[type[Base], str]


def reencrypt(
    database: Database,
    scope: Scope,
    keys: Sequence[str],
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Encrypt with the newest key whatever another one hides, as the job.

    Parameters
    ----------
    keys
        Newest first. What runs beside this must encrypt with the newest one already.
    batch
        Rows a transaction.

    Returns
    -------
    dict
        How many ciphers were changed, by ``table.column``.

    Raises
    ------
    WrongDataKeyError
        None of the keys fits some cipher; those before it were changed.
    """
    report = progress or silent
    changed = {}
    for done, place in enumerate(store.COLUMNS):
        report("re-encrypt", done, len(store.COLUMNS))
        changed[store.name_of(place)] = _reencrypt_column(database, scope, place, keys, batch)
    report("re-encrypt", len(store.COLUMNS), len(store.COLUMNS))
    return changed


def _reencrypt_column(
    database: Database, scope: Scope, place: Place, keys: Sequence[str], batch: int
) -> int:
    every, newest = Vault(keys), Vault(keys[:1])
    changed, after = 0, None
    while True:
        with database.session(scope) as session, session.begin():
            access.require_role(session, "job")
            found = store.read(session, place, after=after, limit=batch, is_for_update=True)
            old = [(key, every.rotate(one)) for key, one in found if not _opens(newest, one)]
            if old:
                store.write(session, place, old)
        changed += len(old)
        if len(found) < batch:
            return changed
        after = found[-1][0]


def _opens(vault: Vault, cipher: bytes) -> bool:
    try:
        vault.decrypt(cipher)
    except WrongDataKeyError:
        return False
    return True


@contextmanager
def finished(database: Database, scope: Scope, keys: Sequence[str]) -> Iterator[bool]:
    """Say whether the newest key alone opens everything, and keep it so until the block ends.

    Whoever encrypts has to wait meanwhile; whoever was at it is waited for, and then looked at.
    Inside the block the other keys can be thrown away.
    """
    newest = Vault(keys[:1])
    with database.session(scope) as session, session.begin():
        access.require_role(session, "job")
        store.wait_for_writers(session)
        is_finished = all(_is_finished(session, place, newest) for place in store.COLUMNS)
        if is_finished:
            for street_code in store.list_streets(session):
                audit.record(
                    session, community_code=street_code, action="key.rotate", subject="data-key"
                )
        yield is_finished


def _is_finished(session: Session, place: Place, newest: Vault) -> bool:
    after = None
    while True:
        found = store.read(session, place, after=after, limit=BATCH)
        if not all(_opens(newest, cipher) for _, cipher in found):
            return False
        if len(found) < BATCH:
            return True
        after = found[-1][0]

"""Accounts as their owners have set them up: with a password, and an authenticator if need be."""

from dataclasses import dataclass
from uuid import UUID

import pyotp
from sqlalchemy import insert, update

from gridsvc.access import passwords, second_factor
from gridsvc.access.model import SECOND_FACTOR_ROLES
from gridsvc.access.store import put_scope
from gridsvc.access.tables import AccountRow
from gridsvc.db import Interval, new_id
from tests import town
from tests.databases import Clone

PASSWORD = "梧桐树下的第三张石凳"  # noqa: S105  (invented)


@dataclass(frozen=True)
class Enrolled:
    """Somebody with a login, `PASSWORD`, and perhaps an authenticator."""

    id: UUID
    login: str
    secret: str | None

    def code(self) -> str:
        """Return what the authenticator shows now."""
        assert self.secret is not None
        return pyotp.TOTP(self.secret).now()

    def proof(self) -> dict[str, str]:
        """Return the body of a sign-in."""
        body = {"login": self.login, "password": PASSWORD}
        return body | {"one_time_code": self.code()} if self.secret else body


def enrol(
    clone: Clone,
    role: str,
    *codes: int,
    office_code: int | None = None,
    is_confirmed: bool = True,
) -> Enrolled:
    """Write an account of a role and territory into a database."""
    account_id = new_id()
    secret = second_factor.new_secret() if role in SECOND_FACTOR_ROLES and is_confirmed else None
    login = f"{role}-{str(account_id)[-6:]}"
    with town.job_session(clone.job) as session, session.begin():
        session.execute(
            insert(AccountRow).values(
                id=account_id,
                login=login,
                name="石凳",
                role=role,
                office_code=office_code or codes[0],
                password_hash=passwords.hash_password(PASSWORD),
                totp_cipher=secret and town.VAULT.encrypt(secret),
                totp_is_confirmed=secret is not None,
            )
        )
        put_scope(session, account_id, [Interval.of(code) for code in codes])
    return Enrolled(account_id, login, secret)


def forget_steps(clone: Clone) -> None:
    """Let the code that authenticators show now be good once more."""
    with town.job_session(clone.job) as session, session.begin():
        session.execute(update(AccountRow).values(totp_last_step=None))

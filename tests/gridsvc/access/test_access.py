"""Accounts, tokens, repeated requests and the audit trail, below the HTTP face."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from gridsvc.access import service, store
from gridsvc.access.model import DevelopmentAccount
from gridsvc.access.tables import AccountScopeRow, AuditRow, IdempotencyRow
from gridsvc.db import NOBODY, Interval, Scope, ScopedSession
from gridsvc.errors import IdempotencyMismatchError, NotSignedInError, RoleNotAllowedError
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def make_account(
    session: ScopedSession, *codes: int, role: str = "coordinator"
) -> DevelopmentAccount:
    account = DevelopmentAccount(uuid4(), "甲", role, codes, service.new_code())
    service.make_development_accounts(session, [account])
    return account


def test_a_token_names_the_account_with_its_territories(empty_session: ScopedSession) -> None:
    account = make_account(empty_session, STREET, B)
    token = service.sign_in(empty_session, account.code)
    principal = service.authenticate(empty_session, token)
    assert principal.account_id == account.id
    assert principal.role == "coordinator"
    assert principal.scope.intervals == (Interval(STREET, STREET + 999), Interval(B, B))
    assert principal.scope.account == account.id
    service.sign_out(empty_session, token)
    with pytest.raises(NotSignedInError):
        service.authenticate(empty_session, token)
    service.sign_out(empty_session, token)  # nothing to end


def test_making_an_account_again_replaces_code_and_territory(empty_session: ScopedSession) -> None:
    first = make_account(empty_session, A, B)
    again = DevelopmentAccount(first.id, "乙", "planner", (STREET,), service.new_code())
    service.make_development_accounts(empty_session, [again])
    with pytest.raises(NotSignedInError):
        service.sign_in(empty_session, first.code)
    principal = service.authenticate(empty_session, service.sign_in(empty_session, again.code))
    assert (principal.name, principal.role) == ("乙", "planner")
    assert len(empty_session.scalars(select(AccountScopeRow)).all()) == 1


def test_a_sign_in_lasts_twelve_hours(empty_session: ScopedSession) -> None:
    token = service.sign_in(empty_session, make_account(empty_session, A).code)
    now = datetime.now(UTC)
    token_hash = service.hashed(token)
    early, late = now + timedelta(hours=11, minutes=59), now + timedelta(hours=12, minutes=1)
    assert store.find_principal(empty_session, token_hash, early) is not None
    assert store.find_principal(empty_session, token_hash, late) is None


def test_codes_and_tokens_are_long_and_never_the_same() -> None:
    codes = {service.new_code() for _ in range(100)}
    assert len(codes) == 100
    assert min(map(len, codes)) >= 22, "128 bits"


@pytest.mark.parametrize("role", ["planner", "resident"])
def test_other_roles_are_refused_and_the_job_is_not(town_database: Clone, role: str) -> None:
    with town_database.api.session(Scope(role)) as session:
        with pytest.raises(RoleNotAllowedError, match=f"The role {role} may not do this"):
            service.require_role(session, "coordinator")
        service.require_role(session, role)
    with town_database.job.session(Scope("job")) as session:
        service.require_role(session, "coordinator")


def scope(account: UUID) -> Scope:
    return Scope("coordinator", (Interval.of(A),), account=account)


def test_an_answer_is_kept_for_its_account_and_request(own_town: Clone) -> None:
    account, key = uuid4(), "a-key-of-ours"
    with own_town.api.session(scope(account)) as session, session.begin():
        assert service.earlier_answer(session, key=key, request=b"one") is None
        service.keep_answer(session, key=key, request=b"one", status=201, answer={"id": 1})
    with own_town.api.session(scope(account)) as session:
        assert service.earlier_answer(session, key=key, request=b"one") == (201, {"id": 1})
        with pytest.raises(IdempotencyMismatchError, match=key):
            service.earlier_answer(session, key=key, request=b"two")
    with own_town.api.session(scope(uuid4())) as session:
        assert service.earlier_answer(session, key=key, request=b"two") is None


def test_nobody_keeps_an_answer(own_town: Clone) -> None:
    with own_town.api.session(NOBODY) as session:
        assert service.earlier_answer(session, key="a-key-of-ours", request=b"") is None
        with pytest.raises(NotSignedInError):
            service.keep_answer(session, key="a-key", request=b"", status=200, answer={})


def test_an_answer_goes_with_the_change_it_belongs_to(own_town: Clone) -> None:
    before = own_town.count(IdempotencyRow.__tablename__)
    with own_town.api.session(scope(uuid4())) as session:
        service.keep_answer(session, key="never-committed", request=b"", status=201, answer={})
        session.rollback()
    assert own_town.count(IdempotencyRow.__tablename__) == before


def test_the_audit_trail_notes_who_did_what_to_what(town_session: ScopedSession) -> None:
    service.record(town_session, community_code=A, action="contacts.apply", subject="7", changed=3)
    noted = town_session.scalars(select(AuditRow).where(AuditRow.subject == "7")).one()
    assert (noted.account_id, noted.action, noted.detail) == (
        town.ACCOUNT,
        "contacts.apply",
        {"changed": 3},
    )
    assert noted.at.tzinfo is not None


def test_the_audit_trail_of_the_town_holds_no_name_and_no_words(town_database: Clone) -> None:
    with town_database.root.connect() as connection:
        details = str(connection.execute(select(AuditRow.detail)).all())
    assert "gap" in details
    assert "甲" not in details
    assert "1540000" not in details

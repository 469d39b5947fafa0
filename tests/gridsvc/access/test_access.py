"""Accounts, tokens and repeated requests, below the HTTP face."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from gridsvc.access import service, store
from gridsvc.access.model import DevelopmentAccount
from gridsvc.access.tables import AccountScopeRow, IdempotencyRow
from gridsvc.access.tokens import hashed, hashed_code, new_code, new_token
from gridsvc.db import NOBODY, Interval, Scope, ScopedSession
from gridsvc.errors import (
    IdempotencyMismatchError,
    NotSignedInError,
    RoleNotAllowedError,
    WrongCredentialsError,
)
from tests import town
from tests.databases import Clone

pytestmark = pytest.mark.db

A, B, STREET = town.EAST_SHORE, town.WEST_BRIDGE, town.STREET


def make_account(
    session: ScopedSession, *codes: int, role: str = "coordinator"
) -> DevelopmentAccount:
    account = DevelopmentAccount(uuid4(), "甲", role, codes, new_token())
    service.make_development_accounts(session, [account])
    return account


def sign_in(session: ScopedSession, account: DevelopmentAccount) -> str:
    signing = service.get_by_code(session, account.code)
    return service.start(session, signing, stage="full", client=None).token


def test_a_token_names_the_account_with_its_territories(empty_session: ScopedSession) -> None:
    account = make_account(empty_session, STREET, B)
    token = sign_in(empty_session, account)
    principal = service.authenticate(empty_session, token)
    assert principal.account_id == account.id
    assert principal.role == "coordinator"
    assert principal.scope.intervals == (Interval(STREET, STREET + 999), Interval(B, B))
    assert principal.scope.account == account.id
    assert (principal.credential, principal.is_read_only) == ("browser", False)
    service.sign_out(empty_session, token)
    with pytest.raises(NotSignedInError):
        service.authenticate(empty_session, token)
    service.sign_out(empty_session, token)  # nothing to end


def test_making_an_account_again_replaces_code_and_territory(empty_session: ScopedSession) -> None:
    first = make_account(empty_session, A, B)
    again = DevelopmentAccount(first.id, "乙", "planner", (STREET,), new_token())
    service.make_development_accounts(empty_session, [again])
    with pytest.raises(WrongCredentialsError):
        sign_in(empty_session, first)
    principal = service.authenticate(empty_session, sign_in(empty_session, again))
    assert (principal.name, principal.role) == ("乙", "planner")
    assert len(empty_session.scalars(select(AccountScopeRow)).all()) == 1


def test_a_sign_in_lasts_twelve_hours(empty_session: ScopedSession) -> None:
    token = sign_in(empty_session, make_account(empty_session, A))
    now = datetime.now(UTC)
    early, late = now + timedelta(hours=11, minutes=59), now + timedelta(hours=12, minutes=1)
    assert store.find_principal(empty_session, hashed(token), early) is not None
    assert store.find_principal(empty_session, hashed(token), late) is None


def test_use_of_a_sign_in_is_noted_every_ten_minutes(own_town: Clone) -> None:
    with town.job_session(own_town.job) as session, session.begin():
        account = make_account(session, A)
    with own_town.api.session(NOBODY) as session, session.begin():
        token = sign_in(session, account)

    def age_after_use(minutes: int) -> float:
        own_town.run(
            f"UPDATE gridsvc.sign_in SET used_at = now() - interval '{minutes} minutes'"  # noqa: S608
        )
        with own_town.api.session(NOBODY) as session, session.begin():
            service.authenticate(session, token)
        with own_town.root.connect() as connection:
            statement = "SELECT extract(epoch FROM now() - used_at) / 60 FROM gridsvc.sign_in"
            return float(connection.exec_driver_sql(statement).scalar_one())

    assert age_after_use(9) > 8
    assert age_after_use(11) < 1


def test_tokens_and_codes_are_long_and_never_the_same() -> None:
    tokens, codes = {new_token() for _ in range(100)}, {new_code() for _ in range(100)}
    assert len(tokens) == len(codes) == 100
    assert {len(token) for token in tokens} == {43}, "256 bits"
    assert {len(code) for code in codes} == {19}, "80 bits, in four groups"


def test_a_printed_code_is_read_however_it_is_typed() -> None:
    assert hashed_code("7QK2-M0XA-1123-ZZZZ") == hashed_code(" 7qk2 moxa l123 zzzz")
    assert hashed_code("7QK2-M0XA-1123-ZZZZ") != hashed_code("7QK2-M0XA-1123-ZZZY")


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

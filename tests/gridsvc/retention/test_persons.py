"""One person is found, exported whole, and erased from every table."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import LargeBinary, text

from gridsvc.contacts import service as contacts
from gridsvc.db import Base, Interval, Scope, ScopedSession
from gridsvc.embedded import Cluster
from gridsvc.errors import NotFoundError, RoleNotAllowedError
from gridsvc.local_time import local_today
from gridsvc.people import service as people
from gridsvc.retention.persons import service, store
from gridsvc.retention.persons.model import Erased, Person
from tests import town
from tests.databases import Clone, drop, make_clone
from tests.gridsvc.retention.rows import run

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE
MEMBER = town.id_of("member", A, 1)
HOME = town.stairwell_code(A, number=2)
PHONE, LOGIN = "13988887777", "zoe.the.chief"
ACCOUNT, DEVICE, OTHER = (town.id_of("person", what) for what in ("account", "device", "other"))
NOBODY = town.id_of("person", "nobody")
DUTY = town.stairwell_code(A, compound=2, building=2, number=3)
NEVER_DUTY = town.stairwell_code(A, compound=2, building=1, number=3)

# A person with something in every table that can hold anything about one.
LIFE = (
    (
        "UPDATE gridsvc.member_identity SET name = '隗知秋', phone_cipher = :cipher,"
        " phone_masked = '139****7777' WHERE member_id = :member"
    ),
    (
        "INSERT INTO gridsvc.account (id, login, name, role, office_code, person_id, password_hash)"
        " VALUES (:account, :login, '隗知秋', 'contact', :a, :member, 'argon2-hash')"
    ),
    "INSERT INTO gridsvc.account_scope VALUES (:account, 1, :a, :a)",
    "INSERT INTO gridsvc.development_code VALUES (:account, 'dev-hash')",
    "INSERT INTO gridsvc.device (id, account_id, name) VALUES (:device, :account, '隗知秋的手机')",
    (
        "INSERT INTO gridsvc.device_token (token_hash, device_id, expires_at)"
        " VALUES ('token-hash', :device, now() + interval '1 day')"
    ),
    (
        "INSERT INTO gridsvc.sign_in (token_hash, id, account_id, device_id, client, expires_at)"
        " VALUES ('sign-in-hash', :other, :account, :device, 'Firefox', now() + interval '1 hour')"
    ),
    (
        "INSERT INTO gridsvc.api_key (id, account_id, name, secret_hash, lo, hi, expires_at)"
        " VALUES ('key', :account, '隗知秋', 'key-hash', :a, :a, now() + interval '1 day')"
    ),
    (
        "INSERT INTO gridsvc.invitation (id, account_id, code_hash, expires_at)"
        " VALUES (:other, :account, 'code-hash', now() + interval '1 day')"
    ),
    "INSERT INTO gridsvc.sso_identity VALUES ('https://id.example', 'zoe.the.chief', :account)",
    (
        "INSERT INTO gridsvc.territory_import (community_code, id, layer, file_name, file_hash,"
        " format, crs_name, status, columns, notes, row_count, valid_from, account_id)"
        " VALUES (440605011001, :other, 'compounds', 'a.geojson', 'h', 'GeoJSON', 'EPSG:4326',"
        " 'staged', '{}', '[]', 0, '2020-01-01', :account)"
    ),
    (
        "INSERT INTO gridsvc.job (community_code, id, kind, role, person_id, account_id)"
        " VALUES (:a, :other, 'test.count', 'contact', :member, :account)"
    ),
    (
        "INSERT INTO gridsvc.idempotency_key (community_code, account_id, key, request_hash,"
        " status, answer) VALUES (:a, :account, 'k', 'h', 201, '{\"summary\": \"隗知秋\"}')"
    ),
    (
        "INSERT INTO gridsvc.inbox_entry (community_code, id, account_id, template, values,"
        " subject) VALUES (:a, :other, :account, 'incident.closed', '{}', 'x')"
    ),
    (
        "INSERT INTO gridsvc.audit_event (community_code, id, account_id, action, subject)"
        " VALUES (:a, :other, :account, 'incident.report', 'x')"
    ),
    (
        "INSERT INTO gridsvc.incident_event (community_code, id, incident_id, position, step,"
        " status_before, status_after, actor_account, actor_kind, is_public)"
        " SELECT :a, :other, id, 9, 'note', status, status, :account, 'account', false"
        " FROM gridsvc.incident WHERE community_code = :a LIMIT 1"
    ),
    (
        "INSERT INTO gridsvc.audit_event (community_code, id, action, subject)"
        " VALUES (:a, :device, 'member.reveal', CAST(:member AS text))"
    ),
    (
        "INSERT INTO gridsvc.member_absence (community_code, id, member_id, valid, kind)"
        " VALUES (:a, :other, :member, daterange('2025-03-01', '2025-04-01'), 'ill')"
    ),
    (
        "INSERT INTO gridsvc.contact_exclusion (community_code, id, member_id, other_member_id,"
        " reason, since) SELECT :a, gen_random_uuid(), id, :member, '隗知秋的邻居', '2020-01-01'"
        " FROM gridsvc.member WHERE community_code = :a AND id <> :member AND erased_at IS NULL"
    ),
    (
        "INSERT INTO gridsvc.contact_pin (community_code, stairwell_code, member_id)"
        " VALUES (:a, :home, :member)"
    ),
    # leads the own stairwell, supports another, and led a third
    (
        "UPDATE gridsvc.contact SET valid = daterange('2020-01-01', '2020-02-01')"
        " WHERE community_code = :a AND stairwell_code IN (:home, :duty)"
    ),
    (
        "INSERT INTO gridsvc.contact (community_code, id, stairwell_code, member_id, kind, valid,"
        " tier, distance_m) VALUES"
        " (:a, gen_random_uuid(), :home, :member, 'lead', daterange(:long_ago, NULL), 0, 1),"
        " (:a, gen_random_uuid(), :duty, :member, 'supporting', daterange(:today, NULL), 2, 70),"
        " (:a, gen_random_uuid(), :never, :member, 'supporting', daterange('2019-01-01',"
        "  '2019-03-01'), 1, 44)"
    ),
    (
        "INSERT INTO gridsvc.contact_plan_line SELECT :a, id, :home, :member, 'own_stairwell', 1"
        " FROM gridsvc.contact_plan WHERE community_code = :a"
        " ON CONFLICT (community_code, plan_id, stairwell_code) DO UPDATE"
        " SET member_id = :member, reason = 'own_stairwell', distance_m = 1"
    ),
)
TRACES = ("隗知秋", PHONE, "139****7777", LOGIN)


def live(clone: Clone) -> None:
    """Let one member have an account, and do and be everything."""
    with town.job_session(clone.job) as session, session.begin():
        run(
            session,
            *LIFE,
            member=MEMBER,
            cipher=town.VAULT.encrypt(PHONE),
            account=ACCOUNT,
            device=DEVICE,
            other=OTHER,
            login=LOGIN,
            home=HOME,
            duty=DUTY,
            never=NEVER_DUTY,
            today=local_today(),
            long_ago=local_today() - timedelta(days=100),
        )


@pytest.fixture
def lived(own_town: Clone) -> Clone:
    """A town of the test's own, in which the person has lived."""
    live(own_town)
    return own_town


@pytest.fixture(scope="module")
def full(cluster: Cluster, town_template: str) -> Iterator[Clone]:
    """A town in which the person has lived, for tests that only read."""
    clone = make_clone(cluster, town_template)
    live(clone)
    yield clone
    drop(clone)


@pytest.fixture(scope="module")
def erased_town(cluster: Cluster, town_template: str) -> Iterator[Clone]:
    """A town from which the person was erased, for tests that only read."""
    clone = make_clone(cluster, town_template)
    live(clone)
    erase(clone)
    yield clone
    drop(clone)


@pytest.fixture
def session(full: Clone) -> Iterator[ScopedSession]:
    """A session of the job, rolled back at the end."""
    with town.job_session(full.job) as session:
        yield session
        session.rollback()


def erase(clone: Clone, person_id: UUID = MEMBER) -> Erased:
    with town.job_session(clone.job) as session, session.begin():
        return service.erase(session, person_id)


def cells(clone: Clone) -> Iterator[tuple[str, bytes]]:
    """Yield table and column, and each value in it, as bytes, of every table of ours."""
    query = text(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'gridsvc' ORDER BY 1, 2"
    )
    with clone.root.connect() as connection:
        for table, column, kind in connection.execute(query).all():
            cast = column if kind == "bytea" else f"convert_to({column}::text, 'utf8')"
            values = text(f"SELECT {cast} FROM gridsvc.{table} WHERE {column} IS NOT NULL")  # noqa: S608
            for value in connection.scalars(values):
                yield f"{table}.{column}", bytes(value)


def places_of(clone: Clone, *words: str) -> set[str]:
    """Return the columns in which a word stands, or decrypts to."""
    found = set()
    for place, value in cells(clone):
        told = value
        if place.endswith("_cipher"):
            told += town.VAULT.decrypt(value).encode()
        if any(word.encode() in told for word in words):
            found.add(place)
    return found


# ---- find


def test_a_person_is_found_by_part_of_the_name_or_by_the_masked_phone(
    session: ScopedSession,
) -> None:
    for words in ("隗", "知秋", "139****7777"):
        found = {one.id: one for one in service.search(session, words)}
        assert found[MEMBER].name == "隗知秋"
        assert found[MEMBER].phone_masked == "139****7777"
        assert found[MEMBER].home_stairwell_code == HOME
    assert service.search(session, "%") == []
    assert service.search(session, PHONE) == []


def test_an_account_without_a_member_is_found_too(session: ScopedSession) -> None:
    run(
        session,
        "INSERT INTO gridsvc.account (id, login, name, role, office_code)"
        " VALUES (:other, 'li.planner', '李规划', 'planner', :a)",
        other=OTHER,
    )
    assert [(one.kind, one.id) for one in service.search(session, "planner")] == [
        ("account", OTHER)
    ]
    assert service.get(session, OTHER) == Person(A, None, (OTHER,))


def test_an_account_leads_to_its_member(session: ScopedSession) -> None:
    assert service.get(session, ACCOUNT) == service.get(session, MEMBER)
    assert service.get(session, MEMBER) == Person(A, MEMBER, (ACCOUNT,))


@pytest.mark.parametrize("act", [service.get, service.erase])
def test_an_id_of_nobody_is_not_found(session: ScopedSession, act: Any) -> None:
    with pytest.raises(NotFoundError):
        act(session, NOBODY)


# ---- export


def test_an_export_holds_every_row_about_the_person(session: ScopedSession) -> None:
    exported = service.export(session, MEMBER, vault=town.VAULT)
    assert exported["phone"] == PHONE
    stored = exported["stored"]
    assert set(stored) == set(store.conditions(session, service.get(session, MEMBER)))
    assert stored["member_identity"][0]["name"] == "隗知秋"
    assert stored["member"][0]["home_stairwell_code"] == HOME
    assert stored["member"][0]["lon"] == pytest.approx(113.1506)
    assert stored["member_affiliation"][0]["affiliation"] == "masses"
    assert len(stored["contact"]) >= 3
    assert {"from": "2019-01-01", "to": "2019-03-01"} in [one["valid"] for one in stored["contact"]]
    assert {event["action"] for event in stored["audit_event"]} == {
        "incident.report",
        "member.reveal",
    }


def test_an_export_is_json_without_any_secret(session: ScopedSession) -> None:
    exported = orjson.dumps(service.export(session, MEMBER, vault=town.VAULT)).decode()
    json.loads(exported)
    for secret in ("argon2-hash", "token-hash", "sign-in-hash", "key-hash", "code-hash"):
        assert secret not in exported
    assert "cipher" not in exported


def test_an_export_is_noted_without_the_name(session: ScopedSession) -> None:
    service.export(session, MEMBER, vault=town.VAULT)
    query = text(
        "SELECT community_code, subject, detail FROM gridsvc.audit_event"
        " WHERE action = 'member.export'"
    )
    code, subject, detail = session.execute(query).one()
    assert (code, subject, detail["sign_in"]) == (A, str(MEMBER), 1)
    assert all(isinstance(count, int) for count in detail.values())


def test_no_table_that_refers_to_people_is_left_out(session: ScopedSession) -> None:
    known = set(store.conditions(session, service.get(session, MEMBER)))
    refer = {
        table.name
        for table in Base.metadata.tables.values()
        if {"member_id", "person_id", "account_id", "device_id", "actor_account"}
        & set(table.c.keys())
    }
    assert refer <= known
    assert known - refer == {"member"}


# ---- erase


def test_before_the_erasure_the_person_is_in_many_places(full: Clone) -> None:
    assert places_of(full, *TRACES) == {
        *("member_identity.name", "member_identity.phone_masked", "member_identity.phone_cipher"),
        *("account.name", "account.login", "device.name", "api_key.name", "sso_identity.subject"),
        *("idempotency_key.answer", "contact_exclusion.reason"),
    }


def test_after_the_erasure_no_column_of_any_table_holds_a_trace(erased_town: Clone) -> None:
    assert places_of(erased_town, *TRACES) == set()


def test_after_the_erasure_nothing_is_left_of_the_account(erased_town: Clone) -> None:
    left = places_of(erased_town, str(ACCOUNT), str(DEVICE))
    # The trail of what was done stays; whose id it was is known nowhere any more.
    trail = {"audit_event.account_id", "audit_event.id", "incident_event.actor_account"}
    assert left == trail | {"territory_import.account_id"}
    hashes = ("token-hash", "sign-in-hash", "key-hash", "code-hash", "dev-hash", "argon2-hash")
    assert places_of(erased_town, *hashes) == set()


def test_after_the_erasure_nothing_tells_where_the_person_lived(
    full: Clone, erased_town: Clone
) -> None:
    with full.root.connect() as connection:
        before = connection.scalar(
            text("SELECT ST_AsText(geom) FROM gridsvc.member WHERE id = :id"), {"id": MEMBER}
        )
    with erased_town.root.connect() as connection:
        stub = connection.execute(
            text(
                "SELECT home_stairwell_code, reported_in_on, capacity_households,"
                " capacity_stairwells, is_available, erased_at IS NOT NULL, ST_AsText(geom)"
                " FROM gridsvc.member WHERE id = :id"
            ),
            {"id": MEMBER},
        ).one()
        duties = connection.execute(
            text(
                "SELECT tier::text, distance_m FROM gridsvc.contact WHERE member_id = :id UNION ALL"
                " SELECT reason, distance_m FROM gridsvc.contact_plan_line WHERE member_id = :id"
            ),
            {"id": MEMBER},
        ).all()
    assert stub[:-1] == (None, None, 0, 0, False, True)
    assert stub[-1] != before
    assert set(duties) == {("3", 0), ("near", 0)}


def test_members_are_placed_at_a_point_of_their_community(erased_town: Clone) -> None:
    query = (
        "id = '%s' AND NOT EXISTS (SELECT FROM gridsvc.community c"
        " WHERE c.code = community_code AND ST_Contains(c.geom, member.geom))"
    )
    assert erased_town.count("member", query % MEMBER) == 0


def test_contacts_end_today_and_the_stairwells_without_a_lead_are_named(lived: Clone) -> None:
    with town.job_session(lived.job) as session, session.begin():
        in_force = session.scalars(
            text(
                "SELECT stairwell_code FROM gridsvc.contact WHERE member_id = :id"
                " AND kind = 'lead' AND upper_inf(valid) ORDER BY 1"
            ),
            {"id": MEMBER},
        ).all()
        uncovered = contacts.count_states(session)["uncovered"]
    erased = erase(lived)
    assert erased.uncovered == tuple(in_force)
    assert HOME in erased.uncovered
    assert DUTY not in erased.uncovered, "it lost a supporting contact only"
    with town.job_session(lived.job) as session, session.begin():
        assert contacts.find_contact(session, HOME) is None
        assert contacts.count_states(session)["uncovered"] == uncovered + len(in_force)
    today = local_today()
    kept = f"member_id = '{MEMBER}' AND stairwell_code = '{HOME}' AND upper(valid) = '{today}'"
    assert lived.count("contact", kept) == 1
    never_a_day = f"member_id = '{MEMBER}' AND stairwell_code = '{DUTY}'"
    assert lived.count("contact", f"{never_a_day} AND kind = 'supporting'") == 0
    assert lived.count("contact", f"member_id = '{MEMBER}' AND valid @> '{today}'::date") == 0


def test_an_erased_person_is_in_no_list(erased_town: Clone) -> None:
    with town.job_session(erased_town.job) as session, session.begin():
        assert service.search(session, "隗") == []
        members = people.read_members(session, community_code=A)
        assert len(members) == 9 - 1
        assert MEMBER not in set(members["id"])
        assert people.count_posts(session)["building_chief"] == 5 - 1


def test_the_next_plan_does_without_an_erased_person(lived: Clone) -> None:
    erase(lived)
    with town.job_session(lived.job) as session, session.begin():
        run_of = contacts.propose(session, time_limit_s=0.3, community_code=A)
        named = {
            line.member_id
            for plan in run_of.plans
            for line in contacts.list_lines(session, plan.id, limit=1000)
        }
    assert named
    assert MEMBER not in named


def test_a_proposal_that_names_an_erased_person_gives_them_no_duty(lived: Clone) -> None:
    with town.job_session(lived.job) as session, session.begin():
        plan = contacts.propose(session, time_limit_s=0.3, community_code=A).plans[0]
        run(
            session,
            "UPDATE gridsvc.contact_plan_line SET member_id = :member, reason = 'near',"
            " distance_m = 9 WHERE plan_id = :plan AND stairwell_code = :duty",
            member=MEMBER,
            plan=plan.id,
            duty=DUTY,
        )
    erased = erase(lived)
    assert erased.counts["proposals"] >= 1
    with town.job_session(lived.job) as session, session.begin():
        contacts.adopt(session, plan.id)
    in_force = f"member_id = '{MEMBER}' AND upper_inf(valid)"
    assert lived.count("contact", in_force) == 0


def test_an_erasure_is_noted_with_counts_and_no_words(lived: Clone) -> None:
    erased = erase(lived)
    with lived.root.connect() as connection:
        code, subject, detail = connection.execute(
            text(
                "SELECT community_code, subject, detail FROM gridsvc.audit_event"
                " WHERE action = 'member.erase'"
            )
        ).one()
    assert (code, subject, detail) == (A, str(MEMBER), erased.counts)
    assert detail["account"] == detail["sign_in"] == detail["api_key"] == 1


def test_an_erasure_leaves_everybody_else_as_they_were(lived: Clone) -> None:
    others = {
        "member": f"id <> '{MEMBER}' AND erased_at IS NULL AND home_stairwell_code IS NOT NULL",
        "member_identity": f"member_id <> '{MEMBER}'",
        "post": f"member_id <> '{MEMBER}'",
        "contact": f"member_id <> '{MEMBER}' AND tier >= 0 AND upper_inf(valid)",
        "contact_plan_line": f"member_id <> '{MEMBER}' AND reason <> 'excluded'",
        "account": f"id <> '{ACCOUNT}'",
        "audit_event": "action <> 'member.erase'",
    }
    before = {table: lived.count(table, where) for table, where in others.items()}
    erase(lived)
    assert {table: lived.count(table, where) for table, where in others.items()} == before


def test_erasing_again_finds_nothing_more(lived: Clone) -> None:
    erase(lived)
    erased_at = f"id = '{MEMBER}' AND erased_at < now() - interval '1 hour'"
    lived.run(f"UPDATE gridsvc.member SET erased_at = '2020-01-01' WHERE id = '{MEMBER}'")  # noqa: S608
    again = erase(lived)
    assert (again.uncovered, again.counts) == ((), {})
    assert lived.count("member", erased_at) == 1


def test_an_account_alone_is_erased_too(lived: Clone) -> None:
    with town.job_session(lived.job) as session, session.begin():
        run(session, "UPDATE gridsvc.account SET person_id = NULL WHERE id = :it", it=ACCOUNT)
    erased = erase(lived, ACCOUNT)
    assert erased.person.kind == "account"
    assert lived.count("account", f"id = '{ACCOUNT}'") == 0
    assert lived.count("member_identity", f"member_id = '{MEMBER}'") == 1
    assert lived.count("audit_event", "action = 'account.erase'") == 1


def test_a_person_of_another_territory_is_not_found(full: Clone) -> None:
    with (
        full.job.session(Scope("job", (Interval.of(B),))) as session,
        session.begin(),
    ):
        for person_id in (MEMBER, ACCOUNT):
            with pytest.raises(NotFoundError):
                service.erase(session, person_id)
    assert full.count("member_identity", f"member_id = '{MEMBER}'") == 1


@pytest.mark.parametrize("role", ["administrator", "coordinator", "contact"])
def test_export_and_erasure_are_for_the_job(full: Clone, role: str) -> None:
    with full.api.session(Scope(role, (Interval.of(A),))) as session:
        with pytest.raises(RoleNotAllowedError):
            service.export(session, MEMBER, vault=town.VAULT)
        with pytest.raises(RoleNotAllowedError):
            service.erase(session, MEMBER)
        with pytest.raises(RoleNotAllowedError):
            service.search(session, "隗")


def test_every_encrypted_column_is_scanned_by_these_tests(full: Clone) -> None:
    encrypted = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.c
        if isinstance(column.type, LargeBinary) and column.name.endswith("_cipher")
    }
    scanned = {place for place, _ in cells(full)}
    assert "member_identity.phone_cipher" in encrypted & scanned

"""Parties without an account: kept with care, and bound to one incident by their link."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gridsvc.db import ScopedSession
from gridsvc.errors import (
    InvalidLinkError,
    InvalidPartyError,
    InvalidTextError,
    NotFoundError,
    RoleNotAllowedError,
    StepNotAllowedError,
)
from gridsvc.incidents import service as incidents
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.model import Incident
from gridsvc.incidents.parties import service
from gridsvc.incidents.parties.model import Link, Party
from tests import town
from tests.databases import Clone, drop, make_clone
from tests.gridsvc.incidents.lives import (
    ANNA,
    BERT,
    CLEO,
    PARTY,
    A,
    B,
    acting,
    add_workers,
    make,
    report,
)

pytestmark = pytest.mark.db
VAULT = town.VAULT


@pytest.fixture(scope="module")
def clone(cluster: Any, town_template: str) -> Iterator[Clone]:
    """The town with workers."""
    made = make_clone(cluster, town_template)
    add_workers(made)
    yield made
    drop(made)


def add(session: ScopedSession, **more: Any) -> Party:
    values: dict[str, Any] = {
        "community_code": A,
        "name": "水务局",
        "kind": "bureau",
        "email": "water@example.org",
    }
    return service.add_party(session, vault=VAULT, **(values | more))


def handed(clone: Clone, *, lasts: timedelta = service.LINK_LASTS) -> tuple[Incident, Link]:
    """Return an incident that is handed to the property company, and its link."""
    with acting(clone, ANNA) as session:
        incident = make(session, report(session), "assign", party=PARTY)
        return incident, service.make_link(session, incident.id, lasts=lasts)


def opened(clone: Clone, token: str) -> str:
    with clone.api.session(service.scope_of_token(token)) as session, session.begin():
        return str(service.open_link(session, token).incident_id)


# ---- parties


def test_an_address_is_kept_encrypted_and_told_to_nobody(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        party = add(session)
        assert (party.has_email, party.kind, party.is_retired) == (True, "bureau", False)
        assert service.read_email(session, party, vault=VAULT) == "water@example.org"
        stored = session.scalar(
            text("SELECT email_cipher FROM gridsvc.party WHERE id = :id"), {"id": party.id}
        )
    assert b"water" not in bytes(stored or b"")


def test_whoever_is_retired_gets_nothing_new_and_no_address_stays(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        party = service.change_party(session, add(session).id, {"is_retired": True}, VAULT)
        assert (party.is_retired, party.has_email) == (True, False)
        assert party not in service.list_parties(session)
        assert party in service.list_parties(session, has_retired=True)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": " "}, InvalidPartyError),
        ({"name": "甲\n乙"}, InvalidPartyError),
        ({"name": "局" * 81}, InvalidTextError),
        ({"name": "\x07"}, InvalidTextError),
        ({"kind": "friend"}, InvalidPartyError),
        ({"email": "nobody"}, InvalidPartyError),
        ({"email": "a@b\r\nBcc: c@d.example"}, InvalidPartyError),
        ({"email": "x" * 300 + "@example.org"}, InvalidPartyError),
        ({"community_code": B}, NotFoundError),
    ],
)
def test_a_party_that_cannot_be_is_refused(
    clone: Clone, given: dict[str, Any], error: type[Exception]
) -> None:
    with acting(clone, ANNA) as session, pytest.raises(error):
        add(session, **given)


def test_parties_are_for_the_staff_of_their_community(clone: Clone) -> None:
    with acting(clone, CLEO) as session, pytest.raises(RoleNotAllowedError):
        service.list_parties(session)
    with acting(clone, ANNA) as session:
        assert {one.community_code for one in service.list_parties(session)} == {A}
        with pytest.raises(NotFoundError):
            service.get_party(session, town.id_of("party", B))


# ---- links


def test_a_party_answers_by_its_link_and_somebody_else_verifies(clone: Clone) -> None:
    incident, link = handed(clone)
    with clone.api.session(service.scope_of_token(link.token)) as session, session.begin():
        holder = service.open_link(session, link.token)
        step = Step("resolve", note="已疏通", by="party")
        solved = life.step(
            session, holder.incident_id, step, version=None, party_id=holder.party_id
        )
    assert (solved.status, solved.resolved_by) == ("resolved", None)
    with acting(clone, BERT) as session:
        last = life.list_events(session, incident.id)[-1]
        assert (last.actor_kind, last.actor_account) == ("party", None)
        assert last.details == {"by_party": str(PARTY)}
        assert make(session, solved, "verify").status == "verified"


@pytest.mark.parametrize("kind", ["verify", "close", "assign", "escalate", "not_ours", "reopen"])
def test_a_party_makes_no_step_but_its_own(clone: Clone, kind: str) -> None:
    incident, link = handed(clone)
    step = Step(kind, note="x", by="party")
    with (
        clone.api.session(service.scope_of_token(link.token)) as session,
        session.begin(),
        pytest.raises(StepNotAllowedError),
    ):
        life.step(session, incident.id, step, version=None, party_id=PARTY)


def test_a_link_opens_one_incident_and_nothing_beside_it(clone: Clone) -> None:
    incident, link = handed(clone)
    handed(clone)
    assert opened(clone, link.token) == str(incident.id)
    with clone.api.session(service.scope_of_token(link.token)) as session:
        # What is public everybody sees; by the link, one more.
        own = "SELECT id FROM gridsvc.incident WHERE NOT is_public OR id = :id"
        seen = session.scalars(text(own), {"id": incident.id}).all()
        links = session.scalar(text("SELECT count(*) FROM gridsvc.party_link"))
        parties = session.scalar(text("SELECT count(*) FROM gridsvc.party"))
    assert (seen, links, parties) == ([incident.id], 1, 0)


def test_a_newer_link_ends_the_one_before(clone: Clone) -> None:
    incident, first = handed(clone)
    with acting(clone, ANNA) as session:
        second = service.make_link(session, incident.id)
    assert opened(clone, second.token) == str(incident.id)
    with pytest.raises(InvalidLinkError):
        opened(clone, first.token)


def test_a_link_ends_with_its_time_and_when_others_take_over(clone: Clone) -> None:
    _, old = handed(clone, lasts=timedelta(0))
    with pytest.raises(InvalidLinkError):
        opened(clone, old.token)
    incident, link = handed(clone)
    with acting(clone, ANNA) as session:
        make(session, incident, "assign", account=BERT)
    with pytest.raises(InvalidLinkError):
        opened(clone, link.token)


def test_a_token_that_is_not_ours_opens_nothing(clone: Clone) -> None:
    incident, link = handed(clone)
    code, report_id, secret = link.token.split(".")
    forged = [f"{B}.{report_id}.{secret}", f"{code}.{'0' * 32}.{secret}", link.token[:-1] + "-"]
    for token in (*forged, "", "x", link.token + "x", "‮" * 40, f"{code}.{report_id}."):
        with pytest.raises(InvalidLinkError):
            opened(clone, token)
    assert opened(clone, link.token) == str(incident.id)


def test_only_a_hash_of_a_link_is_kept(clone: Clone) -> None:
    _, link = handed(clone)
    secret = link.token.split(".")[2]
    with clone.root.connect() as connection:
        rows = connection.scalars(
            text("SELECT l::text FROM gridsvc.party_link l".replace("::", "\\:\\:"))
        )
        assert all(secret not in row for row in rows)


def test_a_link_needs_a_party_to_answer(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        incident = report(session)
        with pytest.raises(InvalidPartyError, match="assign it to one first"):
            service.make_link(session, incident.id)
        with pytest.raises(NotFoundError):
            service.make_link(session, town.id_of("incident", B, "parking.blocking", 0))
        assert incidents.get(session, incident.id).handler_party is None

"""Work lists: what is in them, in which order, by which index; and handing over many at once."""

# ruff: noqa: S608 - codes and numbers of our own

from collections.abc import Iterator
from typing import Any

import pytest

from gridsvc.db import Interval, Scope
from gridsvc.incidents.life.model import Step
from gridsvc.incidents.lists import service
from gridsvc.incidents.lists.model import LISTS, Chosen, WorkFilter
from gridsvc.incidents.model import Incident
from tests import town
from tests.databases import Clone, drop, make_clone
from tests.gridsvc.incidents.lives import (
    ANNA,
    BERT,
    CLEO,
    PARTY,
    A,
    acting,
    add_workers,
    make,
    report,
    solve,
)
from tests.gridsvc.plans import indexes, plan_of, scans

pytestmark = pytest.mark.db


@pytest.fixture
def clone(own_town: Clone) -> Clone:
    """A town of the test's own with workers, in which nothing is open."""
    add_workers(own_town)
    own_town.run("UPDATE gridsvc.incident SET status = 'closed', closed_at = reported_at")
    return own_town


def ids(clone: Clone, name: str, **more: Any) -> list[Any]:
    with acting(clone, ANNA) as session:
        return [one.id for one in service.list_work(session, WorkFilter(name, **more))]


def overdue(clone: Clone, incident: Incident) -> None:
    clone.run(
        f"UPDATE gridsvc.incident SET due_at = now() - interval '1 day' WHERE id = '{incident.id}'"
    )


def test_each_list_holds_what_its_name_says_the_oldest_first(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        new, mine, hers, hung = (report(session) for _ in range(4))
        make(session, mine, "assign", account=ANNA)
        make(session, hers, "assign", account=BERT)
        make(session, make(session, hung, "assign", party=PARTY), "hang")
        late = report(session, category_code="parking.blocking", x=5, y=6)
    solved = solve(clone, late)
    overdue(clone, solved)
    assert ids(clone, "unassigned") == [new.id]
    assert ids(clone, "mine") == [mine.id, solved.id]
    assert ids(clone, "hung") == [hung.id]
    assert ids(clone, "unverified") == ids(clone, "overdue") == [solved.id]
    assert ids(clone, "open") == [new.id, mine.id, hers.id, hung.id, solved.id]
    assert ids(clone, "open", class_code="parking") == [solved.id]
    assert ids(clone, "open", compound_code=town.compound_code(A, 2)) == []
    assert ids(clone, "open", handler=PARTY) == [hung.id]
    assert ids(clone, "open", handler=BERT) == [hers.id]
    assert ids(clone, "open", level="community") == []
    with acting(clone, ANNA) as session:
        counts = service.count_lists(session)
        assert counts == dict(zip(LISTS, (2, 1, 1, 1, 1, 5), strict=True))


def test_a_list_goes_on_where_its_page_ended(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        made = [report(session).id for _ in range(5)]
        found: list[Incident] = []
        while True:
            last = (found[-1].reported_at, found[-1].id) if found else None
            page = service.list_work(session, WorkFilter("open"), after=last, limit=2)
            found += page
            if len(page) < 2:
                break
    assert [one.id for one in found] == made


def test_a_contact_finds_what_is_handed_to_them_beside_the_own_stairwells(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        handed = make(session, report(session), "assign", account=CLEO)
        own, _ = report(session, x=5, y=6), report(session, x=33, y=28)
    bound = frozenset({town.stairwell_code(A)})
    with acting(clone, CLEO) as session:
        seen = service.list_work(session, WorkFilter("open"), stairwell_codes=bound)
        assert [one.id for one in seen] == [handed.id, own.id]
        counts = service.count_lists(session, stairwell_codes=bound)
    assert (counts["mine"], counts["open"], counts["unassigned"]) == (1, 2, 1)


def test_many_are_handed_over_at_once_and_each_is_answered(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        first, second, third = (report(session) for _ in range(3))
        make(session, third, "not_ours")
    nobody = town.id_of("nobody")
    chosen = [
        Chosen(second.id, 1),
        Chosen(first.id, 7),
        Chosen(nobody),
        Chosen(third.id),
        Chosen(first.id, 1),
    ]
    with acting(clone, ANNA) as session:
        done = service.assign_many(session, chosen, Step("assign", account=BERT))
    assert [one.id for one in done] == [one.id for one in chosen]
    assert [one.error_code for one in done] == [
        None,
        "stale-incident",
        "not-found",
        "invalid-step",
        None,
    ]
    assert [one.version for one in done] == [3, None, None, None, 3]
    assert set(ids(clone, "open", handler=BERT)) == {first.id, second.id}


# ---- by which index


@pytest.fixture(scope="module")
def crowded(cluster: Any, town_template: str) -> Iterator[Clone]:
    """The town with 60,000 incidents more, one in thirty of them open."""
    made = make_clone(cluster, town_template)
    add_workers(made)
    place = "113.15 + random() * 0.008, 23.03 + random() * 0.004"
    made.run(
        "INSERT INTO gridsvc.incident (community_code, id, category_code, status, reported_at,"
        " closed_at, due_at, resolved_at, handler_account, summary, place, geom)"
        f" SELECT {A} + (n / 150 & 1), gen_random_uuid(), 'lift.fault', status,"
        "  now() - n * interval '1 minute', CASE WHEN status = 'closed' THEN now() END,"
        "  CASE WHEN status <> 'closed' THEN now() - (mod(n, 99) - 50) * interval '1 hour' END,"
        "  CASE WHEN status = 'resolved' THEN now() END,"
        f"  CASE WHEN mod(n, 7) = 0 THEN '{ANNA}'::uuid END, '', 'community',"
        f"  ST_SetSRID(ST_MakePoint({place}), 4326) FROM generate_series(1, 60000) n,"
        " lateral (SELECT CASE mod(n, 150) WHEN 0 THEN 'reported' WHEN 1 THEN 'resolved'"
        "  WHEN 2 THEN 'hung' WHEN 3 THEN 'assigned' WHEN 4 THEN 'triaged' ELSE 'closed' END"
        "  AS status) AS of",
        "ANALYZE",
    )
    yield made
    drop(made)


@pytest.mark.parametrize("name", LISTS)
def test_a_work_list_comes_from_its_own_index(crowded: Clone, name: str) -> None:
    scope = Scope("coordinator", (Interval.of(A),), account=ANNA)
    index = {"mine": "handler", "overdue": "due"}.get(name, name)
    found = plan_of(
        crowded.api, scope, lambda session: service.list_work(session, WorkFilter(name), limit=50)
    )
    assert indexes(found) == {f"incident_{index}_idx"}
    assert not scans(found)
    # Of the community's 30,000, only those of the list are read.
    assert max(node["Plan Rows"] for node in found) < 1_500

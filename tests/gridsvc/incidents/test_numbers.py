"""Figures of incidents, against what was done to them by hand."""

# ruff: noqa: S608 - ids of our own

from datetime import date, timedelta

import pytest

from gridsvc.errors import InvalidPeriodError, RoleNotAllowedError
from gridsvc.incidents import service as incidents
from gridsvc.incidents.model import Incident
from gridsvc.incidents.numbers import service
from gridsvc.incidents.numbers.model import DIVISIONS, Figures
from gridsvc.local_time import local_today
from tests import town
from tests.databases import Clone
from tests.gridsvc.incidents.lives import (
    ANNA,
    BERT,
    CLEO,
    A,
    acting,
    add_workers,
    make,
    report,
    solve,
)

pytestmark = pytest.mark.db


@pytest.fixture
def clone(own_town: Clone) -> Clone:
    """A town of the test's own with workers, and of today only what the test reports."""
    add_workers(own_town)
    return own_town


def read(clone: Clone, by: str) -> dict[str, Figures]:
    today = local_today()
    with acting(clone, ANNA) as session:
        found = service.read_figures(
            session, by=by, first_day=today - timedelta(days=3), last_day=today
        )
    return {one.key: one for one in found}


def took(clone: Clone, incident: Incident, *, answer_h: int, solution_h: int) -> None:
    """Let an incident have been reported so long before its answer and its solution."""
    clone.run(
        "UPDATE gridsvc.incident SET reported_at = now() - interval '48 hours',"
        f" first_answer_at = now() - interval '48 hours' + interval '{answer_h} hours',"
        f" resolved_at = now() - interval '48 hours' + interval '{solution_h} hours'"
        f" WHERE id = '{incident.id}'"
    )


def test_figures_are_what_was_done(clone: Clone) -> None:
    with acting(clone, ANNA) as session:
        quick, slow, up, double = (report(session) for _ in range(4))
        make(session, double, "mark_duplicate", original=quick.id)
        up = make(session, up, "escalate")
    with acting(clone, ANNA) as session:
        report(session, category_code="lift.fault", x=20, y=20)
    quick = solve(clone, _now(clone, quick))
    slow, up = solve(clone, slow), solve(clone, up)
    with acting(clone, BERT) as session:
        make(session, slow, "verify", "reopen")
    with acting(clone, ANNA) as session:
        make(session, _now(clone, slow), "resolve")
    took(clone, quick, answer_h=1, solution_h=10)
    took(clone, up, answer_h=3, solution_h=30)
    took(clone, slow, answer_h=8, solution_h=40)
    by_class = read(clone, "class")
    assert by_class["sanitation"] == Figures("sanitation", 3, 3, 3.0, 3, 30.0, 2, 1)
    assert by_class["sanitation"].share_in_compound == pytest.approx(2 / 3)
    assert by_class["sanitation"].reopen_rate == pytest.approx(1 / 3)
    assert by_class["lift"] == Figures("lift", 1, 0, None, 0, None, 0, 0)
    assert by_class["lift"].share_in_compound is None
    by_compound = read(clone, "compound")
    assert {key: one.incidents for key, one in by_compound.items()} == {
        town.compound_code(A): 3,
        "": 1,
    }
    assert {one.incidents for one in read(clone, "community").values()} == {4}
    for by in DIVISIONS:
        assert sum(one.incidents for one in read(clone, by).values()) == 4


def _now(clone: Clone, incident: Incident) -> Incident:
    with acting(clone, ANNA) as session:
        return incidents.get(session, incident.id)


def test_months_are_those_of_the_sub_district(clone: Clone) -> None:
    # 20:00 UTC on 31 May is June in Foshan.
    first = town.id_of("incident", A, "sanitation.rubbish", 0)
    clone.run(
        f"UPDATE gridsvc.incident SET reported_at = '2020-05-31 20:00+00' WHERE id = '{first}'"
    )
    with acting(clone, ANNA) as session:
        found = service.read_figures(
            session, by="month", first_day=date(2020, 6, 1), last_day=date(2020, 6, 1)
        )
    assert {one.key for one in found} == {"2020-06"}


def test_exact_figures_are_for_the_staff_and_a_period_ends_after_it_begins(clone: Clone) -> None:
    day = date(2020, 6, 1)
    with acting(clone, CLEO) as session, pytest.raises(RoleNotAllowedError):
        service.read_figures(session, by="class", first_day=day, last_day=day)
    with acting(clone, ANNA) as session, pytest.raises(InvalidPeriodError):
        service.read_figures(session, by="class", first_day=day, last_day=day - timedelta(days=1))

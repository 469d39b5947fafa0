"""What others than staff are told of households agrees with the small-count rule."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas import Series
from sqlalchemy import text

from geodata.privacy import suppress_small
from gridsvc.db import ScopedSession
from gridsvc.territory import store
from tests import town

pytestmark = pytest.mark.db
A = town.EAST_SHORE

_STAIRWELLS = text("SELECT code FROM gridsvc.stairwell WHERE community_code = :a ORDER BY code")
_SET = text(
    "UPDATE gridsvc.stairwell SET household_count = :count"
    " WHERE community_code = :a AND code = :code"
)
_TOLD = text(
    "SELECT compound_code, household_count, told_household_count FROM gridsvc.stairwell"
    " WHERE community_code = :a ORDER BY code"
)
_TOTALS = text(
    "SELECT code, told_household_count FROM gridsvc.compound"
    " WHERE community_code = :a ORDER BY code"
)

Tell = Callable[[list[int]], tuple[dict[str, list[tuple[int, int | None]]], dict[str, int | None]]]


@pytest.fixture
def tell(town_session: ScopedSession) -> Tell:
    """Give the stairwells of a community these counts; return what is told of each compound."""

    def told(
        counts: list[int],
    ) -> tuple[dict[str, list[tuple[int, int | None]]], dict[str, int | None]]:
        codes = list(town_session.scalars(_STAIRWELLS, {"a": A}))
        for place, code in enumerate(codes):
            town_session.execute(_SET, {"a": A, "code": code, "count": counts[place % len(counts)]})
        store.tell_households(town_session, [A])
        compounds: dict[str, list[tuple[int, int | None]]] = {}
        for compound, count, told_count in town_session.execute(_TOLD, {"a": A}):
            compounds.setdefault(compound, []).append((count, told_count))
        totals = {
            row.code: row.told_household_count for row in town_session.execute(_TOTALS, {"a": A})
        }
        return compounds, totals

    return told


@given(counts=st.lists(st.integers(1, 9), min_size=2, max_size=12))
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_stairwells_and_totals_are_told_as_the_rule_allows(tell: Tell, counts: list[int]) -> None:
    compounds, totals = tell(counts)
    for code, stairwells in compounds.items():
        table = suppress_small(Series([count for count, _ in stairwells]))
        if table.withheld_count is None:
            assert totals[code] is None, (code, stairwells)
            assert all(told is None for _, told in stairwells)
        else:
            shown = table.counts.astype(object).where(table.counts.notna(), None)
            assert [told for _, told in stairwells] == shown.tolist()
            assert totals[code] in {None, sum(count for count, _ in stairwells)}
    hidden = [code for code, total in totals.items() if total is None]
    assert len(hidden) != 1 or len(totals) == 1, "the one withheld is the rest of the community"


def test_a_total_that_would_tell_of_two_small_stairwells_is_withheld(tell: Tell) -> None:
    compounds, totals = tell([3, 2])
    for code, stairwells in compounds.items():
        if len(stairwells) == 2:
            assert totals[code] is None
    _, totals = tell([9, 9])
    assert None not in totals.values()

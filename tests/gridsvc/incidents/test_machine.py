"""The states of an incident: whatever is done, nothing is lost and verification is not skipped."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.categories import load_categories
from gridsvc.errors import InvalidStepError
from gridsvc.incidents.life import effects, machine
from gridsvc.incidents.life.machine import Standing, next_status, possible_steps, steps_to
from gridsvc.incidents.model import ENDS, STATUSES, STEPS

MADE = [step for step in STEPS if step not in ("report", "follow")]
STANDINGS = [
    Standing(status, has_handler, hung_from)
    for status in STATUSES
    for has_handler in (False, True)
    for hung_from in ("assigned", "in_progress")
]


def lived(steps: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return status before, step and status after, of the steps that were possible in a life."""
    standing, path = Standing("reported"), []
    for wanted in steps:
        try:
            ways = [*steps_to(standing, wanted)]
            for step in ways:
                after = next_status(standing, step)
                path.append((standing.status, step, after))
                has_handler = after not in ("reported", "triaged") and (
                    step == "assign" or standing.has_handler
                )
                hung_from = standing.status if step == "hang" else standing.hung_from
                standing = Standing(after, has_handler, hung_from)
        except InvalidStepError:
            continue
    return path


LIVES = st.lists(st.sampled_from(MADE), max_size=60).map(lived)


@given(path=LIVES)
def test_whoever_is_closed_was_solved_and_verified_since_it_was_last_open(
    path: list[tuple[str, str, str]],
) -> None:
    since: list[str] = []
    for before, step, after in path:
        since = [] if step in ("reopen", "refuse") else [*since, step]
        if after == "closed" and before != "closed":
            assert since.index("verify") < since.index("close")
            assert before == "verified"
        if after == "verified" and before != "verified":
            assert before == "resolved"


@given(path=LIVES)
def test_every_life_can_still_come_to_a_verified_end(path: list[tuple[str, str, str]]) -> None:
    """No path leads where nothing can be done any more."""
    reached = [path[-1][2] if path else "reported"]
    for status in reached:
        for step in possible_steps(Standing(status, has_handler=True)):
            after = status
            for one in steps_to(Standing(status, has_handler=True), step):
                after = next_status(Standing(after, has_handler=True), one)
            if after not in reached:
                reached.append(after)
    assert "closed" in reached


@given(path=LIVES)
def test_what_is_open_has_a_clock_unless_it_is_hung(path: list[tuple[str, str, str]]) -> None:
    status = path[-1][2] if path else "reported"
    has_clock = status in effects.LIMITED_BY
    assert has_clock == (status not in (*ENDS, "hung"))
    if has_clock:
        step = effects.LIMITED_BY[status]
        assert all(step in category.limits for category in load_categories())


@pytest.mark.parametrize("standing", STANDINGS)
def test_what_is_offered_is_exactly_what_is_accepted(standing: Standing) -> None:
    accepted = set()
    for step in MADE:
        with suppress(InvalidStepError):
            next_status(standing, next(steps_to(standing, step)))
            accepted.add(step)
    assert set(possible_steps(standing)) == accepted


@pytest.mark.parametrize("standing", STANDINGS)
def test_a_word_can_be_added_to_everything(standing: Standing) -> None:
    assert {"note", "answer"} < set(possible_steps(standing))


def test_what_was_hung_goes_back_to_what_it_was() -> None:
    assert next_status(Standing("hung", hung_from="in_progress"), "resume") == "in_progress"
    assert next_status(Standing("hung", hung_from="assigned"), "resume") == "assigned"


@pytest.mark.parametrize("end", ENDS)
def test_what_is_reopened_goes_to_whoever_saw_to_it(end: str) -> None:
    assert next_status(Standing(end, has_handler=False), "reopen") == "triaged"
    expected = "assigned" if end == "closed" else "triaged"
    assert next_status(Standing(end, has_handler=True), "reopen") == expected


@pytest.mark.parametrize("step", ["resolve", "verify", "assign", "close", "hang", "escalate"])
@pytest.mark.parametrize("end", ENDS)
def test_what_is_over_takes_no_step_but_a_word_and_reopening(end: str, step: str) -> None:
    with pytest.raises(InvalidStepError, match="reopen it first"):
        next_status(Standing(end, has_handler=True), step)


def test_what_a_step_takes_for_granted_is_made_before_it() -> None:
    assert [*steps_to(Standing("reported"), "assign")] == ["triage", "assign"]
    assert [*steps_to(Standing("assigned"), "resolve")] == ["start", "resolve"]
    assert [*steps_to(Standing("triaged"), "assign")] == ["assign"]


def test_machine_knows_every_step_but_those_that_come_about_by_themselves() -> None:
    known = {step for standing in STANDINGS for step in machine.possible_steps(standing)}
    assert known == set(MADE)

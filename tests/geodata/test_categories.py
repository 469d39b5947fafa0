"""The catalogue as data: what it holds, what sub-categories inherit, and what it refuses."""

from collections.abc import Mapping
from typing import Any

import pytest

from geodata.categories import (
    LEVELS,
    LIMITED_STEPS,
    Category,
    class_of,
    load_categories,
    read_categories,
)
from geodata.errors import InvalidParameterError
from geodata.working_time import Limit

LAMP: dict[str, Any] = {
    "code": "lamp",
    "zh": "灯",
    "en": "Lamps",
    "public": True,
    "role": "property_company",
    "limits": {"triage": "4h", "resolve": "1d"},
    "escalation": {"community": "1d"},
}
STREET: dict[str, Any] = {"code": "lamp.street", "zh": "路灯", "en": "Street lamps", "public": True}


def by_code() -> Mapping[str, Category]:
    return {one.code: one for one in load_categories()}


@pytest.mark.parametrize("category", load_categories(), ids=lambda one: one.code)
def test_each_category_says_who_sees_to_it_and_how_long_each_step_takes(
    category: Category,
) -> None:
    assert set(category.limits) == set(LIMITED_STEPS)
    assert set(category.escalation) == set(LEVELS[1:])
    assert category.escalation["community"].length < category.escalation["street"].length
    questions = [one.code for one in category.questions]
    assert len(set(questions)) == len(questions)


def test_each_class_has_a_place_for_what_fits_nowhere_else() -> None:
    known = by_code()
    assert all(f"{class_of(code)}.other" in known for code in known)


def test_a_sub_category_has_what_its_class_has_unless_it_says_otherwise() -> None:
    changed = STREET | {"role": "bureau", "limits": {"resolve": "5d"}}
    inherited = read_categories([LAMP, STREET])[1]
    assert (inherited.role, inherited.parent) == ("property_company", "lamp")
    assert inherited.limits == {"triage": Limit(4, "h"), "resolve": Limit(1, "d")}
    assert inherited.escalation == {"community": Limit(1, "d")}
    own = read_categories([LAMP, changed])[1]
    assert own.role == "bureau"
    assert own.limits == {"triage": Limit(4, "h"), "resolve": Limit(5, "d")}


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([STREET], "after its class"),
        ([LAMP, LAMP], "new, and after its class"),
        ([LAMP | {"role": "king"}], "role is 'king'"),
        ([LAMP | {"limits": {"sleep": "4h"}}], "limit is 'sleep'"),
        ([LAMP | {"limits": {"triage": "soon"}}], "such as 4h"),
        ([LAMP | {"escalation": {"compound": "4h"}}], "one of community, street"),
        (
            [LAMP | {"questions": [{"code": "a", "zh": "甲", "en": "A", "kind": "choice"}]}],
            "given for a choice",
        ),
    ],
)
def test_a_catalogue_that_cannot_be_meant_is_refused(rows: list[dict[str, Any]], what: str) -> None:
    with pytest.raises(InvalidParameterError, match=what):
        read_categories(rows)

"""Templates are whole in both languages, and what is put into them stays what it was."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from geodata.categories import load_categories
from gridsvc.errors import InvalidNoticeError
from gridsvc.notices import templates
from gridsvc.notices.model import LANGUAGES, Value
from gridsvc.notices.templates import (
    MAX_VALUE_LETTERS,
    check,
    fit,
    get_template,
    load_templates,
)

GIVEN: dict[str, Value] = {
    "category": {"zh": "火", "en": "Fire"},
    "place": "3 栋",
    "number": "7",
    "link": "L",
}
ONE = {
    "values": ["place"],
    "zh": {"title": "在{place}", "text": "{place}"},
    "en": {"title": "At {place}", "text": "{place}"},
}


def test_every_template_is_said_in_both_languages_with_every_value() -> None:
    for template in load_templates().values():
        values = {name: f"<{name}>" for name in template.values}
        said = {
            name
            for words in template.words.values()
            for one in (words["zh"],)
            for name in values
            if f"{{{name}}}" in one.title + one.text
        }
        assert said == set(values), template.name
        for category in template.words:
            for language in LANGUAGES:
                rendered = template.render(values, language, category)
                assert rendered.title
                assert "{" not in rendered.title + rendered.text


def test_every_category_that_has_own_words_is_in_the_catalogue() -> None:
    known = {category.code for category in load_categories()}
    for template in load_templates().values():
        assert set(template.words) - {""} <= known


def test_a_category_finds_its_own_words_else_those_of_its_class_else_the_general_ones() -> None:
    template = get_template("incident.reported")
    titles = {
        category: template.render(GIVEN, "en", category).title
        for category in ("lift.fault", "lift.retrofit", "safety.facade", "safety", "")
    }
    assert titles == {
        "lift.fault": "Lift fault: 3 栋",
        "lift.retrofit": "New: Fire",
        "safety.facade": "Safety hazard: Fire",
        "safety": "Safety hazard: Fire",
        "": "New: Fire",
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["incident.reported", "incident.resolved", "incident.closed"])
@pytest.mark.parametrize("category", ["neighbour_dispute.noise", "security.theft"])
def test_a_group_is_not_told_where_people_quarrel(
    template: str, category: str, language: Any
) -> None:
    said = get_template(template).render(GIVEN, language, category)
    assert "3 栋" not in said.title + said.text
    assert "火" not in said.title + said.text
    assert "Fire" not in said.title + said.text
    assert "7" in said.title


def test_braces_in_a_value_are_letters() -> None:
    values = fit(check({"one": ONE})["one"], {"place": "{place.__class__} {0} {"})
    said = check({"one": ONE})["one"].render(values, "zh", "")
    assert said.text == "{place.__class__} {0} {"


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        (("zh", "text"), "{name}", "not declared"),
        (("zh", "text"), "{place.code}", "more than a name"),
        (("zh", "text"), "{place!r}", "more than a name"),
        (("zh", "title"), "{place:>9}", "more than a name"),
        (("zh", "title"), "{0}", "more than a name"),
    ],
)
def test_a_placeholder_is_a_declared_name_and_nothing_more(
    path: tuple[str, str], text: str, words: str
) -> None:
    told = copy.deepcopy(ONE)
    told[path[0]][path[1]] = text  # type: ignore[index]
    with pytest.raises(ValueError, match=words):
        check({"one": told})


def test_both_languages_say_the_same() -> None:
    with pytest.raises(ValueError, match="in one language"):
        check({"one": ONE | {"en": {"title": "At", "text": "there"}}})
    with pytest.raises(ValueError, match="no words in en"):
        check({"one": {key: value for key, value in ONE.items() if key != "en"}})
    with pytest.raises(ValueError, match="no words in zh"):
        check({"one": ONE | {"categories": {"lift": {"en": ONE["en"]}}}})


def test_a_message_gives_exactly_the_values_of_its_template() -> None:
    template = get_template("incident.reported")
    wrongs: tuple[dict[str, Value], ...] = (
        {},
        GIVEN | {"phone": "1"},
        GIVEN | {"category": {"zh": "火"}},
    )
    for wrong in wrongs:
        with pytest.raises(InvalidNoticeError):
            fit(template, wrong)
    with pytest.raises(InvalidNoticeError):
        get_template("incident.forgotten")


def test_values_lose_control_characters_and_what_is_too_long() -> None:
    template = check({"one": ONE})["one"]
    hostile = "a\r\nb\x00\x1b[31m\u202e\u200b\u2066👨\u200d👩\ud800"
    assert fit(template, {"place": hostile}) == {"place": "a\nb[31m👨\u200d👩"}
    long = fit(template, {"place": "字" * 5_000})["place"]
    assert isinstance(long, str)
    assert len(long) == MAX_VALUE_LETTERS
    assert long.endswith("字…")
    assert fit(template, {"place": "字" * MAX_VALUE_LETTERS}) == {"place": "字" * MAX_VALUE_LETTERS}


def test_a_title_is_one_line() -> None:
    assert check({"one": ONE})["one"].render({"place": "a\nb"}, "en", "").title == "At a b"


def test_no_template_is_written_twice() -> None:
    text = Path(templates.__file__).with_name("templates.yaml").read_text(encoding="utf-8")
    names = [line.partition(":")[0] for line in text.splitlines() if line[:1].isalpha()]
    assert len(names) == len(set(names)) == len(yaml.safe_load(text))

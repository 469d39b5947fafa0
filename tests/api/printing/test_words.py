"""The words of printed documents."""

import re

import pytest

from api.printing.words import load_words


@pytest.mark.parametrize("key", load_words())
def test_a_phrase_has_both_languages_and_the_same_facts_in_them(key: str) -> None:
    phrase = load_words()[key]
    assert set(phrase) == {"zh", "en"}
    facts = [sorted(re.findall(r"\{(\w+)\}", said)) for said in phrase.values()]
    assert facts[0] == facts[1]
    assert all(phrase.values())

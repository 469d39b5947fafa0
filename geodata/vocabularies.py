"""What members can do (skills) and speak (dialects): closed lists in both languages.

The words are in vocabularies.yaml beside this module; a word stands once in each list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from geodata.columns import normalised_name
from geodata.errors import InvalidParameterError
from geodata.yaml_text import load_yaml

Vocabulary = Literal["skills", "dialects"]


@dataclass(frozen=True)
class Term:
    """A word of a vocabulary.

    Attributes
    ----------
    zh, en
        What it is called in Chinese and English.
    also
        What else offices write for it.
    """

    code: str
    zh: str
    en: str
    also: tuple[str, ...]


@cache
def terms_of(vocabulary: Vocabulary) -> Mapping[str, Term]:
    """Return the terms of a vocabulary by code, in their order.

    Raises
    ------
    InvalidParameterError
        There is no such vocabulary.

    Examples
    --------
    >>> terms_of("dialects")["cantonese"].zh
    '粤语'
    """
    rules = load_yaml(files("geodata").joinpath("vocabularies.yaml").read_text("utf-8"))
    if vocabulary not in rules:
        raise InvalidParameterError("vocabulary", vocabulary, f"one of {', '.join(rules)}")
    return {
        code: Term(code, term["zh"], term["en"], tuple(term["also"]))
        for code, term in rules[vocabulary].items()
    }


def find_term(word: str, vocabulary: Vocabulary) -> str | None:
    """Return the code of a word: a code, a name in either language, or what else is written.

    Examples
    --------
    >>> find_term(" 水电 ", "skills"), find_term("广东话", "dialects"), find_term("飞行", "skills")
    ('electrical', 'cantonese', None)
    """
    return _spellings(vocabulary).get(normalised_name(word))


@cache
def _spellings(vocabulary: Vocabulary) -> Mapping[str, str]:
    return {
        normalised_name(spelling): term.code
        for term in terms_of(vocabulary).values()
        for spelling in (term.code, term.zh, term.en, *term.also)
    }

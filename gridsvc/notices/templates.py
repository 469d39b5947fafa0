"""What notices say: read once, checked as a whole, filled in with bounded plain text."""

import re
import string
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from gridsvc.errors import InvalidNoticeError
from gridsvc.notices.model import LANGUAGES, Language, Rendered, Value

_FILE = Path(__file__).with_name("templates.yaml")
_WORD = re.compile(r"[a-z][a-z_]*")
_NAME = re.compile(rf"{_WORD.pattern}(\.{_WORD.pattern})?")
MAX_VALUE_LETTERS = 1_000
_KEPT_CONTROLS = {"\n"}


@dataclass(frozen=True)
class Template:
    """A message with placeholders.

    Attributes
    ----------
    values
        Names of the placeholders; a message gives each of them, and no other.
    words
        By category (empty: all others) and language, title and text.
    """

    name: str
    values: Set[str]
    words: Mapping[str, Mapping[Language, Rendered]] = field(repr=False)

    def render(self, values: Mapping[str, Value], language: Language, category: str) -> Rendered:
        """Return the message in a language; values are put in as they are, braces and all."""
        found = self.words[self._category(category)][language]
        given = {name: in_language(value, language) for name, value in values.items()}
        return Rendered(
            found.title.format_map(given).replace("\n", " "), found.text.format_map(given)
        )

    def _category(self, category: str) -> str:
        """Return under which category the words for one are found."""
        chain = (category, category.partition(".")[0], "")
        return next(one for one in chain if one in self.words)


def in_language(value: Value, language: Language) -> str:
    """Return a value as it is said in a language."""
    return value if isinstance(value, str) else value[language]


def check(document: Mapping[str, Any]) -> Mapping[str, Template]:
    """Return the templates of a document.

    Raises
    ------
    ValueError
        A template lacks a language, or uses a placeholder that it does not declare, or other ones
        in one language than in the other, or more of a placeholder than its name.
    """
    return MappingProxyType({name: _template(name, told) for name, told in document.items()})


def _template(name: str, told: Mapping[str, Any]) -> Template:
    values = frozenset(told["values"])
    words = {"": _both(name, told, values)}
    for category, own in told.get("categories", {}).items():
        words[category] = _both(f"{name} {category}", own, values)
    names = (name, *filter(None, words))
    if not all(map(_NAME.fullmatch, names)) or not all(map(_WORD.fullmatch, values)):
        raise ValueError(f"{name}: not a name")
    return Template(name, values, words)


def _both(where: str, told: Mapping[str, Any], values: Set[str]) -> Mapping[Language, Rendered]:
    found = {}
    for language in LANGUAGES:
        if language not in told:
            raise ValueError(f"{where}: no words in {language}")
        found[language] = Rendered(told[language]["title"], told[language]["text"])
    used = {
        language: _placeholders(where, one.title) | _placeholders(where, one.text)
        for language, one in found.items()
    }
    if not all(names <= values for names in used.values()):
        raise ValueError(f"{where}: a placeholder that is not declared")
    if used["zh"] != used["en"]:
        raise ValueError(f"{where}: other placeholders in one language")
    return found


def _placeholders(where: str, text: str) -> set[str]:
    names = set()
    for _, name, spec, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if spec or conversion or not _WORD.fullmatch(name):
            raise ValueError(f"{where}: {name!r} is more than a name")
        names.add(name)
    return names


@cache
def load_templates() -> Mapping[str, Template]:
    """Return every template, by name."""
    return check(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def get_template(name: str) -> Template:
    """Return a template.

    Raises
    ------
    InvalidNoticeError
        There is none of this name.
    """
    found = load_templates().get(name)
    if found is None:
        raise InvalidNoticeError(name, "no such template")
    return found


def fit(template: Template, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values as they are stored: without control characters, and of bounded length.

    Raises
    ------
    InvalidNoticeError
        One is missing, is not of the template, or lacks a language.
    """
    if set(values) != template.values:
        wrong = sorted(set(values) ^ template.values)
        raise InvalidNoticeError(template.name, f"missing or unknown: {', '.join(wrong)}")
    fitted: dict[str, Value] = {}
    for name, value in values.items():
        if isinstance(value, str):
            fitted[name] = _clean(value)
        elif set(value) == set(LANGUAGES):
            fitted[name] = {language: _clean(value[language]) for language in LANGUAGES}
        else:
            raise InvalidNoticeError(template.name, f"{name} lacks a language")
    return fitted


def _clean(text: str) -> str:
    """Return a text without characters that end lines elsewhere, turn it round, or show nothing."""
    kept = (
        letter
        for letter in text.replace("\r\n", "\n")
        if letter in _KEPT_CONTROLS
        or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co"}
        # Emoji are joined by this one.
        or letter == "\u200d"
    )
    short = "".join(kept).strip()
    return short if len(short) <= MAX_VALUE_LETTERS else f"{short[: MAX_VALUE_LETTERS - 1]}…"

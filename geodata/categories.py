"""The catalogue of incident categories: seven published classes and their sub-categories."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from geodata.errors import InvalidParameterError
from geodata.working_time import Limit
from geodata.yaml_text import load_yaml

_CATALOGUE = Path(__file__).with_name("categories.yaml")

LIMITED_STEPS = ("triage", "assign", "start", "resolve", "verify", "close")
"""The steps of an incident that have a time limit each."""

LEVELS = ("compound", "community", "street")
"""Who is to settle an incident, from the neighbours up to the joint meeting."""

ACCOUNT_ROLES = ("contact", "patrol", "coordinator")
PARTY_KINDS = ("property_company", "bureau", "utility", "other")
QUESTION_KINDS = ("text", "number", "yes_no", "choice")


@dataclass(frozen=True)
class Choice:
    """One answer that can be chosen."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Question:
    """What a reporter is asked beside the words of the report.

    Attributes
    ----------
    kind
        One of `QUESTION_KINDS`; ``choices`` are empty but for ``choice``.
    """

    code: str
    zh: str
    en: str
    kind: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Category:
    """A kind of incident.

    Attributes
    ----------
    code
        ``class`` or ``class.sub_category``; stable, never reused.
    parent
        Code of the class, None for a class.
    name_zh, name_en
        What people read.
    is_public
        Whether its incidents may be shown to everyone, after the small-count rule.
    role
        Who usually sees to it: one of `ACCOUNT_ROLES` or `PARTY_KINDS`.
    limits
        Working time for each of `LIMITED_STEPS`.
    escalation
        How much working time after its time is up an incident goes up to a level.
    """

    code: str
    parent: str | None
    name_zh: str
    name_en: str
    is_public: bool
    role: str = "coordinator"
    limits: Mapping[str, Limit] = field(default_factory=dict)
    escalation: Mapping[str, Limit] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()


def class_of(code: str) -> str:
    """Return the class of a category code: what stands before the dot.

    Examples
    --------
    >>> class_of("sanitation.rubbish")
    'sanitation'
    >>> class_of("lift")
    'lift'
    """
    return code.partition(".")[0]


@cache
def load_categories() -> tuple[Category, ...]:
    """Return the catalogue in its own order: each class, then its sub-categories."""
    return read_categories(load_yaml(_CATALOGUE.read_text(encoding="utf-8")))


def read_categories(rows: Sequence[Mapping[str, Any]]) -> tuple[Category, ...]:
    """Return the categories of a catalogue; sub-categories inherit from the class before them.

    Raises
    ------
    InvalidParameterError
        A code stands twice, a class is missing, or a word is not one of those that are known.
    """
    found: dict[str, Category] = {}
    for row in rows:
        code = row["code"]
        parent = found.get(class_of(code)) if "." in code else None
        if code in found or ("." in code and parent is None):
            raise InvalidParameterError("code", code, "new, and after its class")
        found[code] = _category(row, parent)
    return tuple(found.values())


def _category(row: Mapping[str, Any], parent: Category | None) -> Category:
    role = row.get("role", parent.role if parent else "coordinator")
    return Category(
        code=row["code"],
        parent=parent.code if parent else None,
        name_zh=row["zh"],
        name_en=row["en"],
        is_public=row["public"],
        role=_known("role", role, (*ACCOUNT_ROLES, *PARTY_KINDS)),
        limits={
            **(parent.limits if parent else {}),
            **read_limits(row.get("limits", {}), LIMITED_STEPS),
        },
        escalation={
            **(parent.escalation if parent else {}),
            **read_limits(row.get("escalation", {}), LEVELS[1:]),
        },
        questions=tuple(map(read_question, row.get("questions", ()))),
    )


def rules_of(category: Category) -> dict[str, Any]:
    """Return what a catalogue says of a category beside its names, as plain values."""
    return {
        "role": category.role,
        "limits": {step: str(limit) for step, limit in category.limits.items()},
        "escalation": {level: str(limit) for level, limit in category.escalation.items()},
        "questions": [asdict(question) for question in category.questions],
    }


def with_rules(category: Category, rules: Mapping[str, Any]) -> Category:
    """Return a category with what `rules_of` returned; what is absent stays as it is."""
    return replace(
        category,
        role=rules.get("role", category.role),
        limits=read_limits(rules.get("limits", {}), LIMITED_STEPS),
        escalation=read_limits(rules.get("escalation", {}), LEVELS[1:]),
        questions=tuple(map(read_question, rules.get("questions", ()))),
    )


def read_limits(given: Mapping[str, str], names: Sequence[str]) -> dict[str, Limit]:
    """Return limits by the step or level that they are for."""
    return {_known("limit", name, names): Limit.of(text) for name, text in given.items()}


def read_question(row: Mapping[str, Any]) -> Question:
    """Return a question as the catalogue writes it."""
    kind = _known("kind", row["kind"], QUESTION_KINDS)
    choices = tuple(Choice(one["code"], one["zh"], one["en"]) for one in row.get("choices", ()))
    if bool(choices) != (kind == "choice"):
        raise InvalidParameterError("choices", row["code"], "given for a choice, and only then")
    return Question(row["code"], row["zh"], row["en"], kind, choices)


def _known(name: str, word: str, words: Sequence[str]) -> str:
    if word not in words:
        raise InvalidParameterError(name, word, f"one of {', '.join(words)}")
    return word

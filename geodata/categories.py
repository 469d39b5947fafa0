"""The catalogue of incident categories: seven published classes and their sub-categories."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from geodata.yaml_text import load_yaml

_CATALOGUE = Path(__file__).with_name("categories.yaml")


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
    """

    code: str
    parent: str | None
    name_zh: str
    name_en: str
    is_public: bool


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
    rows = load_yaml(_CATALOGUE.read_text(encoding="utf-8"))
    return tuple(
        Category(
            code=row["code"],
            parent=class_of(row["code"]) if "." in row["code"] else None,
            name_zh=row["zh"],
            name_en=row["en"],
            is_public=row["public"],
        )
        for row in rows
    )

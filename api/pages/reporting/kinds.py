"""What can be reported, as a page shows it: seven classes, each with its kinds."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.deps import Language
from geodata.categories import Category


@dataclass(frozen=True)
class Kind:
    """A class or a kind of it, and what it is called."""

    code: str
    name: str
    kinds: Sequence["Kind"] = ()


def kinds_of(categories: Sequence[Category], language: Language) -> list[Kind]:
    """Return the classes in the catalogue's order, each with its kinds."""

    def name(one: Category) -> str:
        return one.name_zh if language == "zh" else one.name_en

    return [
        Kind(
            one.code,
            name(one),
            [Kind(kind.code, name(kind)) for kind in categories if kind.parent == one.code],
        )
        for one in categories
        if one.parent is None
    ]


def name_of(categories: Sequence[Category], code: str, language: Language) -> str:
    """Return what a category is called, with its class before it; its code if it is retired."""
    names = {one.code: one.name_zh if language == "zh" else one.name_en for one in categories}
    whole = code.partition(".")[0]
    if whole == code or whole not in names:
        return names.get(code, code)
    return f"{names[whole]} · {names.get(code, code)}"

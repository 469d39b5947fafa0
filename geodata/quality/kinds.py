"""The kinds of faults: what they are called, in Chinese and English, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from geodata.yaml_text import load_yaml

Severity = Literal["error", "warning"]
Group = Literal["shape", "place", "siblings", "codes"]

_CATALOGUE = Path(__file__).with_name("kinds.yaml")


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault.

    Attributes
    ----------
    kind
        Its stable name, kebab-case: what ``accepted`` and exports use.
    group
        What it is about: a shape, its place, its siblings, or codes.
    name_zh, name_en
        What people read.
    advice_zh, advice_en
        What it means and what to do, a sentence or two.
    """

    kind: str
    group: Group
    name_zh: str
    name_en: str
    advice_zh: str
    advice_en: str

    def name(self, lang: Literal["zh", "en"]) -> str:
        """Return the name in a language."""
        return self.name_zh if lang == "zh" else self.name_en

    def advice(self, lang: Literal["zh", "en"]) -> str:
        """Return the advice in a language."""
        return self.advice_zh if lang == "zh" else self.advice_en


@cache
def load_kinds() -> Mapping[str, FaultKind]:
    """Return every kind by its name, in the order in which people read of them."""
    rows = load_yaml(_CATALOGUE.read_text(encoding="utf-8"))
    return {
        row["kind"]: FaultKind(
            kind=row["kind"],
            group=row["group"],
            name_zh=row["zh"],
            name_en=row["en"],
            advice_zh=row["advice_zh"],
            advice_en=row["advice_en"],
        )
        for row in rows
    }

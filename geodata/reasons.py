"""Why something is wrong, as a sentence in Chinese and in English.

The sentences are in reasons.yaml beside this module: a template a language, filled with the same
facts. What a file or the territory says (a code, a name, a number) is a fact, and is never
translated; what the project says (a noun) is a reason itself, and is told in the language of the
sentence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import pandas as pd
from pandas import DataFrame

from geodata.yaml_text import load_yaml

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Reason:
    """A sentence, or a part of one, in both languages."""

    en: str
    zh: str

    def say(self, lang: Language) -> str:
        """Return it in a language."""
        return self.zh if lang == "zh" else self.en


NOTHING = Reason("", "")


def reason(key: str, **facts: object) -> Reason:
    """Return the sentence of a key, filled with facts.

    Parameters
    ----------
    key
        Of reasons.yaml.
    facts
        By the names in the template: texts and numbers as they are, reasons in its language.

    Examples
    --------
    >>> reason("malformed-length", code="1", count=1, noun=noun("building"), digits=18).say("en")
    'The code 1 has 1 digits; that of a building has 18.'
    """
    sentence = _sentences()[key]
    return Reason(_filled(sentence["en"], facts, "en"), _filled(sentence["zh"], facts, "zh"))


def noun(word: str) -> Reason:
    """Return what a thing is called, by its English noun, as ``building``."""
    return reason(f"noun-{word}")


def joined(reasons: Iterable[Reason]) -> Reason:
    """Return sentences one after the other."""
    told = [one for one in reasons if one != NOTHING]
    return Reason(" ".join(one.en for one in told), "".join(one.zh for one in told))


def reason_columns(reasons: Sequence[Reason]) -> dict[str, list[str]]:
    """Return reasons as the columns of a frame: ``reason`` (English) and ``reason_zh``."""
    return {"reason": [one.en for one in reasons], "reason_zh": [one.zh for one in reasons]}


def reason_column(lang: Language) -> str:
    """Return the name of the column that has the reasons in a language."""
    return "reason_zh" if lang == "zh" else "reason"


def reasons_in(frame: DataFrame) -> list[Reason]:
    """Return the reasons that a frame has as `reason_columns`; nothing where it has none."""
    return [
        NOTHING if pd.isna(en) else Reason(en, en if pd.isna(zh) else zh)
        for en, zh in zip(frame["reason"], frame["reason_zh"], strict=True)
    ]


def _filled(template: str, facts: dict[str, object], lang: Language) -> str:
    told: dict[str, Any] = {
        name: fact.say(lang) if isinstance(fact, Reason) else fact for name, fact in facts.items()
    }
    return template.format(**told)


@cache
def _sentences() -> dict[str, dict[str, str]]:
    text = files("geodata").joinpath("reasons.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = load_yaml(text)
    return found

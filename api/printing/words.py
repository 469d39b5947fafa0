"""The words of printed documents, Chinese and English, and what people have typed, fit to print."""

import unicodedata
from functools import cache
from pathlib import Path

from geodata.yaml_text import load_yaml
from maps.words import Language

_FILE = Path(__file__).with_name("words.yaml")
_PICTURES = 0x1F000  # emoji and other pictographs begin here; no font of ours has them
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


@cache
def load_words() -> dict[str, dict[Language, str]]:
    """Return every phrase: key → language → text."""
    words: dict[str, dict[Language, str]] = load_yaml(_FILE.read_text(encoding="utf-8"))
    return words


def say(key: str, language: Language, **facts: object) -> str:
    """Return a phrase in a language, with its facts filled in.

    Examples
    --------
    >>> say("office", "en", phone="0757 8888 0000")
    'Community office 0757 8888 0000'
    """
    return load_words()[key][language].format(**facts)


def printable(text: str, *, at_most: int) -> str:
    r"""Return a text on one line, without what paper cannot show, cut off with an ellipsis.

    Control and direction characters, halves of characters, emoji and accents piled up on one
    letter go; runs of white space become one space.

    Parameters
    ----------
    at_most
        Characters that may be left, the ellipsis among them; at least 1.

    Examples
    --------
    >>> printable(" 颐景园\n二期 \u202e😀", at_most=20)
    '颐景园 二期'
    >>> printable("南海颐景园", at_most=4)
    '南海颐…'
    """
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    shown = "".join(letter for letter in spaced if _can_be_shown(letter))
    shown = " ".join(shown.split())
    return shown if len(shown) <= at_most else shown[: at_most - 1].rstrip() + "…"


def _can_be_shown(letter: str) -> bool:
    category = unicodedata.category(letter)
    if category in _UNPRINTABLE or category.startswith("M"):
        return False
    return not (ord(letter) >= _PICTURES and category.startswith("S"))

"""The words of the pages, Chinese and English; a later issue moves them into catalogues."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from api.deps import Language
from geodata.yaml_text import load_yaml
from gridsvc.local_time import LOCAL_TIME

Words = Callable[..., str]
"""``say(key, **facts)``: a phrase with its facts filled in, in the language of the page."""

_FILE = Path(__file__).with_name("words.yaml")
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@cache
def load_words() -> Mapping[str, Mapping[str, Any]]:
    """Return every phrase: key → language → text, or a pair ``one``, ``other`` by the fact n."""
    words: dict[str, dict[str, Any]] = load_yaml(_FILE.read_text(encoding="utf-8"))
    return words


def words_of(language: Language) -> Words:
    """Return the function that says phrases in a language.

    Examples
    --------
    >>> say = words_of("en")
    >>> say("uncovered_headline", n=1, total=352), say("uncovered_headline", n=12, total=352)
    ('1 of 352 stairwells has no contact', '12 of 352 stairwells have no contact')
    """

    def say(key: str, **facts: object) -> str:
        phrase = load_words()[key][language]
        if isinstance(phrase, dict):
            phrase = phrase["one" if facts.get("n") == 1 else "other"]
        return str(phrase).format(**facts)

    return say


def ago(moment: datetime, now: datetime, say: Words) -> str:
    """Return how long ago something was, or its date where that is over a week.

    Parameters
    ----------
    moment, now
        Instants with a zone.
    """
    past = now - moment
    if past < _HOUR:
        return say("minutes_ago", n=max(past // _MINUTE, 1))
    if past < _DAY:
        return say("hours_ago", n=past // _HOUR)
    if past < 7 * _DAY:
        return say("days_ago", n=past // _DAY)
    return f"{moment.astimezone(LOCAL_TIME):%Y-%m-%d}"


def clock(moment: datetime) -> str:
    """Return the local time of day."""
    return f"{moment.astimezone(LOCAL_TIME):%H:%M}"


def exactly(moment: datetime) -> str:
    """Return the local date and time."""
    return f"{moment.astimezone(LOCAL_TIME):%Y-%m-%d %H:%M}"

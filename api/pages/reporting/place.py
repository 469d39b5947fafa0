"""Places and suggestions in the words of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.deps import Language
from api.pages.reporting.kinds import name_of
from api.pages.text import Words, ago, words_of
from geodata.categories import Category
from gridsvc.incidents.reporting.model import Similar, Spot


@dataclass(frozen=True)
class Suggestion:
    """An incident that may be the very one that somebody is about to report."""

    category: str
    status: str
    when: str
    words: str
    where: str
    thumbnail: str | None


def place_words(spot: Spot, say: Words) -> str:
    """Return where something is: community, compound, stairwell, as far as they are known."""
    if spot.place == "outside":
        return say("report_place_outside")
    parts = (spot.community_name, spot.compound_name, spot.stairwell_name)
    known = " · ".join(part for part in parts if part)
    return known or (spot.stairwell_code or spot.compound_code or str(spot.community_code))


def suggestions(
    similar: Sequence[Similar], categories: Sequence[Category], language: Language
) -> list[Suggestion]:
    """Return what is near already, for a page."""
    say, now = words_of(language), datetime.now(UTC)
    return [
        Suggestion(
            category=name_of(categories, one.category_code, language),
            status=say(f"report_status_{one.status}"),
            when=ago(one.reported_at, now, say),
            words=one.words,
            where=f"{one.place_name} · {_metres(one.distance_m, say)}".strip(" ·"),
            thumbnail=_thumbnail(one),
        )
        for one in similar
    ]


def _metres(distance_m: int, say: Words) -> str:
    return say("report_metres", n=distance_m) if distance_m else say("report_here")


def _thumbnail(one: Similar) -> str | None:
    if one.photo_id is None:
        return None
    return f"/api/v1/photos/{one.community_code}/{one.photo_id}?size=thumb"

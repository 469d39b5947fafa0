"""Legend, headline and search: panels on the map, filled with text, never with markup."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from maps.elements import Panel


@dataclass(frozen=True)
class Swatch:
    """The little picture at the head of a legend's line.

    Attributes
    ----------
    shape
        ``area``, ``outline``, ``line``, ``dot`` (icon or number in a disc), or ``none``.
    colour
        ``#rrggbb`` of line and pattern.
    tint
        Ground under the pattern; empty for none.
    pattern
        ``solid``, ``stripes``, ``dots`` or ``cross``.
    icon
        A name in static/icons.js, or empty.
    text
        A character or two in the disc.
    """

    shape: str
    colour: str = ""
    tint: str = ""
    pattern: str = "solid"
    icon: str = ""
    text: str = ""


@dataclass(frozen=True)
class LegendLine:
    """One line: picture, words, and how many (None where nothing is counted)."""

    swatch: Swatch
    label: str
    count: int | None = None


@dataclass(frozen=True)
class Legend:
    """A legend: title, what is counted, lines, and remarks under them."""

    title: str
    lines: Sequence[LegendLine]
    unit: str = ""
    remarks: Sequence[str] = field(default_factory=tuple)

    def panel(self) -> Panel:
        """Return the control to add to a map."""
        return Panel("legend", asdict(self))


def headline(title: str, detail: str = "") -> Panel:
    """Return the words at the head of a map that stands alone."""
    return Panel("headline", {"title": title, "detail": detail})


def search(layer_key: str) -> Panel:
    """Return a search by the name of a layer's features.

    folium's Search (leaflet-search) writes names as markup, and its list is too small for thumbs.
    """
    return Panel("search", {"layer": layer_key})

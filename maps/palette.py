"""Colours with a meaning, each with an icon or a pattern, never colour alone.

What is told apart has the colours of Okabe and Ito, what grows those of ColorBrewer's YlOrRd: both
are safe for colour-blind readers.

References
----------
Okabe M., Ito K. (2008). Color Universal Design. https://jfly.uni-koeln.de/color/
Harrower M., Brewer C. A. (2003). ColorBrewer.org. https://doi.org/10.1179/000870403235002042
WCAG 2.2, relative luminance and contrast ratio. https://www.w3.org/TR/WCAG22/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

INK = "#1f2933"
SECONDARY = "#52606d"
LINE = "#d9dee4"
PAPER = "#ffffff"
PANEL = "#f7f8fa"
ACCENT = "#0b6e99"
BLACK = "#000000"

BUILDING_FILL = "#dfe3e8"
BUILDING_EDGE = "#b3bcc6"
STREET = "#ffffff"
PATH = "#c9d0d8"
COMPOUND_EDGE = "#7b8794"
COMMUNITY_EDGE = "#52606d"
LAND = "#eef1f4"

# Neighbours in the list are far apart; the last, a grey, is ours.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A")
YL_OR_RD = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026")


@dataclass(frozen=True)
class Mark:
    """A meaning with its colour and its icon (a name in static/icons.js)."""

    colour: str
    icon: str


@dataclass(frozen=True)
class AreaMark:
    """A meaning of an area: from afar ``plain``; near, ``pattern`` in ``colour`` on ``tint``."""

    key: str
    colour: str
    tint: str
    plain: str
    pattern: str
    icon: str


FINE = Mark("#2a7f62", "check")
ATTENTION = Mark("#b7791f", "warning")
MISSING = Mark("#b42318", "nobody")
UNKNOWN = Mark("#8a94a0", "question")

COVERAGE = (
    AreaMark("uncovered", MISSING.colour, "#fbe3e0", MISSING.colour, "cross", MISSING.icon),
    AreaMark("absent", MISSING.colour, "#fdf3f1", "#d98277", "bars", "away"),
    AreaMark("overloaded", ATTENTION.colour, "#f9e6c4", ATTENTION.colour, "dots", ATTENTION.icon),
    AreaMark("covered_party", FINE.colour, "#7fb5a2", "#7fb5a2", "solid", "star"),
    AreaMark("covered_other", FINE.colour, "#e2f1eb", "#bfdccf", "stripes", FINE.icon),
)


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 (none) to 21 (black on white), after WCAG.

    Parameters
    ----------
    one, other
        ``#rrggbb``.

    Examples
    --------
    >>> round(contrast_ratio("#000000", "#ffffff"), 1)
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Return white or black, whichever reads better; always at least 4.5:1.

    Examples
    --------
    >>> text_on("#0072B2"), text_on("#E69F00")
    ('#ffffff', '#000000')
    """
    return max((PAPER, BLACK), key=lambda ink: contrast_ratio(ink, colour))


def count_classes(counts: Sequence[int], *, class_count: int = 5) -> list[tuple[int, int]]:
    """Return classes for counts: whole numbers, first and last included, growing by one factor.

    Counts of incidents are skewed: equal steps would put nearly all cells into the first class.

    Parameters
    ----------
    counts
        Shape (n,), numbers >= 1; others are left out.
    class_count
        Number of classes, at least 1.

    Returns
    -------
    list of tuple
        At most ``class_count`` pairs without gap or overlap, from 1 to the greatest count; empty
        for no counts.

    Examples
    --------
    >>> count_classes([1, 2, 40, 100])
    [(1, 3), (4, 6), (7, 16), (17, 40), (41, 100)]
    >>> count_classes([1, 3])
    [(1, 1), (2, 2), (3, 3)]
    """
    greatest = max((count for count in counts if count >= 1), default=0)
    if greatest == 0:
        return []
    if greatest <= class_count:
        return [(n, n) for n in range(1, greatest + 1)]
    edges = [0]
    for step in range(1, class_count):
        edges.append(max(edges[-1] + 1, round(greatest ** (step / class_count))))
    edges.append(greatest)
    return [(low + 1, high) for low, high in pairwise(edges)]


def class_of(count: int, classes: Sequence[tuple[int, int]]) -> int:
    """Return the place of a count in its classes.

    Examples
    --------
    >>> class_of(5, [(1, 2), (3, 6), (7, 15)])
    1
    """
    return next(place for place, (low, high) in enumerate(classes) if low <= count <= high)


def _luminance(colour: str) -> float:
    """Return WCAG's relative luminance of ``#rrggbb``, 0 to 1."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

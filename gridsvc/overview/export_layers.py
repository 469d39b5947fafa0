"""What leaves the house: the layers of exports, their columns, and what may filter them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

from geodata.errors import InvalidParameterError
from geodata.writers.layers import Field, Layer
from gridsvc.errors import UnfitFilterError

Box = tuple[float, float, float, float]

_CODE = Field("code", "code", "code")
_COMMUNITY = Field("community_code", "area_code", "comm_code")
_COMPOUND = Field("compound_code", "code", "comp_code")
_NAME = Field("name", "text", "name")
_KIND = Field("kind", "text", "kind")
_HOUSEHOLDS = Field("household_count", "integer", "households")
_STAIRWELL = (
    *(_CODE, _COMMUNITY, _COMPOUND, Field("building_code", "code", "bldg_code"), _NAME),
    _HOUSEHOLDS,
)

LAYERS: Mapping[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer(
            "communities",
            (Field("code", "area_code", "code"), _NAME, Field("attribution", "text", "attrib")),
            "MultiPolygon",
        ),
        Layer(
            "compounds",
            (
                *(_CODE, _COMMUNITY, _NAME),
                Field("built_year", "integer", "built_year"),
                Field("is_demonstration", "flag", "is_demo"),
                _HOUSEHOLDS,
            ),
            "MultiPolygon",
        ),
        Layer(
            "buildings",
            (_CODE, _COMMUNITY, _COMPOUND, _NAME, _KIND, Field("levels", "integer", "levels")),
            "Polygon",
        ),
        Layer("stairwells", _STAIRWELL, "Polygon"),
        Layer("walkways", (Field("id", "code", "id"), _COMMUNITY, _KIND, _NAME), "LineString"),
        Layer(
            "incidents",
            (
                *(Field("id", "code", "id"), _COMMUNITY),
                Field("category_code", "text", "category"),
                Field("status", "text", "status"),
                Field("reported_at", "instant", "report"),
                Field("closed_at", "instant", "closed"),
                Field("place", "text", "place"),
                Field("stairwell_code", "code", "stair_code"),
                _COMPOUND,
                Field("is_flagged", "flag", "is_flagged"),
            ),
            "Point",
        ),
        Layer(
            "heat",
            (
                *(Field("cell", "code", "cell"), Field("zoom", "integer", "zoom")),
                *(Field("x", "integer", "x"), Field("y", "integer", "y")),
                Field("incident_count", "integer", "incidents"),
                Field("through", "date", "through"),
            ),
            "Polygon",
        ),
        Layer("coverage", (*_STAIRWELL, Field("state", "text", "state")), "Polygon"),
    )
}
"""By name. Every caller gets the same columns: counts are told by the small-count rule."""

STAFF_LAYERS = frozenset({"incidents", "coverage"})
"""Layers that planners do not get."""

PLANNER_LAYERS = tuple(name for name in LAYERS if name not in STAFF_LAYERS)

_AREA = ("community", "compound", "bbox")
_FILTERS: Mapping[str, tuple[str, ...]] = {
    "communities": ("community", "bbox"),
    **dict.fromkeys(("compounds", "buildings", "stairwells"), (*_AREA, "as_of")),
    "walkways": ("community", "bbox"),
    "incidents": (*_AREA, "from", "to", "class"),
    # A release that could be cut could be subtracted from another cut.
    "heat": ("community",),
    "coverage": _AREA,
}


@dataclass(frozen=True)
class Selection:
    """What part of a layer is wanted; by default all of the caller's.

    Attributes
    ----------
    bbox
        ``xmin, ymin, xmax, ymax``, degrees, EPSG:4326: whatever touches it.
    on
        As it was at the end of this day; default: as it is now.
    first_day, last_day
        When it was reported, by the days of the sub-district; both ends included.
    class_code
        One of the seven classes of incidents.
    """

    community_code: int | None = None
    compound_code: str | None = None
    bbox: Box | None = None
    on: date | None = None
    first_day: date | None = None
    last_day: date | None = None
    class_code: str | None = None

    def check(self, layer: str) -> None:
        """Refuse filters that a layer does not take.

        Raises
        ------
        UnfitFilterError
            The layer has nothing to filter by so.
        InvalidParameterError
            The days are in the wrong order.
        """
        unfit = [word for word in self.names() if word not in _FILTERS[layer]]
        if unfit:
            raise UnfitFilterError(layer, unfit, _FILTERS[layer])
        if self.first_day and self.last_day and self.first_day > self.last_day:
            raise InvalidParameterError("to", self.last_day.isoformat(), "no day before from")

    def names(self) -> list[str]:
        """Return the names of the filters that are set, as users write them."""
        return [
            word
            for field, word in zip(fields(self), _WORDS, strict=True)
            if getattr(self, field.name) is not None
        ]


EVERYTHING = Selection()

_WORDS: Sequence[str] = ("community", "compound", "bbox", "as_of", "from", "to", "class")


def parse_box(text: str) -> Box:
    """Return a box that a user wrote as ``xmin,ymin,xmax,ymax`` in degrees, EPSG:4326.

    Raises
    ------
    InvalidParameterError
        These are no four numbers in order, on the globe.

    Examples
    --------
    >>> parse_box("113.1,23,113.2,23.1")
    (113.1, 23.0, 113.2, 23.1)
    """
    rule = "west,south,east,north in degrees of longitude and latitude"
    try:
        xmin, ymin, xmax, ymax = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidParameterError("bbox", text, rule) from None
    if not (-180 <= xmin <= xmax <= 180 and -90 <= ymin <= ymax <= 90):
        raise InvalidParameterError("bbox", text, rule)
    return xmin, ymin, xmax, ymax

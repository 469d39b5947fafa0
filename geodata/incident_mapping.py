"""How one kind of incident file is to be read: its columns, times, places and categories.

A mapping is a YAML file that a person writes once for each source; docs/mappings/ has one with
every line explained. What it does not say is not guessed.
"""

import codecs
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from geodata.categories import load_categories
from geodata.crs import parse_crs
from geodata.errors import MappingError, UnknownCRSError, UnreadableFileError
from geodata.offsets import SHIFTS
from geodata.yaml_text import load_yaml

OWN_OFFSET = "offset"
"""Time zone of a source whose times carry their own offset from UTC."""

ISO_FORMAT = "ISO8601"
"""Time format of a source whose times are ISO 8601, in any of its lengths."""


def _known_code(code: str) -> str:
    """Refuse a category that the catalogue does not have."""
    codes = [category.code for category in load_categories()]
    if code not in codes:
        raise ValueError(f"{code!r} is no category; there are {', '.join(codes)}")
    return code


def _known_encoding(encoding: str) -> str:
    """Refuse an encoding that Python does not know; a byte order mark is never part of a name."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise ValueError(f"{encoding!r} is no encoding; try utf-8 or gb18030") from error
    return "utf-8-sig" if name == "utf-8" else name


def _known_zone(timezone: str) -> str:
    """Refuse a zone that is in no time zone table."""
    try:
        if timezone != OWN_OFFSET:
            ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{timezone!r} is no time zone; try Asia/Shanghai") from error
    return timezone


def _known_crs(text: str) -> str:
    """Refuse a CRS that neither PROJ nor this project knows."""
    if text in SHIFTS:
        return text
    try:
        parse_crs(text)
    except UnknownCRSError as error:
        raise ValueError(str(error)) from error
    return text


CategoryCode = Annotated[str, AfterValidator(_known_code)]


class _Rules(BaseModel):
    """A part of a mapping: fixed once read, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Rules):
    """Names of the source's columns; nothing else of the file is kept.

    Attributes
    ----------
    id
        The source's own number; None where it has none, and the row's content stands for it.
    lon, lat
        Position in the mapping's CRS (easting and northing of a projected one); both None for
        GeoJSON, whose geometry it is.
    reported_at, closed_at
        Times; several columns, such as a date and an hour, are joined by a space.
    status
        Text that says whether it is closed; None: closed is what has a ``closed_at``.
    category
        The source's kind of incident.
    summary
        Column whose text is shown. It may only be the category's: free text names people.
    """

    id: str | None = None
    lon: str | None = None
    lat: str | None = None
    reported_at: str | tuple[str, ...]
    closed_at: str | tuple[str, ...] | None = None
    status: str | None = None
    category: str
    summary: str | None = None

    @model_validator(mode="after")
    def _summary_is_the_category(self) -> "Columns":
        if self.summary not in (None, self.category):
            raise ValueError(
                "summary may only be the category's column: free text and addresses name people"
            )
        if (self.lon is None) != (self.lat is None):
            raise ValueError("give both lon and lat, or neither")
        return self


class TimeRule(_Rules):
    """How times are written.

    Attributes
    ----------
    format
        As for strptime, or ISO8601.
    timezone
        Name of the zone whose clock they show, or ``offset`` where each says its own.
    """

    format: str
    timezone: Annotated[str, AfterValidator(_known_zone)]

    @model_validator(mode="after")
    def _offset_is_in_the_format(self) -> "TimeRule":
        has_offset = "%z" in self.format
        if self.format != ISO_FORMAT and has_offset != (self.timezone == OWN_OFFSET):
            raise ValueError("timezone is 'offset' if, and only if, the format has %z")
        return self


class CategoryRules(_Rules):
    """Which of the source's kinds is which of our categories.

    Attributes
    ----------
    exact
        Whole text to code; looked at first.
    prefix
        Beginning of the text to code; the longest that fits.
    default
        Code of every other text; None: they are rejected.
    """

    exact: dict[str, CategoryCode] = Field(default_factory=dict)
    prefix: dict[str, CategoryCode] = Field(default_factory=dict)
    default: CategoryCode | None = None

    def code_of(self, text: str) -> str | None:
        """Return our category of the source's text, or None."""
        if text in self.exact:
            return self.exact[text]
        fitting = [prefix for prefix in self.prefix if text.startswith(prefix)]
        return self.prefix[max(fitting, key=len)] if fitting else self.default


class SourceRules(_Rules):
    """What is to be known of any source of incidents, however its rows are read.

    Attributes
    ----------
    source
        Its name. It enters the identity of every incident: changed, a second import doubles all.
    time, categories
        See their classes.
    crs
        EPSG code, ``gcj02`` or ``bd09``.
    placeholders
        Positions ``[lon, lat]`` in that CRS that stand for "unknown"; 0, 0 always does.
    bounds
        ``[xmin, ymin, xmax, ymax]``, EPSG:4326; what is outside is rejected.
    closed_statuses
        Texts of the status that mean closed.
    """

    source: Annotated[str, Field(min_length=1)]
    time: TimeRule
    crs: Annotated[str, AfterValidator(_known_crs)]
    placeholders: tuple[tuple[float, float], ...] = ()
    bounds: tuple[float, float, float, float] | None = None
    closed_statuses: tuple[str, ...] = ()
    categories: CategoryRules

    # Where the mapping was read from, for the sentences of errors.
    path: Path = Field(default=Path("mapping"), exclude=True)

    @field_validator("bounds")
    @classmethod
    def _bounds_are_in_order(
        cls, bounds: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if bounds is not None and not (bounds[0] < bounds[2] and bounds[1] < bounds[3]):
            raise ValueError("bounds are xmin, ymin, xmax, ymax")
        return bounds

    @property
    def has_ids(self) -> bool:
        """Whether the source numbers its incidents; otherwise a row's content stands for it."""
        return True

    @property
    def has_statuses(self) -> bool:
        """Whether it says which are closed; otherwise those are that have a ``closed_at``."""
        return True


class IncidentMapping(SourceRules):
    """Everything that is to be known to read a file of one source.

    Attributes
    ----------
    format
        ``csv`` or ``geojson``.
    encoding, delimiter
        Of a CSV file; a byte order mark is read over.
    columns
        See its class.
    """

    format: Literal["csv", "geojson"] = "csv"
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    columns: Columns

    @property
    def has_ids(self) -> bool:
        """Whether there is a column of ids."""
        return self.columns.id is not None

    @property
    def has_statuses(self) -> bool:
        """Whether there is a column of statuses."""
        return self.columns.status is not None

    @model_validator(mode="after")
    def _csv_has_positions(self) -> "IncidentMapping":
        if self.format == "csv" and self.columns.lon is None:
            raise ValueError("a CSV file needs columns.lon and columns.lat")
        return self


class FeedMapping(SourceRules):
    """Everything that is to be known to read the requests of an Open311 server.

    Attributes
    ----------
    by
        Which of its fields the categories are told by: ``service_name`` or ``service_code``.
    """

    by: Literal["service_name", "service_code"] = "service_name"
    time: TimeRule = TimeRule(format=ISO_FORMAT, timezone=OWN_OFFSET)
    crs: Annotated[str, AfterValidator(_known_crs)] = "EPSG:4326"
    closed_statuses: tuple[str, ...] = ("closed",)


Mapping = TypeVar("Mapping", bound=SourceRules)


def load_mapping(path: Path) -> IncidentMapping:
    """Read the mapping of an incident file.

    Parameters
    ----------
    path
        YAML, UTF-8. It declares the CRS of the incident file; the mapping has none itself.

    Returns
    -------
    IncidentMapping
        Complete and consistent in itself; whether the columns exist shows with the file.

    Raises
    ------
    UnreadableFileError
        There is no such file, or it is not UTF-8.
    MappingError
        It is not YAML, or breaks a rule: the sentence names the key.
    """
    return _load(path, IncidentMapping)


def load_feed_mapping(path: Path) -> FeedMapping:
    """Read the mapping of an Open311 server's requests; as `load_mapping`."""
    return _load(path, FeedMapping)


def _load(path: Path, kind: type[Mapping]) -> Mapping:
    try:
        rules = load_yaml(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(path, f"the mapping cannot be read ({error}).") from error
    except yaml.YAMLError as error:
        raise MappingError(path, f"is not YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(rules, dict):
        raise MappingError(path, "holds no keys: see docs/mappings for what a mapping says.")
    try:
        return kind.model_validate({**rules, "path": path})
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"]) or "the mapping"
        raise MappingError(path, f"{key}: {fault['msg'].removeprefix('Value error, ')}.") from error

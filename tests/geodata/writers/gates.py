"""A layer of two kinds of geometry's worth of trouble: every kind of field, and words that bite."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pyarrow as pa
import shapely

from geodata.writers.layers import Field, Layer, batch_of

GATES = Layer(
    "gates",
    (
        Field("code", "code", "code"),
        Field("community_code", "area_code", "comm_code"),
        Field("name", "text", "name"),
        Field("household_count", "integer", "households"),
        Field("is_open", "flag", "is_open"),
        Field("built_on", "date", "built_on"),
        Field("checked_at", "instant", "check"),
    ),
    "Polygon",
)
COMMUNITY = 440605011016
CHECKED = datetime(2020, 5, 4, 20, 30, 15, tzinfo=UTC)  # in China it is the fifth already
NAMES = ("东门", "=1+1", '引号",逗号', "-3栋", "@北", "长" * 100)
SIDE = 0.001


def square(number: int) -> shapely.Polygon:
    """Return the outline of a gate, EPSG:4326, counter-clockwise."""
    west = 113.15 + 2 * SIDE * number
    return shapely.box(west, 23.03, west + SIDE, 23.03 + SIDE)


def rows(first: int, last: int) -> list[tuple[object, ...]]:
    """Return gates by number; every second one leaves out what can be left out."""
    found: list[tuple[object, ...]] = []
    for number in range(first, last):
        is_bare = bool(number % 2)
        found.append(
            (
                f"{COMMUNITY}{number:08d}",
                COMMUNITY,
                NAMES[number % len(NAMES)],
                None if is_bare else 20 + number,
                None if is_bare else number % 4 == 0,
                None if is_bare else date(2006, 2, 28),
                None if is_bare else CHECKED,
                square(number).wkb,
            )
        )
    return found


def batches(count: int = 6, *, each: int = 4) -> Iterator[pa.RecordBatch]:
    """Yield gates, so many a batch."""
    for first in range(0, count, each):
        yield batch_of(GATES, rows(first, min(first + each, count)))

"""A work list as a file: codes, times and states; no words of people and no names."""

from pathlib import Path
from tempfile import TemporaryDirectory

import shapely
from sqlalchemy.orm import Session

from geodata.writers.formats import FORMATS
from geodata.writers.layers import Field, Layer, batch_of
from geodata.writers.target import STORED
from geodata.writers.text import csv_text
from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.incidents.lists import service
from gridsvc.incidents.lists.model import WorkFilter
from gridsvc.incidents.model import Incident

FILE_FORMATS = ("csv", "xlsx")
MOST_LINES = 10_000
_LAYER = Layer(
    "work_list",
    (
        Field("id", "code", "id"),
        Field("community_code", "code", "community"),
        Field("compound_code", "code", "compound"),
        Field("stairwell_code", "code", "stairwell"),
        Field("category_code", "text", "category"),
        Field("status", "text", "status"),
        Field("level", "text", "level"),
        Field("reported_at", "text", "reported"),
        Field("due_at", "text", "due"),
        Field("due_rule", "text", "due_rule"),
        Field("reopened_count", "integer", "reopened"),
    ),
    "Point",
)


def write_file(session: Session, wanted: WorkFilter, file_format: str) -> bytes:
    """Return a work list as CSV or XLSX, a line an incident, at most `MOST_LINES`.

    Parameters
    ----------
    file_format
        One of `FILE_FORMATS`.
    """
    access.require_role(session, *STAFF_ROLES)
    found = service.list_work(session, wanted, limit=MOST_LINES)
    batch = batch_of(_LAYER, [_row(one) for one in found])
    if file_format == "csv":
        return "".join(csv_text(_LAYER, [batch], target=STORED)).encode()
    made = FORMATS[file_format]
    with TemporaryDirectory(prefix="work-list-") as folder:
        path = Path(folder) / f"list{made.suffix}"
        assert made.write is not None  # noqa: S101  (only CSV is text)
        made.write(path, _LAYER, [batch], target=STORED)
        return path.read_bytes()


def _row(one: Incident) -> tuple[object, ...]:
    return (
        str(one.id),
        str(one.community_code),
        one.compound_code,
        one.stairwell_code,
        one.category_code,
        one.status,
        one.level,
        one.reported_at.isoformat(timespec="seconds"),
        one.due_at.isoformat(timespec="seconds") if one.due_at else None,
        one.due_rule,
        one.reopened_count,
        shapely.to_wkb(shapely.Point(one.lon, one.lat)),
    )

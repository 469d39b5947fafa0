"""A plan as a file for the coordinator's own use: with names, without phones, and noted."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.writers.formats import FORMATS
from geodata.writers.layers import Field, Layer, batch_of
from geodata.writers.target import STORED
from geodata.writers.text import csv_text
from gridsvc.access import service as access
from gridsvc.access.model import STAFF_ROLES
from gridsvc.audit import service as audit
from gridsvc.contacts.model import LineFilter, PlanLine
from gridsvc.contacts.plans import reviewing, store

FILE_FORMATS = ("csv", "xlsx")
_LAYER = Layer(
    "contact_plan",
    (
        Field("stairwell_code", "code", "code"),
        Field("place", "text", "place"),
        Field("household_count", "integer", "households"),
        Field("change", "text", "change"),
        Field("decision", "text", "decision"),
        Field("lead", "text", "lead"),
        Field("is_party_member", "flag", "is_party"),
        Field("reason", "text", "reason"),
        Field("distance_m", "integer", "distance_m"),
        Field("former_lead", "text", "former"),
        Field("supporting", "text", "supporting"),
    ),
    "Point",
)


def write_file(session: Session, plan_id: UUID, file_format: str) -> bytes:
    """Return a plan as CSV or XLSX, a line a stairwell; that it was taken is noted.

    The lead is whoever will lead when the plan is applied as it was decided so far, and for lines
    that are open, whoever is proposed. Phones are in no file: each is revealed by itself.

    Parameters
    ----------
    file_format
        One of `FILE_FORMATS`.

    Raises
    ------
    NotFoundError
        The caller's territory has no such plan.
    """
    access.require_role(session, *STAFF_ROLES)
    plan = reviewing.get(session, plan_id)
    lines = store.list_lines(session, plan, LineFilter(), limit=None)
    places = store.read_places(session, plan)
    batch = batch_of(_LAYER, [_row(line, places) for line in lines])
    audit.record(
        session,
        community_code=plan.community_code,
        action="contacts.export",
        subject=str(plan_id),
        format=file_format,
        lines=len(lines),
    )
    if file_format == "csv":
        return "".join(csv_text(_LAYER, [batch], target=STORED)).encode()
    made = FORMATS[file_format]
    with TemporaryDirectory(prefix="contact-plan-") as folder:
        path = Path(folder) / f"plan{made.suffix}"
        assert made.write is not None  # noqa: S101  (only CSV is text)
        made.write(path, _LAYER, [batch], target=STORED)
        return path.read_bytes()


def _row(line: PlanLine, places: Mapping[str, tuple[str, bytes]]) -> Sequence[object]:
    label, point = places[line.stairwell_code]
    is_chosen = line.decision == "overridden" and line.chosen is not None
    is_former = line.decision == "rejected"
    name, is_party = line.name, line.is_party_member
    reason, distance_m = line.reason, line.distance_m
    if line.chosen is not None and is_chosen:
        name, is_party = line.chosen.name, line.chosen.is_party_member
        reason, distance_m = line.chosen_tier or "", line.chosen_distance_m
    elif is_former:
        name = line.former.name if line.former else None
        is_party = line.former.is_party_member if line.former else None
        reason, distance_m = "rejected", None
    return (
        line.stairwell_code,
        label,
        line.household_count,
        line.change,
        line.decision,
        name,
        is_party,
        reason,
        distance_m,
        line.former.name if line.former else None,
        "、".join(f"{one.name or ''} {one.households}" for one in line.supporting),
        point,
    )

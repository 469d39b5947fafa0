"""What a caller can do with incidents: report, look, and see where they gather."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pandas as pd
from geopandas import GeoDataFrame, GeoSeries, points_from_xy
from pandas import DataFrame
from sqlalchemy.orm import Session

from geodata.categories import Category, load_categories
from geodata.heat import BASE_ZOOM, cell_polygons
from geodata.progress import Progress, silent
from geodata.published import release_with_published
from gridsvc.access import service as access
from gridsvc.audit import service as audit
from gridsvc.db import Interval, act_for, scope_of
from gridsvc.errors import (
    IdTakenError,
    NotFoundError,
    OutsideTerritoryError,
    RoleNotAllowedError,
    UnknownCategoryError,
)
from gridsvc.incidents import store
from gridsvc.incidents.life import service as life
from gridsvc.incidents.life.checking import require_category
from gridsvc.incidents.life.service import Listener
from gridsvc.incidents.model import HeatTotals, Incident, NewIncident
from gridsvc.incidents.texts import checked_text
from gridsvc.local_time import local_today
from gridsvc.territory import service as territory

SUMMARY_LENGTH = 500
_BATCH = 5_000


@dataclass(frozen=True)
class HeatFilter:
    """Which incidents a heat map counts; months are first days, both ends included."""

    community_code: int | None = None
    class_code: str | None = None
    first_month: date | None = None
    last_month: date | None = None


def apply_catalogue(session: Session) -> None:
    """Write the catalogue of categories into the database; idempotent."""
    store.put_categories(session, load_categories())


def list_categories(session: Session) -> list[Category]:
    """Return the categories in use, in the catalogue's order."""
    return store.list_categories(session)


def add_many(
    session: Session, incidents: GeoDataFrame, *, progress: Progress | None = None
) -> DataFrame:
    """Add incidents in bulk, as the job; those known already are left as they are.

    Parameters
    ----------
    incidents
        ``id``, ``category_code``, ``status``, ``reported_at``, ``closed_at``, ``summary``,
        ``geometry`` (point, EPSG:4326).

    Returns
    -------
    DataFrame
        ``id``, ``community_code``, ``place`` of those added.

    Raises
    ------
    UnknownCategoryError
        A category is not in the catalogue.
    """
    access.require_role(session, "job")
    _require_categories(session, set(incidents["category_code"]))
    report = progress or silent
    outside_code = territory.outside_code(session)
    added = [DataFrame(columns=["id", "community_code", "place"])]
    for start in range(0, len(incidents), _BATCH):
        batch = incidents.iloc[start : start + _BATCH]
        added.append(store.add(session, batch, outside_code=outside_code))
        report("incidents", start + len(batch), len(incidents))
    return pd.concat([part for part in added if len(part)] or added, ignore_index=True)


def add(
    session: Session,
    incident: NewIncident,
    *,
    on_event: Sequence[Listener] = (),
    summary_length: int = SUMMARY_LENGTH,
) -> Incident:
    """Add one incident where it fell; one that lies outside every community is flagged.

    Its life begins: somebody is to look at it within the time of its category. A clock that is
    ahead does not put a report into the future.

    Parameters
    ----------
    on_event
        Told of the report, in the same transaction.
    summary_length
        Characters that its words may have, where another standard says how many.

    Raises
    ------
    UnknownCategoryError, RetiredCategoryError
        The category is not in the catalogue, or no longer.
    InvalidTextError
        The words are too long, or hold control characters.
    OutsideTerritoryError
        The place belongs to a community that is not the caller's.
    IdTakenError
        Another incident has this id.
    NoTerritoryError
        The caller has no territory.
    """
    require_category(session, incident.category_code)
    words = checked_text(incident.summary, what="summary", at_most=summary_length)
    reported_at = min(incident.reported_at, datetime.now(UTC))
    incident = replace(incident, summary=words, reported_at=reported_at)
    outside_code = territory.outside_code(session)
    _widen_to_place(session, incident, outside_code)
    known = store.find_incident(session, incident.id)
    added = 0 if known else len(store.add(session, _frame_of(incident), outside_code=outside_code))
    found = known or get(session, incident.id)
    if not _is_same(found, incident):
        raise IdTakenError(incident.id)
    if added:
        audit.record(
            session,
            community_code=found.community_code,
            action="incident.report",
            subject=str(found.id),
            category=found.category_code,
            place=found.place,
        )
        found = life.begin(session, found, on_event=on_event)
    return found


def _is_same(known: Incident, incident: NewIncident) -> bool:
    """Tell whether a report is one that is there already, sent again."""
    return (known.category_code, known.summary, known.lon, known.lat) == (
        incident.category_code,
        incident.summary,
        incident.lon,
        incident.lat,
    )


def _require_categories(session: Session, codes: set[str]) -> None:
    known = {category.code for category in store.list_categories(session)}
    for code in sorted(codes - known):
        raise UnknownCategoryError(code)


def _widen_to_place(session: Session, incident: NewIncident, outside_code: int) -> None:
    """Let a neighbour just over the border report: what lies nowhere goes to the sub-district."""
    found = territory.find_community_at(session, lon=incident.lon, lat=incident.lat)
    code, name = found or (outside_code, "")
    if any(interval.lo <= code <= interval.hi for interval in scope_of(session).intervals):
        return
    if found:
        raise OutsideTerritoryError(name)
    act_for(session, Interval(outside_code, outside_code))


def _frame_of(incident: NewIncident) -> GeoDataFrame:
    row = {
        "id": [str(incident.id)],
        "category_code": [incident.category_code],
        "status": ["reported"],
        "reported_at": pd.to_datetime([incident.reported_at], utc=True),
        "closed_at": pd.Series([pd.NaT]).dt.tz_localize("UTC"),
        "summary": [incident.summary],
    }
    return GeoDataFrame(
        row, geometry=points_from_xy([incident.lon], [incident.lat]), crs="EPSG:4326"
    )


def list_incidents(
    session: Session,
    *,
    community_code: int | None = None,
    class_code: str | None = None,
    place: str | None = None,
    stairwell_codes: Collection[str] | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Incident]:
    """Return at most ``limit`` incidents, the newest first, before a time and id.

    Parameters
    ----------
    stairwell_codes
        Only those of these stairwells; default: all.
    """
    return store.list_incidents(
        session,
        community_code=community_code,
        class_code=class_code,
        place=place,
        stairwell_codes=stairwell_codes,
        before=before,
        limit=limit,
    )


def get(
    session: Session, incident_id: UUID, *, stairwell_codes: Collection[str] | None = None
) -> Incident:
    """Return one incident.

    Parameters
    ----------
    stairwell_codes
        It must be of one of these stairwells, or be handed to the caller; default: any will do.

    Raises
    ------
    NotFoundError
        The caller's territory, or these stairwells, have no such incident.
    """
    incident = store.find_incident(session, incident_id)
    account = scope_of(session).account
    if incident is None or not life.is_seen(incident, account, stairwell_codes):
        raise NotFoundError("incident", incident_id)
    return incident


def count_by_class(session: Session) -> dict[str, int]:
    """Return the incidents of each class, every class named."""
    counts = store.count_by_class(session)
    classes = (category.code for category in load_categories() if category.parent is None)
    return {code: counts.get(code, 0) for code in classes}


def count_by_place(session: Session) -> dict[str, int]:
    """Return the incidents that fell in a stairwell, a compound, a community only, or outside."""
    return store.count_by_place(session)


def count_by_grid(
    session: Session, *, is_compound: bool, first_day: date, last_day: date
) -> dict[str, int]:
    """Return the incidents of a period by the grid that they were reported in.

    Parameters
    ----------
    is_compound
        By compound; otherwise by stairwell.
    first_day, last_day
        Both counted, in the sub-district's time.
    """
    return store.count_by_grid(
        session, is_compound=is_compound, first_day=first_day, last_day=last_day
    )


def count_by_stairwell(session: Session, *, community_code: int) -> dict[str, int]:
    """Return the incidents of each stairwell of a community that had any."""
    return store.count_by_stairwell(session, community_code=community_code)


def read_heat(
    session: Session, selection: HeatFilter, *, zoom: int = 18
) -> tuple[GeoDataFrame, HeatTotals]:
    """Return heat cells and what they add up to.

    Who works in the territory gets its exact counts at ``zoom``; a planner gets the latest
    release, whose cells have passed the small-count rule and have zooms of their own. A release
    takes no filter but the community: filtered releases could be subtracted from each other.

    Returns
    -------
    tuple
        Cells (``zoom``, ``x``, ``y``, ``incident_count``, ``geometry``: squares, EPSG:4326) by
        zoom, x, y; and the totals.

    Raises
    ------
    RoleNotAllowedError
        A planner asks for a class or period.
    """
    if scope_of(session).role == "planner":
        if selection.class_code or selection.first_month or selection.last_month:
            raise RoleNotAllowedError("planner")
        return read_release(session, community_code=selection.community_code)
    cells = store.read_cells(
        session,
        zoom_shift=BASE_ZOOM - zoom,
        community_code=selection.community_code,
        class_code=selection.class_code,
        first_month=selection.first_month,
        last_month=selection.last_month,
    )
    totals = HeatTotals(shown=int(cells["incident_count"].sum()), withheld=0, through=None)
    return _draw(cells.assign(zoom=zoom)), totals


def read_release(
    session: Session, *, community_code: int | None = None
) -> tuple[GeoDataFrame, HeatTotals]:
    """Return the cells of the latest release, and what they add up to.

    Returns
    -------
    tuple
        Cells as of `read_heat`, EPSG:4326, whoever asks; and the totals.
    """
    released, totals = store.read_release(session, community_code=community_code)
    return _draw(released), totals


def _draw(cells: DataFrame) -> GeoDataFrame:
    squares = [
        cell_polygons(x=own["x"], y=own["y"], zoom=int(str(zoom)))
        for zoom, own in cells.groupby("zoom")
    ]
    ordered = cells[["zoom", "x", "y", "incident_count"]]
    geometry = pd.concat(squares) if squares else GeoSeries([], crs="EPSG:4326")
    return GeoDataFrame(ordered, geometry=geometry, crs="EPSG:4326")


def release_heat(session: Session, *, today: date | None = None) -> HeatTotals:
    """Release heat cells to planners, up to the last complete calendar month, as the job.

    What the public interface shows report by report is released apart from what it does not
    (`geodata.published`): otherwise a planner who counts there is left with the private ones.
    """
    access.require_role(session, "job")
    first_of_month = (today or local_today()).replace(day=1)
    through = (first_of_month - timedelta(days=1)).replace(day=1)
    base = store.read_base_cells(session, through=through)
    cells, totals = [], []
    for community_code, own in base.groupby("community_code"):
        found, withheld = release_with_published(
            own[~own["is_published"]], own[own["is_published"]]
        )
        shown = found.rename(columns={"x": "cell_x", "y": "cell_y", "count": "incident_count"})
        cells.append(shown.assign(community_code=community_code))
        totals.append(
            {
                "community_code": community_code,
                "through": through,
                "shown": int(shown["incident_count"].sum()),
                "withheld": withheld,
            }
        )
    summary = DataFrame(totals, columns=["community_code", "through", "shown", "withheld"])
    store.replace_release(
        session,
        pd.concat(cells, ignore_index=True) if cells else DataFrame(),
        summary.astype({"withheld": "Int64"}),
    )
    return store.read_release(session, community_code=None)[1]

"""Queries of categories, incidents and heat."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy import (
    BigInteger,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geodata.categories import Category, rules_of, with_rules
from gridsvc.db import copy_frame, in_scope, plain_values
from gridsvc.incidents.model import HeatTotals, Incident
from gridsvc.incidents.tables import (
    CategoryRow,
    HeatCellRow,
    HeatReleaseRow,
    HeatReleaseTotalRow,
    IncidentRow,
)
from gridsvc.local_time import LOCAL_TIME

_SQL = files("gridsvc.incidents") / "sql"
_ADD = text((_SQL / "add_incidents.sql").read_text(encoding="utf-8")).bindparams(
    bindparam("outside_code", type_=BigInteger)
)


def put_categories(session: Session, categories: Iterable[Category]) -> None:
    """Write the catalogue; what it no longer names is retired, never deleted."""
    rows = [
        {
            "code": category.code,
            "parent_code": category.parent,
            "name_zh": category.name_zh,
            "name_en": category.name_en,
            "is_public": category.is_public,
            "position": position,
            "is_retired": False,
            "rules": rules_of(category),
        }
        for position, category in enumerate(categories)
    ]
    shown = {row["code"]: row["is_public"] for row in rows}
    turned = [
        code
        for code, is_public in session.execute(select(CategoryRow.code, CategoryRow.is_public))
        if shown.get(code, is_public) != is_public
    ]
    statement = insert(CategoryRow).values(rows)
    written = {name: statement.excluded[name] for name in rows[0] if name != "code"}
    session.execute(
        statement.on_conflict_do_update(index_elements=[CategoryRow.code], set_=written)
    )
    known = [row["code"] for row in rows]
    retire = update(CategoryRow).where(CategoryRow.code.not_in(known)).values(is_retired=True)
    session.execute(retire)
    for code in turned:
        follow = update(IncidentRow).where(
            in_scope(session, IncidentRow.community_code), IncidentRow.category_code == code
        )
        session.execute(follow.values(is_public=shown[code]))


def list_categories(session: Session) -> list[Category]:
    """Return the categories in use, in the catalogue's order."""
    rows = session.scalars(
        select(CategoryRow).where(CategoryRow.is_retired.is_(False)).order_by(CategoryRow.position)
    )
    return [_category(row) for row in rows]


def _category(row: CategoryRow) -> Category:
    plain = Category(row.code, row.parent_code, row.name_zh, row.name_en, row.is_public)
    return with_rules(plain, row.rules)


def find_category(session: Session, code: str) -> tuple[Category, bool] | None:
    """Return a category, and whether it is retired."""
    row = session.scalar(select(CategoryRow).where(CategoryRow.code == code))
    return (_category(row), row.is_retired) if row else None


def add(session: Session, incidents: GeoDataFrame, *, outside_code: int) -> DataFrame:
    """Add incidents where they fell and count them in the heat cells, in one statement.

    Parameters
    ----------
    incidents
        ``id``, ``category_code``, ``status``, ``reported_at``, ``closed_at``, ``summary``,
        ``geometry`` (point, EPSG:4326); optionally ``owner_code``, the community that it belongs
        to wherever it fell.

    Returns
    -------
    DataFrame
        ``id``, ``community_code``, ``place`` of those added; those known already are left out.
    """
    missing = incidents["closed_at"].isna()
    rows = session.execute(
        _ADD,
        {
            "ids": incidents["id"].astype(str).tolist(),
            "category_codes": incidents["category_code"].tolist(),
            "statuses": incidents["status"].tolist(),
            "reported_ats": incidents["reported_at"].dt.to_pydatetime().tolist(),
            "closed_ats": incidents["closed_at"].astype(object).where(~missing, None).tolist(),
            "summaries": incidents["summary"].tolist(),
            "lons": incidents.geometry.x.tolist(),
            "lats": incidents.geometry.y.tolist(),
            "owner_codes": plain_values(incidents["owner_code"])
            if "owner_code" in incidents.columns
            else [None] * len(incidents),
            "outside_code": outside_code,
        },
    )
    return DataFrame(rows.all(), columns=["id", "community_code", "place"])


_COLUMNS = tuple(
    getattr(IncidentRow, field.name)
    for field in fields(Incident)
    if field.name not in ("lon", "lat")
)


def select_incidents(session: Session) -> Select[*tuple[Any, ...]]:
    """Return the query of the caller's incidents, its columns the fields of `Incident`."""
    position = (func.ST_X(IncidentRow.geom).label("lon"), func.ST_Y(IncidentRow.geom).label("lat"))
    return select(*_COLUMNS, *position).where(in_scope(session, IncidentRow.community_code))


def list_incidents(
    session: Session,
    *,
    community_code: int | None,
    class_code: str | None,
    place: str | None,
    stairwell_codes: Collection[str] | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Incident]:
    """Return incidents, the newest first, before a time and id."""
    statement = select_incidents(session)
    if community_code is not None:
        statement = statement.where(IncidentRow.community_code == community_code)
    if class_code is not None:
        statement = statement.where(
            func.split_part(IncidentRow.category_code, ".", 1) == class_code
        )
    if place is not None:
        statement = statement.where(IncidentRow.place == place)
    if stairwell_codes is not None:
        statement = statement.where(IncidentRow.stairwell_code.in_(stairwell_codes))
    if before is not None:
        statement = statement.where(tuple_(IncidentRow.reported_at, IncidentRow.id) < before)
    newest_first = statement.order_by(IncidentRow.reported_at.desc(), IncidentRow.id.desc())
    return [Incident(**row) for row in session.execute(newest_first.limit(limit)).mappings()]


def find_incident(session: Session, incident_id: UUID) -> Incident | None:
    """Return one incident of the caller's territory."""
    # Ids are made by clients, so two communities may hold the same one.
    statement = select_incidents(session).where(IncidentRow.id == incident_id)
    rows = session.execute(statement.order_by(IncidentRow.community_code).limit(1)).mappings()
    found = rows.one_or_none()
    return Incident(**found) if found else None


def count_by_class(session: Session) -> dict[str, int]:
    """Return how many incidents of each class the caller's territory has had."""
    class_code = func.split_part(IncidentRow.category_code, ".", 1)
    rows = session.execute(
        select(class_code, func.count())
        .where(in_scope(session, IncidentRow.community_code))
        .group_by(class_code)
    )
    return dict(rows.all())


def count_by_place(session: Session) -> dict[str, int]:
    """Return how many incidents fell in a stairwell, a compound only, a community only, outside."""
    rows = session.execute(
        select(IncidentRow.place, func.count())
        .where(in_scope(session, IncidentRow.community_code))
        .group_by(IncidentRow.place)
    )
    return dict(rows.all())


def count_by_stairwell(session: Session, *, community_code: int) -> dict[str, int]:
    """Return the incidents of each stairwell of a community that had any."""
    rows = session.execute(
        select(IncidentRow.stairwell_code, func.count())
        .where(
            in_scope(session, IncidentRow.community_code),
            IncidentRow.community_code == community_code,
            IncidentRow.stairwell_code.is_not(None),
        )
        .group_by(IncidentRow.stairwell_code)
    )
    return {str(code): count for code, count in rows}


def read_cells(
    session: Session,
    *,
    zoom_shift: int,
    community_code: int | None,
    class_code: str | None,
    first_month: date | None,
    last_month: date | None,
) -> DataFrame:
    """Return heat cells rolled up by ``zoom_shift`` levels: ``x``, ``y``, ``incident_count``."""
    x = HeatCellRow.cell_x.op(">>")(zoom_shift)
    y = HeatCellRow.cell_y.op(">>")(zoom_shift)
    statement = select(x, y, func.sum(HeatCellRow.incident_count)).where(
        in_scope(session, HeatCellRow.community_code)
    )
    if community_code is not None:
        statement = statement.where(HeatCellRow.community_code == community_code)
    if class_code is not None:
        statement = statement.where(HeatCellRow.class_code == class_code)
    if first_month is not None:
        statement = statement.where(HeatCellRow.month >= first_month)
    if last_month is not None:
        statement = statement.where(HeatCellRow.month <= last_month)
    rows = session.execute(statement.group_by(x, y).order_by(x, y)).all()
    return DataFrame(rows, columns=["x", "y", "incident_count"]).astype("int64")


def read_base_cells(session: Session, *, through: date) -> DataFrame:
    """Return the finest cells up to a month, for the release.

    Returns
    -------
    DataFrame
        ``community_code``, ``is_published`` (whether everybody can read these reports one by
        one: of public classes, inside a community), ``x20``, ``y20``, ``count``.
    """
    code = HeatCellRow.community_code
    is_published = and_(CategoryRow.is_public, code % 1000 > 0).label("is_published")
    columns = (code, is_published, HeatCellRow.cell_x, HeatCellRow.cell_y)
    rows = session.execute(
        select(*columns, func.sum(HeatCellRow.incident_count))
        .join(CategoryRow, CategoryRow.code == HeatCellRow.class_code)
        .where(in_scope(session, code), HeatCellRow.month <= through)
        .group_by(*columns)
        .order_by(*columns)
    ).all()
    names = ["community_code", "is_published", "x20", "y20", "count"]
    return DataFrame(rows, columns=names).astype(
        dict.fromkeys(names, "int64") | {"is_published": "bool"}
    )


def replace_release(session: Session, cells: DataFrame, totals: DataFrame) -> None:
    """Put a new release in the place of the old one."""
    for row in (HeatReleaseRow, HeatReleaseTotalRow):
        session.execute(delete(row).where(in_scope(session, row.community_code)))
    copy_frame(session, HeatReleaseRow, cells)
    copy_frame(session, HeatReleaseTotalRow, totals)


def read_release(session: Session, *, community_code: int | None) -> tuple[DataFrame, HeatTotals]:
    """Return the released cells (``zoom``, ``x``, ``y``, ``incident_count``) and their totals."""
    cells = select(
        HeatReleaseRow.zoom,
        HeatReleaseRow.cell_x,
        HeatReleaseRow.cell_y,
        func.sum(HeatReleaseRow.incident_count),
    ).where(in_scope(session, HeatReleaseRow.community_code))
    totals = select(
        HeatReleaseTotalRow.shown, HeatReleaseTotalRow.withheld, HeatReleaseTotalRow.through
    ).where(in_scope(session, HeatReleaseTotalRow.community_code))
    if community_code is not None:
        cells = cells.where(HeatReleaseRow.community_code == community_code)
        totals = totals.where(HeatReleaseTotalRow.community_code == community_code)
    keys = (HeatReleaseRow.zoom, HeatReleaseRow.cell_x, HeatReleaseRow.cell_y)
    rows = session.execute(cells.group_by(*keys).order_by(*keys)).all()
    frame = DataFrame(rows, columns=["zoom", "x", "y", "incident_count"]).astype("int64")
    return frame, _sum_totals(session.execute(totals).all())


def _sum_totals(rows: Sequence[tuple[int, int | None, date]]) -> HeatTotals:
    withheld = [row[1] for row in rows]
    told = [count for count in withheld if count is not None]
    return HeatTotals(
        shown=sum(row[0] for row in rows),
        withheld=sum(told) if len(told) == len(withheld) else None,
        through=min((row[2] for row in rows), default=None),
    )


def count_by_grid(
    session: Session, *, is_compound: bool, first_day: date, last_day: date
) -> dict[str, int]:
    """Return the incidents reported from one day to another, by the grid they were reported in."""
    code = IncidentRow.compound_code if is_compound else IncidentRow.stairwell_code
    # A day is one of the sub-district's, so its ends are instants there.
    began = datetime.combine(first_day, time(), LOCAL_TIME)
    ended = datetime.combine(last_day + timedelta(days=1), time(), LOCAL_TIME)
    rows = session.execute(
        select(code, func.count())
        .where(
            in_scope(session, IncidentRow.community_code),
            code.is_not(None),
            IncidentRow.reported_at >= began,
            IncidentRow.reported_at < ended,
        )
        .group_by(code)
    )
    return {str(found): count for found, count in rows}

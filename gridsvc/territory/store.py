"""Queries of territory: reference tables by explicit interval, facts by interval and policy."""

from collections.abc import Collection, Generator
from typing import Any

from geopandas import GeoDataFrame
from shapely import MultiPolygon, Polygon
from sqlalchemy import (
    ColumnElement,
    Select,
    TableClause,
    and_,
    any_,
    case,
    column,
    exists,
    func,
    literal,
    select,
    table,
)
from sqlalchemy import literal_column as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from geodata.privacy import K
from geodata.territory import Territory
from gridsvc.db import SRID, Box, copy_frame, in_scope, read_frame, scope_of
from gridsvc.geojson import feature_text
from gridsvc.territory.model import Community, Compound, Stairwell
from gridsvc.territory.tables import (
    BuildingRow,
    CommunityRow,
    CompoundRow,
    StairwellRow,
    StreetRow,
    WalkwayRow,
)

# What of each layer leaves the house: the columns of the planner views, the first is the id.
EXPORTS = {
    "communities": ("code", "name", "attribution"),
    "compounds": ("code", "community_code", "name", "built_year", "is_demonstration"),
    "buildings": ("code", "community_code", "compound_code", "name", "kind", "levels"),
    "stairwells": (
        *("code", "community_code", "compound_code", "building_code", "name"),
        "household_count",
    ),
    "walkways": ("id", "community_code", "kind", "name"),
}


def add_street(session: Session, *, code: int, name: str) -> None:
    """Write a sub-district; one that is there keeps its name."""
    session.execute(insert(StreetRow).values(code=code, name=name).on_conflict_do_nothing())


def load(session: Session, territory: Territory) -> dict[str, int]:
    """Copy every layer of a territory into its table; only the job role may.

    Returns
    -------
    dict
        Rows copied, by layer.
    """
    layers = {
        "communities": (CommunityRow, territory.communities),
        "compounds": (CompoundRow, territory.compounds),
        "buildings": (BuildingRow, territory.buildings),
        "stairwells": (StairwellRow, territory.stairwells),
        "walkways": (WalkwayRow, territory.walkways),
    }
    return {
        layer: copy_frame(session, row, _for_table(row, frame, territory))
        for layer, (row, frame) in layers.items()
    }


def _for_table(row: type[Any], frame: GeoDataFrame, territory: Territory) -> GeoDataFrame:
    if row is CommunityRow:
        frame = frame.assign(street_code=territory.street_code, attribution=territory.attribution)
    if row in {CommunityRow, CompoundRow}:
        multi = frame.geometry.map(_as_multi)
        frame = frame.set_geometry(multi)
    return frame


def _as_multi(outline: Polygon | MultiPolygon) -> MultiPolygon:
    return outline if isinstance(outline, MultiPolygon) else MultiPolygon([outline])


def existing_codes(session: Session, territory: Territory) -> dict[str, list[str]]:
    """Return the codes of a territory that are taken already, by layer."""
    layers: dict[str, tuple[Any, GeoDataFrame]] = {
        "community": (CommunityRow, territory.communities),
        "compound": (CompoundRow, territory.compounds),
        "building": (BuildingRow, territory.buildings),
        "stairwell": (StairwellRow, territory.stairwells),
    }
    return {
        layer: [
            str(code)
            for code in session.scalars(
                select(row.code)
                # One array: a list of parameters ends at 65,535.
                .where(row.code == any_(literal(frame["code"].tolist(), ARRAY(row.code.type))))
                .order_by(row.code)
            )
        ]
        for layer, (row, frame) in layers.items()
    }


def list_communities(session: Session) -> list[Community]:
    """Return the caller's communities with their counts, by code."""
    compounds = _count_by_community(session, CompoundRow, func.count())
    stairwells = _count_by_community(session, StairwellRow, func.count())
    households = _count_by_community(session, StairwellRow, func.sum(StairwellRow.household_count))
    rows = session.execute(
        select(CommunityRow.code, CommunityRow.name)
        .where(in_scope(session, CommunityRow.code))
        .order_by(CommunityRow.code)
    )
    return [
        Community(
            code=code,
            name=name,
            compound_count=compounds.get(code, 0),
            stairwell_count=stairwells.get(code, 0),
            household_count=households.get(code, 0),
        )
        for code, name in rows
    ]


def _count_by_community(
    session: Session, row: type[CompoundRow | StairwellRow], measure: ColumnElement[int]
) -> dict[int, int]:
    statement = (
        select(row.community_code, measure)
        .where(in_scope(session, row.community_code), row.retired_on.is_(None))
        .group_by(row.community_code)
    )
    return {code: int(count) for code, count in session.execute(statement)}


def _compounds(session: Session) -> Select[*tuple[Any, ...]]:
    key = (StairwellRow.community_code == CompoundRow.community_code) & (
        StairwellRow.compound_code == CompoundRow.code
    )
    counts = (
        select(
            func.count(StairwellRow.building_code.distinct()).label("building_count"),
            func.count().label("stairwell_count"),
            func.coalesce(func.sum(StairwellRow.household_count), 0).label("household_count"),
        )
        .where(key, StairwellRow.retired_on.is_(None))
        .lateral()
    )
    centre = func.ST_PointOnSurface(CompoundRow.geom)
    return (
        select(
            CompoundRow.community_code,
            CompoundRow.code,
            CompoundRow.name,
            CompoundRow.built_year,
            CompoundRow.is_demonstration,
            *counts.c,
            func.ST_X(centre).label("lon"),
            func.ST_Y(centre).label("lat"),
        )
        .join(counts, sql_text("true"))
        .where(in_scope(session, CompoundRow.community_code), CompoundRow.retired_on.is_(None))
    )


def list_compounds(
    session: Session,
    *,
    community_code: int | None = None,
    name_part: str | None = None,
    codes: Collection[str] | None = None,
    after: str = "",
    limit: int,
) -> list[Compound]:
    """Return compounds after a code, by code; ``name_part`` is looked for as it is."""
    statement = _compounds(session).where(CompoundRow.code > after)
    if community_code is not None:
        statement = statement.where(CompoundRow.community_code == community_code)
    if name_part is not None:
        statement = statement.where(CompoundRow.name.contains(name_part, autoescape=True))
    if codes is not None:
        statement = statement.where(CompoundRow.code.in_(codes))
    rows = session.execute(statement.order_by(CompoundRow.code).limit(limit)).mappings()
    return [Compound(**row) for row in rows]


def find_compound(session: Session, code: str) -> Compound | None:
    """Return one compound of the caller's territory."""
    row = (
        session.execute(_compounds(session).where(CompoundRow.code == code))
        .mappings()
        .one_or_none()
    )
    return Compound(**row) if row else None


def with_parents(stairwells: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Join building and compound to a query of stairwells."""
    return stairwells.join(
        BuildingRow,
        and_(
            BuildingRow.community_code == StairwellRow.community_code,
            BuildingRow.code == StairwellRow.building_code,
        ),
    ).join(
        CompoundRow,
        and_(
            CompoundRow.community_code == StairwellRow.community_code,
            CompoundRow.code == StairwellRow.compound_code,
        ),
    )


def _stairwells(session: Session) -> Select[*tuple[Any, ...]]:
    centre = func.ST_PointOnSurface(StairwellRow.geom)
    named = with_parents(
        select(
            StairwellRow.community_code,
            StairwellRow.code,
            StairwellRow.name,
            StairwellRow.building_code,
            BuildingRow.name.label("building_name"),
            StairwellRow.compound_code,
            CompoundRow.name.label("compound_name"),
            told_households(session),
            func.ST_Area(func.geography(StairwellRow.geom)).label("area_m2"),
            func.ST_X(centre).label("lon"),
            func.ST_Y(centre).label("lat"),
        )
    )
    return named.where(
        in_scope(session, StairwellRow.community_code), StairwellRow.retired_on.is_(None)
    )


def told_households(session: Session) -> ColumnElement[Any]:
    """Return the households of a stairwell; too few of them are not told to a planner."""
    count = StairwellRow.household_count
    if scope_of(session).role != "planner":
        return count.label("household_count")
    return case((count >= K, count)).label("household_count")


def list_stairwells(
    session: Session,
    *,
    compound_code: str | None = None,
    codes: Collection[str] | None = None,
    after: str = "",
    limit: int,
) -> list[Stairwell]:
    """Return stairwells after a code, by code."""
    statement = _stairwells(session).where(StairwellRow.code > after)
    if compound_code is not None:
        statement = statement.where(StairwellRow.compound_code == compound_code)
    if codes is not None:
        statement = statement.where(StairwellRow.code.in_(codes))
    rows = session.execute(statement.order_by(StairwellRow.code).limit(limit)).mappings()
    return [Stairwell(**row) for row in rows]


def find_stairwell(session: Session, code: str) -> Stairwell | None:
    """Return one stairwell of the caller's territory."""
    row = (
        session.execute(
            _stairwells(session).where(
                # The key begins with the community, which the code names too.
                StairwellRow.community_code == int(code[:12]),
                StairwellRow.code == code,
            )
        )
        .mappings()
        .one_or_none()
    )
    return Stairwell(**row) if row else None


def communities_in(session: Session, box: Box) -> list[int]:
    """Return the codes of the caller's communities whose outline may meet a box, EPSG:4326."""
    return list(
        session.scalars(
            select(CommunityRow.code).where(
                in_scope(session, CommunityRow.code),
                CommunityRow.geom.op("&&")(func.ST_MakeEnvelope(*box, SRID)),
            )
        )
    )


def find_community_at(session: Session, *, lon: float, lat: float) -> tuple[int, str] | None:
    """Return code and name of the community whose outline covers a point, in any territory."""
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), SRID)
    row = session.execute(
        select(CommunityRow.code, CommunityRow.name)
        .where(CommunityRow.geom.op("&&")(point), func.ST_Covers(CommunityRow.geom, point))
        .order_by(CommunityRow.code)
        .limit(1)
    ).one_or_none()
    return row and (row.code, row.name)


def read_communities(session: Session) -> GeoDataFrame:
    """Return ``code``, ``name``, ``attribution``, ``geometry``; EPSG:4326, by code."""
    return read_frame(
        session,
        select(CommunityRow.code, CommunityRow.name, CommunityRow.attribution, CommunityRow.geom)
        .where(in_scope(session, CommunityRow.code))
        .order_by(CommunityRow.code),
    )


def read_compounds(session: Session) -> GeoDataFrame:
    """Return ``code``, ``community_code``, ``name``, ``geometry``; EPSG:4326, by code."""
    return read_frame(
        session,
        select(CompoundRow.code, CompoundRow.community_code, CompoundRow.name, CompoundRow.geom)
        .where(in_scope(session, CompoundRow.community_code), CompoundRow.retired_on.is_(None))
        .order_by(CompoundRow.code),
    )


def read_stairwells(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's stairwells as points inside them; EPSG:4326, by code.

    Returns
    -------
    GeoDataFrame
        ``code``, ``building_code``, ``compound_code``, ``label`` (compound, building and
        stairwell), ``household_count``, ``geometry`` (point).
    """
    inside = _stairwells(session).subquery()
    label = inside.c.compound_name + " " + inside.c.building_name + inside.c.name
    point = func.ST_SetSRID(func.ST_MakePoint(inside.c.lon, inside.c.lat), SRID)
    return read_frame(
        session,
        select(
            inside.c.code,
            inside.c.building_code,
            inside.c.compound_code,
            label.label("label"),
            inside.c.household_count,
            point.label("geom"),
        )
        .where(inside.c.community_code == community_code)
        .order_by(inside.c.code),
    )


def read_walkways(session: Session, *, community_code: int) -> GeoDataFrame:
    """Return a community's walkways: ``kind``, ``geometry`` (line); EPSG:4326, by id."""
    return read_frame(
        session,
        select(WalkwayRow.kind, WalkwayRow.geom)
        .where(
            in_scope(session, WalkwayRow.community_code),
            WalkwayRow.community_code == community_code,
        )
        .order_by(WalkwayRow.id),
    )


def _planner_view(layer: str) -> TableClause:
    names = (*EXPORTS[layer], "geom")
    return table(layer, *(column(name) for name in names), schema="planner")


def stream_features(session: Session, layer: str) -> Generator[str, None, None]:
    """Yield one GeoJSON feature a row, made by PostgreSQL, in the order of the id.

    One statement over the planner view.
    """
    view = _planner_view(layer)
    names = EXPORTS[layer]
    community = view.c.code if layer == "communities" else view.c.community_code
    feature = feature_text(
        feature_id=view.c[names[0]], geom=view.c.geom, properties={n: view.c[n] for n in names}
    )
    statement = (
        select(feature).where(in_scope(session, community)).order_by(community, view.c[names[0]])
    )
    with session.scalars(statement.execution_options(yield_per=1000)) as features:
        yield from features


def has_territory(session: Session, street_code: int) -> bool:
    """Tell whether a sub-district has any community yet."""
    return bool(session.scalar(select(exists().where(CommunityRow.street_code == street_code))))

"""Queries of territory: reference tables by explicit interval, facts by interval and policy."""

from collections.abc import Collection
from datetime import date
from importlib.resources import files
from typing import Any

from geopandas import GeoDataFrame
from shapely import MultiPolygon, Polygon
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    any_,
    bindparam,
    func,
    literal,
    select,
    text,
)
from sqlalchemy import literal_column as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from geodata.codes import community_of
from geodata.privacy import K
from geodata.territory import Territory
from gridsvc.db import SRID, Box, copy_frame, in_scope, read_frame, same_thing, scope_of
from gridsvc.territory.as_of import as_of
from gridsvc.territory.model import Community, Compound, Stairwell
from gridsvc.territory.tables import (
    BuildingRow,
    CommunityRow,
    CompoundRow,
    StairwellRow,
    StreetRow,
    WalkwayRow,
)

_TELL = text(
    (files("gridsvc.territory") / "sql" / "tell_households.sql").read_text(encoding="utf-8")
).bindparams(bindparam("community_codes", type_=ARRAY(BigInteger)), k=K)


def lock_territory(session: Session, street_code: int) -> None:
    """Let nobody else change or bring in grids of a sub-district until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(street_code)))


def add_street(session: Session, *, code: int, name: str) -> None:
    """Write a sub-district; one that is there keeps its name."""
    session.execute(insert(StreetRow).values(code=code, name=name).on_conflict_do_nothing())


def load(session: Session, territory: Territory, *, valid_from: date) -> dict[str, int]:
    """Copy every layer of a territory into its table; only the job role may.

    Parameters
    ----------
    valid_from
        First day of its grids.

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
    loaded = {
        layer: copy_frame(session, row, _for_table(row, frame, territory, valid_from))
        for layer, (row, frame) in layers.items()
    }
    tell_households(session, territory.communities["code"].tolist())
    return loaded


def tell_households(session: Session, community_codes: Collection[int]) -> None:
    """Decide anew how many households of some communities others than staff are told of.

    To be called by whoever changed household counts, or which stairwells there are.
    """
    session.execute(_TELL, {"community_codes": list(community_codes)})


def _for_table(
    row: type[Any], frame: GeoDataFrame, territory: Territory, valid_from: date
) -> GeoDataFrame:
    if row in {CompoundRow, BuildingRow, StairwellRow}:
        frame = frame.assign(valid_from=valid_from)
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
                .where(row.code == among(frame["code"].tolist(), row.code.type))
                .order_by(row.code)
            )
        ]
        for layer, (row, frame) in layers.items()
    }


def list_codes_ever(session: Session, row: Any, parents: Collection[str]) -> list[str]:
    """Return every code that grids of some parents have or had.

    Parameters
    ----------
    row
        Table class of the grids.
    parents
        Codes of what is one level above them; no parents give no codes.
    """
    digits = {len(parent) for parent in parents}
    if not digits:
        return []
    (parent_digits,) = digits
    communities = sorted({community_of(parent) for parent in parents})
    return list(
        session.scalars(
            select(row.code).where(
                in_scope(session, row.community_code),
                row.community_code == among(communities, BigInteger()),
                func.left(row.code, parent_digits) == among(parents),
            )
        )
    )


def among(values: Collection[object], kind: TypeEngine[Any] | None = None) -> Any:
    """Return what a column is to be equal to where it is to have one of some values.

    They are sent as one array, of text by default: a list of parameters ends at 65,535.
    """
    return any_(literal(list(values), ARRAY(kind or String())))


def list_communities(session: Session, *, on: date | None = None) -> list[Community]:
    """Return the caller's communities with their counts on a day (default: now), by code."""
    compound, stairwell = as_of(CompoundRow, on), as_of(StairwellRow, on)
    compounds = _count_by_community(session, compound, func.count())
    stairwells = _count_by_community(session, stairwell, func.count())
    households = _count_by_community(session, stairwell, func.sum(stairwell.household_count))
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


def _count_by_community(session: Session, row: Any, measure: ColumnElement[int]) -> dict[int, int]:
    statement = (
        select(row.community_code, measure)
        .where(in_scope(session, row.community_code))
        .group_by(row.community_code)
    )
    return {code: int(count) for code, count in session.execute(statement)}


def _compounds(session: Session, compound: Any, on: date | None) -> Select[*tuple[Any, ...]]:
    stairwell = as_of(StairwellRow, on)
    counts = (
        select(
            func.count(stairwell.building_code.distinct()).label("building_count"),
            func.count().label("stairwell_count"),
            func.coalesce(func.sum(stairwell.household_count), 0).label("household_count"),
        )
        .where(
            stairwell.community_code == compound.community_code,
            stairwell.compound_code == compound.code,
        )
        .lateral()
    )
    households = compound.told_household_count if _is_told_less(session) else counts.c[2]
    centre = func.ST_PointOnSurface(compound.geom)
    return (
        select(
            compound.community_code,
            compound.code,
            compound.name,
            compound.built_year,
            compound.is_demonstration,
            counts.c.building_count,
            counts.c.stairwell_count,
            households.label("household_count"),
            compound.version,
            compound.valid_from,
            func.ST_X(centre).label("lon"),
            func.ST_Y(centre).label("lat"),
        )
        .join(counts, sql_text("true"))
        .where(in_scope(session, compound.community_code))
    )


def list_compounds(
    session: Session,
    *,
    community_code: int | None = None,
    name_part: str | None = None,
    codes: Collection[str] | None = None,
    on: date | None = None,
    after: str = "",
    limit: int,
) -> list[Compound]:
    """Return compounds after a code, by code; ``name_part`` is looked for as it is."""
    compound = as_of(CompoundRow, on)
    statement = _compounds(session, compound, on).where(compound.code > after)
    if community_code is not None:
        statement = statement.where(compound.community_code == community_code)
    if name_part is not None:
        statement = statement.where(compound.name.contains(name_part, autoescape=True))
    if codes is not None:
        statement = statement.where(compound.code.in_(codes))
    rows = session.execute(statement.order_by(compound.code).limit(limit)).mappings()
    return [Compound(**row) for row in rows]


def find_compound(session: Session, code: str, *, on: date | None = None) -> Compound | None:
    """Return one compound of the caller's territory."""
    compound = as_of(CompoundRow, on)
    statement = _compounds(session, compound, on).where(
        compound.community_code == community_of(code), compound.code == code
    )
    row = session.execute(statement).mappings().one_or_none()
    return Compound(**row) if row else None


def with_parents(
    stairwells: Select[*tuple[Any, ...]],
    *,
    stairwell: Any = StairwellRow,
    building: Any = BuildingRow,
    compound: Any = CompoundRow,
) -> Select[*tuple[Any, ...]]:
    """Join building and compound to a query of stairwells; default: whatever became of them."""
    return stairwells.join(
        building,
        same_thing(building.code, stairwell.building_code),
    ).join(
        compound,
        same_thing(compound.code, stairwell.compound_code),
    )


def _stairwells(session: Session, stairwell: Any, on: date | None) -> Select[*tuple[Any, ...]]:
    building, compound = as_of(BuildingRow, on), as_of(CompoundRow, on)
    centre = func.ST_PointOnSurface(stairwell.geom)
    named = with_parents(
        select(
            stairwell.community_code,
            stairwell.code,
            stairwell.name,
            stairwell.building_code,
            building.name.label("building_name"),
            stairwell.compound_code,
            compound.name.label("compound_name"),
            told_households(session, stairwell),
            stairwell.version,
            stairwell.valid_from,
            func.ST_Area(func.geography(stairwell.geom)).label("area_m2"),
            func.ST_X(centre).label("lon"),
            func.ST_Y(centre).label("lat"),
        ),
        stairwell=stairwell,
        building=building,
        compound=compound,
    )
    return named.where(in_scope(session, stairwell.community_code))


def told_households(session: Session, stairwell: Any = StairwellRow) -> ColumnElement[Any]:
    """Return the households of a stairwell; a planner is not told of too few."""
    is_told_less = _is_told_less(session)
    told = stairwell.told_household_count if is_told_less else stairwell.household_count
    return told.label("household_count")  # type: ignore[no-any-return]


def _is_told_less(session: Session) -> bool:
    return scope_of(session).role == "planner"


def list_stairwells(
    session: Session,
    *,
    compound_code: str | None = None,
    codes: Collection[str] | None = None,
    on: date | None = None,
    after: str = "",
    limit: int,
) -> list[Stairwell]:
    """Return stairwells after a code, by code."""
    stairwell = as_of(StairwellRow, on)
    statement = _stairwells(session, stairwell, on).where(stairwell.code > after)
    if compound_code is not None:
        statement = statement.where(stairwell.compound_code == compound_code)
    if codes is not None:
        statement = statement.where(stairwell.code.in_(codes))
    rows = session.execute(statement.order_by(stairwell.code).limit(limit)).mappings()
    return [Stairwell(**row) for row in rows]


def find_stairwell(session: Session, code: str, *, on: date | None = None) -> Stairwell | None:
    """Return one stairwell of the caller's territory."""
    stairwell = as_of(StairwellRow, on)
    statement = _stairwells(session, stairwell, on).where(
        # The key begins with the community, which the code names too.
        stairwell.community_code == community_of(code),
        stairwell.code == code,
    )
    row = session.execute(statement).mappings().one_or_none()
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


def list_street_codes(session: Session) -> list[int]:
    """Return the codes of every sub-district, in order."""
    return list(session.scalars(select(StreetRow.code).order_by(StreetRow.code)))


def is_community(session: Session, code: int) -> bool:
    """Tell whether there is such a community, in any territory."""
    found = session.scalar(select(CommunityRow.code).where(CommunityRow.code == code))
    return found is not None


def list_community_names(session: Session) -> list[tuple[int, str]]:
    """Return code and name of every community, in any territory, by code."""
    rows = session.execute(select(CommunityRow.code, CommunityRow.name).order_by(CommunityRow.code))
    return [(row.code, row.name) for row in rows]


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
    inside = _stairwells(session, as_of(StairwellRow, None), None).subquery()
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

"""Queries that write an applied import into the territory, and of what it is still to cut."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from uuid import UUID

from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from sqlalchemy import String, any_, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from gridsvc.territory.importing.grids_store import in_street
from gridsvc.territory.importing.layers import GRID_LAYERS
from gridsvc.territory.importing.model import Layer
from gridsvc.territory.importing.statements import (
    ewkb_of,
    load_statement,
    planning_once,
    read_shapes,
)
from gridsvc.territory.tables import BuildingRow, StairwellRow

_APPLY = {layer: load_statement(f"apply_{layer}") for layer in GRID_LAYERS}
_APPLY_HOUSEHOLDS = load_statement("apply_households")
_ADD_STAIRWELLS = load_statement("add_stairwells")


@contextmanager
def joining_by_hash(session: Session) -> Iterator[None]:
    """Keep the planner from nested loops: it takes rows just staged for one row, of ten thousand.

    Nobody has counted them yet, and the API role may not have them counted.
    """
    session.execute(text("SET LOCAL enable_nestloop = off"))
    with planning_once(session):
        yield
    session.execute(text("SET LOCAL enable_nestloop TO DEFAULT"))


def apply(
    session: Session,
    *,
    layer: Layer,
    street_code: int,
    import_id: UUID,
    plan: DataFrame,
    valid_from: date,
    reason: str,
) -> tuple[int, int]:
    """Do what is planned for the staged rows; return how many grids were added and changed.

    Parameters
    ----------
    plan
        ``row``, ``code``, ``outcome``; only what is to be added or changed matters.
    """
    chosen = plan[plan["outcome"].isin(("added", "changed"))]
    added, changed = session.execute(
        _APPLY[layer],
        {
            "street_code": street_code,
            "import_id": import_id,
            **{f"{name}s": chosen[name].tolist() for name in ("row", "code", "outcome")},
            "valid_from": valid_from,
            "reason": reason,
        },
    ).one()
    return int(added), int(changed)


def apply_households(session: Session, counts: Series, *, valid_from: date, reason: str) -> int:
    """Write counts of households, by stairwell code, and return how many."""
    changed = session.scalar(
        _APPLY_HOUSEHOLDS,
        {
            "codes": [str(code) for code in counts.index],
            "counts": [int(count) for count in counts],
            "valid_from": valid_from,
            "reason": reason,
        },
    )
    return int(changed or 0)


def read_uncut(session: Session, street_code: int, codes: Sequence[str]) -> GeoDataFrame:
    """Return those of some buildings that have no living stairwell; EPSG:4326, by code.

    Returns
    -------
    GeoDataFrame
        ``code``, ``geometry``.
    """
    row = BuildingRow
    living = (
        select(StairwellRow.code)
        .where(
            StairwellRow.community_code == row.community_code,
            StairwellRow.building_code == row.code,
            StairwellRow.retired_on.is_(None),
        )
        .exists()
    )
    statement = (
        select(row.code, func.ST_AsBinary(row.geom).label("geom"))
        .where(
            *in_street(session, row.community_code, street_code),
            row.code == any_(literal(list(codes), ARRAY(String))),
            ~living,
        )
        .order_by(row.code)
    )
    return read_shapes(session, statement)


def add_stairwells(session: Session, stairwells: GeoDataFrame, *, valid_from: date) -> int:
    """Add stairwells (``code``, ``name``, polygons in EPSG:4326) and return how many."""
    return int(
        session.scalar(
            _ADD_STAIRWELLS,
            {
                "valid_from": valid_from,
                "codes": stairwells["code"].tolist(),
                "names": stairwells["name"].tolist(),
                "shapes": ewkb_of(stairwells),
            },
        )
        or 0
    )

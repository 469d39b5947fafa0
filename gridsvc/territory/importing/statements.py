"""Statements that are kept as files, and shapes on their way into them and out of queries."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame
from sqlalchemy import BigInteger, Date, Select, TextClause, bindparam, text
from sqlalchemy.orm import Session

from geodata.crs import GEOGRAPHIC
from gridsvc.db import SRID

_SQL = files("gridsvc.territory.importing") / "sql"


def load_statement(name: str) -> TextClause:
    """Return a statement of the folder ``sql``, its parameters bound with their types."""
    statement = text((_SQL / f"{name}.sql").read_text(encoding="utf-8"))
    given: dict[str, Any] = {"street_code": BigInteger, "valid_from": Date}
    known = [one for one in given if f":{one}" in statement.text]
    return statement.bindparams(*(bindparam(one, type_=given[one]) for one in known))


@contextmanager
def planning_once(session: Session) -> Iterator[None]:
    """Let the checks of foreign keys keep their plan, of ten thousand rows in one statement.

    Connections plan every statement anew, because a plan fits one scope only. The checks are made
    by the owner of the tables, past the policies, and find one row by its key.
    """
    session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    yield
    session.execute(text("SET LOCAL plan_cache_mode TO DEFAULT"))


def ewkb_of(rows: GeoDataFrame) -> list[bytes | None]:
    """Return the shapes of rows, EPSG:4326, as statements take them; None for a missing one."""
    return list(shapely.to_wkb(shapely.set_srid(rows.geometry.to_numpy(), SRID), include_srid=True))


def read_shapes(session: Session, statement: Select[*tuple[Any, ...]]) -> GeoDataFrame:
    """Read rows whose last column is WKB, EPSG:4326; a missing geometry stays missing.

    All shapes are read at once: `gridsvc.db.read_frame` takes each by itself.
    """
    found = session.execute(statement)
    names = list(found.keys())
    table = DataFrame(found.all(), columns=names)
    shapes = np.empty(len(table), dtype=object)
    shapes[:] = [None if one is None else bytes(one) for one in table[names[-1]]]
    return GeoDataFrame(
        table.drop(columns=names[-1]), geometry=shapely.from_wkb(shapes), crs=GEOGRAPHIC
    )

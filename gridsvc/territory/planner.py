"""What leaves the house by the views of the schema ``planner``, for a library with its own SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine, func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gridsvc.db import (
    NOBODY,
    Box,
    Database,
    Scope,
    ScopedSession,
    clear_connection_errors,
    in_scope,
    make_engine,
)
from gridsvc.errors import UnfitQueryError
from gridsvc.setup import CATALOG
from gridsvc.territory.as_of import as_of, within
from gridsvc.territory.tables import BuildingRow, CommunityRow, CompoundRow, StairwellRow

_COLUMNS = (files("gridsvc.territory") / "sql" / "planner_columns.sql").read_text(encoding="utf-8")
_GRIDS: Mapping[str, Any] = {
    "compounds": CompoundRow,
    "buildings": BuildingRow,
    "stairwells": StairwellRow,
}
DATED_VIEWS = frozenset(_GRIDS)
"""Views of grids, of which it is known what they were on a day."""
# What a caller's filter can bring about; every other error of the database is one of ours.
_UNFIT = (
    psycopg.DataError,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.CannotCoerce,
    psycopg.errors.AmbiguousFunction,
    psycopg.errors.IndeterminateDatatype,
    psycopg.errors.StatementTooComplex,
)


@dataclass(frozen=True)
class Days:
    """A day, or the days from one to another, both of them; an end that is absent is open."""

    first: date | None
    last: date | None


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view; ``geometry_type`` and ``srid`` where it is a geometry."""

    view: str
    description: str | None
    name: str
    type: str
    geometry_type: str | None
    srid: int | None


def read_columns(database: Database) -> list[ViewColumn]:
    """Return the columns of the views that are published, by view, in their order.

    Published is what the role gridsvc_catalog may read, and that role is asked where it can log in
    without a password, as in the embedded database. Elsewhere there is one connection only, that of
    the API role; without a scope it sees no row either, and the query reads no table of ours.

    Raises
    ------
    DatabaseDownError
        The database does not answer.
    """
    url = database.engine.url
    if url.password is None:
        engine = make_engine(url.set(username=CATALOG).render_as_string(), pool_size=1)
        try:
            return _read_columns(engine)
        except OperationalError:
            pass  # no such login here, or the database is down: the API role will say which
        finally:
            engine.dispose()
    with clear_connection_errors(), database.session(NOBODY, read_only=True) as session:
        return [ViewColumn(*row) for row in session.execute(text(_COLUMNS))]


def _read_columns(engine: Engine) -> list[ViewColumn]:
    with engine.connect() as connection:
        return [ViewColumn(*row) for row in connection.execute(text(_COLUMNS))]


def read_extent(session: Session) -> Box | None:
    """Return the box round the outlines of the caller's communities; nothing where there is none.

    Returns
    -------
    tuple
        ``xmin, ymin, xmax, ymax``, degrees, EPSG:4326.
    """
    box = func.ST_Extent(CommunityRow.geom)
    sides = [getattr(func, f"ST_{side}")(box) for side in ("XMin", "YMin", "XMax", "YMax")]
    found = session.execute(select(*sides).where(in_scope(session, CommunityRow.code))).one()
    return None if found[0] is None else (found[0], found[1], found[2], found[3])


def dated_query(view: str, columns: Sequence[str], days: Days) -> str:
    """Return a query with the columns of a view, of its grids as they were; EPSG:4326.

    For a library that writes the statement round it: there is nothing in it to be bound. The
    policies of the tables hold in it as they hold in the view.

    Parameters
    ----------
    view
        One of `DATED_VIEWS`.
    columns
        Names of the view's columns.
    days
        See `gridsvc.territory.as_of.within`.
    """
    row = _grids(_GRIDS[view], days)
    told = [_told(row, name).label(name) for name in columns]
    inner = select(*told).subquery(view)
    # Columns named outside would be turned into the form in which frames are read.
    query = select(text("*")).select_from(inner)
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _grids(row: Any, days: Days) -> Any:
    # Of one day each grid has one version: nothing has to be sorted, and a box uses the index.
    is_day = days.first is not None and days.first == days.last
    return as_of(row, days.first) if is_day else within(row, days.first, days.last)


def _told(row: Any, name: str) -> Any:
    """Return a column; of households only what is told, as the view does."""
    return getattr(row, "told_household_count" if name == "household_count" else name)


class PlannerReader:
    """One read-only transaction in a caller's scope, for statements that we have not written.

    Each call blocks, so callers of an event loop hand it to a thread; one at a time.

    Parameters
    ----------
    timeout_s
        Longest time of one statement.
    """

    def __init__(self, database: Database, scope: Scope, *, timeout_s: int) -> None:
        self._database = database
        self._scope = scope
        self._timeout_s = timeout_s
        self._session: ScopedSession | None = None
        self._cursor: psycopg.RawCursor[dict[str, Any]] | None = None

    def open(self) -> None:
        """Take a connection and begin: READ ONLY, with the settings that the policies read.

        Raises
        ------
        DatabaseDownError
            The database does not answer.
        """
        with clear_connection_errors():
            self._session = self._database.session(self._scope, read_only=True)
            connection = self._session.connection()
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{self._timeout_s:d}s'")
            raw = connection.connection.driver_connection
            assert isinstance(raw, psycopg.Connection)  # noqa: S101 (the engine's driver)
            # Raw: placeholders are $1, and a percent sign in a filter is one.
            self._cursor = psycopg.RawCursor(raw, row_factory=dict_row)

    def fetch(self, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a statement.

        Raises
        ------
        UnfitQueryError
            The filter compares what cannot be compared, or holds a value that is none.
        QueryTooSlowError
            It took longer than allowed.
        """
        assert self._cursor is not None  # noqa: S101 (opened by whoever made this)
        with clear_connection_errors():
            try:
                self._cursor.execute(statement, list(parameters) or None, prepare=False)
                return self._cursor.fetchall()
            except _UNFIT as error:
                raise UnfitQueryError from error
            except psycopg.InternalError as error:
                # PostGIS says so of a polygon that crosses itself: ours do not, by constraint.
                if "st_geomfromgeojson(" not in statement:
                    raise
                raise UnfitQueryError from error

    def close(self) -> None:
        """Roll back and give the connection back; the settings end with the transaction."""
        if self._cursor is not None:
            self._cursor.close()
        if self._session is not None:
            self._session.close()

"""Sessions that know whose territory they may see, and frames to and from PostGIS.

A `Scope` is set with ``SET LOCAL`` at the start of every transaction; the row-level policies read
it. Without a scope there are no rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import geopandas
import psycopg
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from pyproj import CRS
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Engine,
    MetaData,
    Select,
    and_,
    create_engine,
    event,
    false,
    func,
    make_url,
    or_,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    Session,
    SessionTransaction,
    mapped_column,
)
from uuid_utils.compat import uuid7

from geodata.heat import MAX_LAT_DEG, cells_of
from gridsvc.errors import (
    DatabaseDownError,
    DatabaseFullError,
    GridsvcError,
    QueryTooSlowError,
    TooManyIntervalsError,
)

SCHEMA = "gridsvc"
SRID = 4326
MAX_INTERVALS = 4
# Compiling, and starting workers for a few hundred rows, cost more than our short queries. A plan
# depends on the scope that the policies read, so none is kept for the next caller: a box that took
# 4 ms took 300 with the general plan that a connection settles on at the tenth use.
_PLANNING = "-c jit=off -c min_parallel_table_scan_size=64MB -c plan_cache_mode=force_custom_plan"
_IDLE_S = 120


class Base(DeclarativeBase):
    """Base of every table class; one schema, predictable constraint names."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        },
    )


class FactMixin:
    """A fact: its first key column is the code of the community it belongs to."""

    community_code: Mapped[int] = mapped_column(BigInteger, primary_key=True, sort_order=-10)


@dataclass(frozen=True)
class Interval:
    """A closed range of administrative codes: a community, or a whole sub-district."""

    lo: int
    hi: int

    @classmethod
    def of(cls, code: int) -> "Interval":
        """Return the interval that a 12-digit code governs.

        Examples
        --------
        >>> Interval.of(440605011016)
        Interval(lo=440605011016, hi=440605011016)
        >>> Interval.of(440605011000)
        Interval(lo=440605011000, hi=440605011999)
        """
        return cls(code, code if code % 1000 else code + 999)


@dataclass(frozen=True)
class Scope:
    """Who asks, as the row-level policies see it.

    Attributes
    ----------
    role
        resident, contact, patrol, coordinator, planner, administrator, or job.
    intervals
        At most four; empty: no rows of any territory.
    person
        The member behind the account, where there is one.
    report
        The incident that a resident follows by its link.
    account
        Who it is, for the audit trail; the policies read it for the account's own inbox only.
    """

    role: str
    intervals: tuple[Interval, ...] = ()
    person: UUID | None = None
    report: UUID | None = None
    account: UUID | None = None

    def __post_init__(self) -> None:
        """Refuse more intervals than the policies have slots."""
        if len(self.intervals) > MAX_INTERVALS:
            raise TooManyIntervalsError(len(self.intervals), MAX_INTERVALS)


NOBODY = Scope(role="resident")


def make_engine(url: str, *, pool_size: int = 5, statement_timeout_s: int = 30) -> Engine:
    """Return an engine whose connections run with ``jit`` off and bounds to what they hold up.

    Parameters
    ----------
    statement_timeout_s
        Longest time of a statement. Waiting for a lock may take a third of it, and a transaction
        may stay idle for as long, but two minutes at least: a solver, or a slow reader of an
        export, keeps one open while it does nothing with it.
    """
    timeouts_s = {
        "statement_timeout": statement_timeout_s,
        "lock_timeout": max(1, statement_timeout_s // 3),
        "idle_in_transaction_session_timeout": max(_IDLE_S, statement_timeout_s),
    }
    bounds = " ".join(f"-c {name}={seconds}s" for name, seconds in timeouts_s.items())
    options = f"{_PLANNING} {bounds} -c timezone=UTC"
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),  # also for a bare postgresql://
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 5},
        hide_parameters=True,  # errors are logged, and parameters are people's data
    )


class ScopedSession(Session):
    """A session that tells the database its scope at the start of each transaction."""


@dataclass(frozen=True)
class Database:
    """An engine, and whether its spatial indexes work under row-level security.

    Attributes
    ----------
    is_leakproof
        ``geometry_overlaps`` is marked; otherwise map queries use the tile key.
    """

    engine: Engine
    is_leakproof: bool = True

    def session(self, scope: Scope, *, read_only: bool = False) -> ScopedSession:
        """Open a session; the caller commits, rolls back and closes."""
        return ScopedSession(self.engine, info=self._info(scope, read_only=read_only))

    def bound_session(self, connection: Connection, scope: Scope) -> ScopedSession:
        """Open a session on a connection that somebody else owns; its commits are savepoints."""
        return ScopedSession(
            connection,
            info=self._info(scope, read_only=False),
            join_transaction_mode="create_savepoint",
        )

    def _info(self, scope: Scope, *, read_only: bool) -> dict[str, object]:
        return {"scope": scope, "read_only": read_only, "is_leakproof": self.is_leakproof}


@event.listens_for(ScopedSession, "after_begin")
def _tell_scope(session: Session, _: SessionTransaction, connection: Connection) -> None:
    """Send all settings in one statement; integers and known words only, so nothing is quoted."""
    statement = scope_statement(scope_of(session), read_only=session.info["read_only"])
    connection.exec_driver_sql(statement)


def scope_statement(scope: Scope, *, read_only: bool) -> str:
    """Return the ``SET LOCAL`` statements of a scope: SET takes no bind parameters."""
    settings = ["SET TRANSACTION READ ONLY"] if read_only else []
    settings.append(f"SET LOCAL app.role = '{_word(scope.role)}'")
    for slot, interval in enumerate(scope.intervals, start=1):
        settings.append(f"SET LOCAL app.lo{slot} = '{interval.lo:d}'")
        settings.append(f"SET LOCAL app.hi{slot} = '{interval.hi:d}'")
    if scope.person:
        settings.append(f"SET LOCAL app.person = '{UUID(str(scope.person))}'")
    if scope.report:
        settings.append(f"SET LOCAL app.report = '{UUID(str(scope.report))}'")
    if scope.account:
        settings.append(f"SET LOCAL app.account = '{UUID(str(scope.account))}'")
    return "; ".join(settings)


def _word(role: str) -> str:
    """Return a role, which may hold ASCII letters only."""
    if not (role.isascii() and role.isalpha()):
        raise ValueError(role)
    return role


def scope_of(session: Session) -> Scope:
    """Return the scope of a session; a session without one is a mistake of ours."""
    scope = session.info["scope"]
    assert isinstance(scope, Scope)  # noqa: S101  (narrows the untyped info dictionary)
    return scope


def refresh_statistics(session: Session) -> None:
    """Let the planner count the rows again after a bulk load, as the job."""
    session.execute(select(func.gridsvc.refresh_statistics()))


Box = tuple[float, float, float, float]


def in_scope(
    session: Session, column: InstrumentedAttribute[int] | ColumnElement[int]
) -> ColumnElement[bool]:
    """Return the caller's territory as a condition: the first wall, before the policies."""
    intervals = scope_of(session).intervals
    if not intervals:
        return false()
    return or_(*(_is_in(column, interval) for interval in intervals))


def _is_in(
    column: InstrumentedAttribute[int] | ColumnElement[int], interval: Interval
) -> ColumnElement[bool]:
    # With one code, an index on (community_code, time, id) gives the newest rows in order.
    if interval.lo == interval.hi:
        return column == interval.lo
    return column.between(interval.lo, interval.hi)


def same_thing(
    one: InstrumentedAttribute[Any], other: InstrumentedAttribute[Any]
) -> ColumnElement[bool]:
    """Return the condition that columns of two tables name one thing of one community.

    Codes and ids are keys within a community, as the tables are: a join by the code alone finds
    the same rows without their index.
    """
    left, right = one.parent.entity, other.parent.entity
    return and_(left.community_code == right.community_code, one == other)


def act_for(session: Session, interval: Interval) -> None:
    """Widen the scope of this transaction by one interval; the caller has decided that it may."""
    scope = scope_of(session)
    # The policies have four slots: where all are taken, the last one makes room.
    kept = scope.intervals[: MAX_INTERVALS - 1]
    session.info["scope"] = replace(scope, intervals=(*kept, interval))
    session.connection().exec_driver_sql(scope_statement(scope_of(session), read_only=False))


@contextmanager
def acting_as(session: Session, role: str) -> Iterator[None]:
    """Let statements of ours run in another role of the same territory; the caller has decided.

    What a visitor's request leads to, and the visitor may not: that a report is counted, say.
    """
    own = scope_of(session)
    try:
        _take_scope(session, replace(own, role=role))
        yield
    except BaseException:
        session.info["scope"] = own  # the transaction is over; the next one begins with the own
        raise
    _take_scope(session, own)


def _take_scope(session: Session, scope: Scope) -> None:
    session.info["scope"] = scope
    session.connection().exec_driver_sql(scope_statement(scope, read_only=False))


def new_id() -> UUID:
    """Return a UUIDv7: made by the writer, ordered by time."""
    return uuid7()


def read_frame(
    session: Session, statement: Select[*tuple[Any, ...]], *, crs: CRS | None = None
) -> GeoDataFrame:
    """Read a query with a column ``geom`` as a frame.

    Parameters
    ----------
    statement
        Selects ``geom`` (geometry) among its columns.
    crs
        What the geometries are in; default EPSG:4326, as stored.

    Returns
    -------
    GeoDataFrame
        A row for each row, ``geom`` renamed to ``geometry``; empty for no rows.
    """
    frame = geopandas.read_postgis(statement, session.connection(), geom_col="geom", crs=crs)  # type: ignore[call-overload]
    renamed: GeoDataFrame = frame.rename_geometry("geometry")
    return renamed if renamed.crs else renamed.set_crs(SRID)


def copy_frame(session: Session, row: type[Base], frame: DataFrame) -> int:
    """Copy a frame into a table by ``COPY``; only the job role may (RLS refuses COPY).

    Parameters
    ----------
    row
        Table class; the columns of ``frame`` are its columns, ``geometry`` goes to ``geom``.
    frame
        EPSG:4326 where it has a geometry. Empty copies nothing.

    Returns
    -------
    int
        Rows copied.
    """
    if frame.empty:
        return 0
    columns: dict[str, Sequence[object]] = {
        str(name): plain_values(frame[name]) for name in frame.columns if name != "geometry"
    }
    if "geometry" in frame.columns:
        columns["geom"] = _as_ewkb_hex(frame)
    names = ", ".join(f'"{name}"' for name in columns)
    raw = session.connection().connection.driver_connection
    assert raw is not None  # noqa: S101  (a checked-out connection has a driver connection)
    target = f"COPY {SCHEMA}.{row.__tablename__} ({names}) FROM STDIN"
    with raw.cursor() as cursor, cursor.copy(target) as copy:
        for record in zip(*columns.values(), strict=True):
            copy.write_row(record)
    return len(frame)


def _as_ewkb_hex(frame: DataFrame) -> list[str]:
    geometries = shapely.set_srid(frame["geometry"].to_numpy(), SRID)
    return list(shapely.to_wkb(geometries, hex=True, include_srid=True))


def plain_values(column: Series) -> list[object]:
    """Return the values of a column as the driver takes them, with None for what is missing."""
    return list(column.astype(object).where(column.notna(), None))


@contextmanager
def clear_connection_errors() -> Iterator[None]:
    """Say in one sentence that the database is down, full, or too slow for this request.

    COPY bypasses SQLAlchemy, so the driver's own errors arrive here as well.
    """
    try:
        yield
    except OperationalError as error:
        raise _plain_error(error.orig) from error
    except InternalError as error:
        if not isinstance(error.orig, psycopg.errors.IdleInTransactionSessionTimeout):
            raise
        raise QueryTooSlowError from error
    except psycopg.OperationalError as error:
        raise _plain_error(error) from error


def _plain_error(error: BaseException | None) -> GridsvcError:
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
        return QueryTooSlowError()
    if isinstance(error, psycopg.errors.DiskFull):
        return DatabaseFullError()
    return DatabaseDownError()


def in_box(session: Session, row: Any, box: Box, *, margin_cells: int) -> ColumnElement[bool]:
    """Return the condition that a row's geometry meets a box, in a form that uses an index.

    Parameters
    ----------
    row
        Table class with ``geom``, ``cell_x`` and ``cell_y``.
    box
        ``xmin, ymin, xmax, ymax`` in degrees, EPSG:4326.
    margin_cells
        Half the size of the table's largest geometry, in zoom-20 cells of about 38 m at the
        equator; used by the tile key only.
    """
    shape = func.ST_MakeEnvelope(*box, SRID)
    if session.info["is_leakproof"]:
        return and_(row.geom.op("&&")(shape), func.ST_Intersects(row.geom, shape))
    # A tile's margin may reach beyond the square that cells cover.
    lon = [max(box[0], -180.0), min(box[2], 180.0)]
    lat = [min(box[3], MAX_LAT_DEG), max(box[1], -MAX_LAT_DEG)]
    x, y = cells_of(lon=lon, lat=lat)
    return and_(
        row.cell_x.between(int(x[0]) - margin_cells, int(x[1]) + margin_cells),
        row.cell_y.between(int(y[0]) - margin_cells, int(y[1]) + margin_cells),
        func.ST_Intersects(row.geom, shape),
    )

"""Which collections there are: read once, and bound to the caller at each request.

The catalogue holds names and types of columns, and nothing of any territory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from time import monotonic
from typing import Annotated

from fastapi import Depends, Path, Request
from tipg.collections import Collection, CollectionList, Column

from api.deps import PrincipalDep
from api.ogc.collections import PlannerCollection
from api.ogc.times import DaysDep
from gridsvc.db import Box, Database, Interval, Scope, clear_connection_errors
from gridsvc.errors import NotFoundError
from gridsvc.territory.planner import Days, read_columns, read_extent


@dataclass(frozen=True)
class Published:
    """How a view is offered.

    Attributes
    ----------
    key
        The column that names a feature.
    territory
        The column that says which community it belongs to.
    """

    title: str
    description: str
    key: str = "code"
    territory: str = "community_code"


# What is no line here is not offered, whatever the catalogue role may read.
PUBLISHED: Mapping[str, Published] = {
    "communities": Published("社区 communities", "Outlines of communities.", territory="code"),
    "compounds": Published("小区 compounds", "Residential compounds."),
    "buildings": Published("楼栋 buildings", "Buildings of the compounds."),
    "stairwells": Published("楼道 stairwells", "Stairwells, the base grid."),
    "walkways": Published("步行路段 walkways", "Streets and footpaths to walk.", key="id"),
    "heat": Published("热力 heat", "Released heat cells: small counts are merged.", key="id"),
}
# How long a caller's extent is believed; outlines change by an import only.
_EXTENT_S = 300.0


class Catalogue:
    """Columns of the views, read once; and where the territory of a caller lies.

    Extents are kept a while by what a caller may see, so that no caller gets another's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._columns: dict[str, list[Column]] | None = None
        self._extents: dict[tuple[Interval, ...], tuple[float, Box | None]] = {}
        self._lock = Lock()

    def columns(self) -> dict[str, list[Column]]:
        """Return the columns of each published view, by its name.

        Raises
        ------
        DatabaseDownError
            They have not been read yet, and the database does not answer.
        """
        with self._lock:
            if self._columns is None:
                found = read_columns(self._database)
                self._columns = {
                    view: [
                        Column(
                            name=column.name,
                            type=column.type,
                            geometry_type=column.geometry_type,
                            srid=column.srid,
                        )
                        for column in columns
                    ]
                    for view, columns in groupby(found, key=lambda column: column.view)
                    if view in PUBLISHED
                }
            return self._columns

    def collections(self, scope: Scope) -> list[PlannerCollection]:
        """Return every collection as a caller may see it, in the order of `PUBLISHED`."""
        columns, extent = self.columns(), self._extent(scope)
        return [
            _collection(view, columns[view], scope, extent) for view in PUBLISHED if view in columns
        ]

    def find(
        self, view: str, scope: Scope, *, days: Days | None = None
    ) -> PlannerCollection | None:
        """Return one of them, on some days; nothing where there is none of that name."""
        columns = self.columns()
        if view not in columns:
            return None
        return _collection(view, columns[view], scope, self._extent(scope), days)

    def _extent(self, scope: Scope) -> Box | None:
        until, box = self._extents.get(scope.intervals, (0.0, None))
        if monotonic() > until:
            with (
                clear_connection_errors(),
                self._database.session(scope, read_only=True) as session,
            ):
                box = read_extent(session)
            self._extents[scope.intervals] = (monotonic() + _EXTENT_S, box)
        return box


def _collection(
    view: str,
    columns: list[Column],
    scope: Scope,
    extent: Box | None,
    days: Days | None = None,
) -> PlannerCollection:
    offered = PUBLISHED[view]
    bounds = list(extent) if extent else [-180.0, -90.0, 180.0, 90.0]
    own = [
        column.model_copy(update={"bounds": bounds} if column.is_geometry else {})
        for column in columns
    ]
    return PlannerCollection(
        type="Table",
        id=view,
        table=view,
        schema="planner",
        title=offered.title,
        description=offered.description,
        table_columns=own,
        properties=own,
        id_column=next(column for column in own if column.name == offered.key),
        geometry_column=next(column for column in own if column.is_geometry),
        intervals=scope.intervals,
        territory=offered.territory,
        days=days,
    )


def get_catalogue(request: Request) -> Catalogue:
    """Return the catalogue of the app."""
    found = request.app.state.catalogue
    assert isinstance(found, Catalogue)  # noqa: S101 (narrows the untyped state)
    return found


CatalogueDep = Annotated[Catalogue, Depends(get_catalogue)]


def find_collection(
    catalogue: CatalogueDep,
    principal: PrincipalDep,
    collection_id: Annotated[str, Path(alias="collectionId", description="A collection's id.")],
    days: DaysDep,
) -> PlannerCollection:
    """Return a collection for the caller, as it was on the days that are asked for.

    Raises
    ------
    NotFoundError
        There is none of that id.
    """
    found = catalogue.find(collection_id, principal.scope, days=days)
    if found is None:
        raise NotFoundError("collection", collection_id)
    return found


CollectionDep = Annotated[PlannerCollection, Depends(find_collection)]


def list_collections(catalogue: CatalogueDep, principal: PrincipalDep) -> CollectionList:
    """Return every collection for the caller."""
    found: list[Collection] = [*catalogue.collections(principal.scope)]
    return CollectionList(collections=found, matched=len(found), next=None, prev=None)

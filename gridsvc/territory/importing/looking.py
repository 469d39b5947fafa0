"""A file beside the territory, whatever its layer."""

from datetime import date

from geopandas import GeoDataFrame
from sqlalchemy.orm import Session

from gridsvc.errors import NotFoundError
from gridsvc.territory.importing import grids_store
from gridsvc.territory.importing.doors import with_entrances
from gridsvc.territory.importing.examine import examine
from gridsvc.territory.importing.findings import Findings
from gridsvc.territory.importing.households import examine_households
from gridsvc.territory.importing.layers import GRID_LAYERS
from gridsvc.territory.importing.model import Layer


def require_street(session: Session, street_code: int) -> None:
    """Refuse a sub-district that has no community yet.

    Raises
    ------
    NotFoundError
        There is none.
    """
    if not grids_store.has_street(session, street_code):
        raise NotFoundError("community in the sub-district", street_code)


def look_at(
    session: Session,
    layer: Layer,
    street_code: int,
    rows: GeoDataFrame,
    *,
    valid_from: date,
    entrances: GeoDataFrame | None = None,
) -> Findings:
    """Say what stands against rows of a file, and what they would do; EPSG:4326.

    Parameters
    ----------
    rows
        As `gridsvc.territory.importing.source.Source` has them.
    valid_from
        First day on which the grids are as the file says.
    entrances
        Those of the buildings of a file, where they came with it.
    """
    if layer == "households":
        return examine_households(session, street_code, rows, valid_from=valid_from)
    found = examine(session, GRID_LAYERS[layer], street_code, rows, valid_from=valid_from)
    return found if entrances is None else with_entrances(found, entrances)

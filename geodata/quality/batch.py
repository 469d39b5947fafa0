"""The features under inspection as arrays, by row, and the faults noted on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.crs import GEOGRAPHIC
from geodata.errors import UndeclaredCRSError
from geodata.quality.findings import Fault, note_faults
from geodata.quality.kinds import Severity
from geodata.quality.pieces import Positions, Shapes, joined, only, polygon_parts
from geodata.reasons import Reason

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Batch:
    """The features of a file, by row.

    Attributes
    ----------
    rows
        Number of each in its source.
    codes, parent_codes
        As the file has them, trimmed; None where it has none.
    shapes
        As the file has them, EPSG:4326, any type; None where missing.
    """

    rows: Positions
    codes: Texts
    parent_codes: Texts
    shapes: Shapes

    def faults(
        self,
        kind: str,
        at: Positions | Sequence[int],
        reasons: Sequence[Reason],
        places: Iterable[BaseGeometry | None],
        *,
        severity: Severity | Iterable[Severity] = "error",
        measures: Iterable[float] | None = None,
        unit: str = "",
        other_rows: Iterable[int | None] | None = None,
        other_codes: Iterable[str | None] | None = None,
    ) -> list[Fault]:
        """Note one fault a feature; ``at`` are places in this batch."""
        where = np.asarray(at, dtype=np.int64)
        return note_faults(
            kind,
            reasons,
            places,
            rows=self.rows[where],
            codes=self.codes[where],
            severity=severity,
            measures=measures,
            unit=unit,
            other_rows=other_rows,
            other_codes=other_codes,
        )


@dataclass(frozen=True)
class Outlines:
    """Stored shapes, parents or siblings, by code.

    Attributes
    ----------
    codes
        As text.
    shapes
        Valid, EPSG:4326, prepared.
    """

    codes: Texts
    shapes: Shapes

    def places(self) -> dict[str, int]:
        """Return the place of each code."""
        return {code: place for place, code in enumerate(self.codes)}


def read_batch(features: GeoDataFrame) -> Batch:
    """Return features, EPSG:4326 or any CRS they name, as a batch in the order of their rows.

    Raises
    ------
    UndeclaredCRSError
        The features name no CRS.
    """
    ordered = _geographic(features, "The layer").sort_values("row", kind="stable")
    return Batch(
        rows=ordered["row"].to_numpy(dtype=np.int64),
        codes=_texts(ordered, "code"),
        parent_codes=_texts(ordered, "parent_code"),
        shapes=np.asarray(ordered.geometry.array, dtype=object),
    )


def read_outlines(frame: GeoDataFrame, *, name: str) -> Outlines:
    """Return stored shapes by code, repaired where they are invalid; EPSG:4326.

    Parameters
    ----------
    frame
        ``code``, ``geometry``, in any CRS that it names.
    name
        What the frame is, for the message.

    Raises
    ------
    UndeclaredCRSError
        The frame names no CRS.
    """
    known = _geographic(frame, name)
    shapes = np.asarray(known.geometry.array, dtype=object)
    codes = _texts(known, "code")
    kept = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    kept &= np.array([code is not None for code in codes], dtype=bool)
    order = np.argsort(codes[kept].astype(str), kind="stable")
    sound = make_sound(shapes[kept][order])
    shapely.prepare(sound)
    return Outlines(codes[kept][order], sound)


def read_areas(frame: GeoDataFrame, *, name: str) -> Shapes:
    """Return the shapes of a frame as valid areas in EPSG:4326, None where there is no area.

    Raises
    ------
    UndeclaredCRSError
        The frame names no CRS.
    """
    shapes = make_sound(np.asarray(_geographic(frame, name).geometry.array, dtype=object))
    return only(shapes, np.nan_to_num(shapely.area(shapes)) > 0)


def make_sound(shapes: Shapes) -> Shapes:
    """Return valid areas: repaired where invalid, an empty polygon where no area is left.

    CRS: any; kept. Missing shapes stay missing.
    """
    sound = shapes.copy()
    broken = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    repaired = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    sound[broken] = [_really_valid(area) for area in areas_of(np.asarray(repaired, dtype=object))]
    return sound


def _really_valid(area: BaseGeometry) -> BaseGeometry:
    """Join the parts of a repair that share an edge, as GEOS (3.14 at least) leaves some."""
    if area.is_valid:
        return area
    joint = shapely.buffer(area, 0)
    return joint if joint.is_valid else shapely.Polygon()


def areas_of(shapes: Shapes) -> Shapes:
    """Return the polygons among the parts of each shape, joined; an empty polygon where none is.

    CRS: any; kept.
    """
    parts, owner = polygon_parts(shapes)
    areas: Shapes = np.full(len(shapes), shapely.Polygon(), dtype=object)
    at, place = np.unique(owner, return_inverse=True)
    areas[at] = joined(parts, place)
    return areas


def _geographic(frame: GeoDataFrame, name: str) -> GeoDataFrame:
    """Return a frame in EPSG:4326."""
    if frame.crs is None:
        raise UndeclaredCRSError(name)
    return frame.to_crs(GEOGRAPHIC)


def _texts(frame: GeoDataFrame, column: str) -> Texts:
    """Return codes as text: whole numbers without a point, None where there is nothing."""
    made = np.full(len(frame), None, dtype=object)
    if column not in frame.columns:
        return made
    for place, value in enumerate(frame[column]):
        if not pd.isna(value):
            is_whole = isinstance(value, float) and value.is_integer()
            made[place] = str(int(value) if is_whole else value).strip() or None
    return made

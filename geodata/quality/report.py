"""The quality report: faults and proposed repairs, and whether they let an import through."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame, Series
from shapely.geometry.base import BaseGeometry

from geodata.crs import GEOGRAPHIC
from geodata.quality.findings import Fault
from geodata.quality.kinds import load_kinds

ACCEPT_ALL = "all"
"""Stands among the accepted kinds for every kind of warning."""

_DTYPES = {
    "fault": "str",
    "severity": "str",
    "row": "Int64",
    "code": "object",
    "other_row": "Int64",
    "other_code": "object",
    "measure": "float64",
    "unit": "str",
    "reason": "str",
    "reason_zh": "str",
}
_REPAIR_DTYPES = {"row": "int64", "area_change_m2": "float64", "area_change_share": "float64"}


@dataclass(frozen=True)
class QualityReport:
    """What is wrong with the features of a layer; every geometry is EPSG:4326.

    Attributes
    ----------
    faults
        ``fault`` (a kind of :func:`load_kinds`), ``severity`` (``error`` or ``warning``), ``row``
        (Int64; missing where the fault is of the whole layer or of a parent), ``code``,
        ``other_row``, ``other_code`` (whom it concerns besides: a sibling, stored or in the file,
        or the parent), ``measure`` with ``unit`` (``m2``, ``m``, ``share``, or empty), ``reason``
        (an English sentence), ``reason_zh`` (the same in Chinese), ``geometry`` (the place; None
        where there is none). By row, those without one first, then by kind and by whom it concerns.
    repairs
        ``row``, ``geometry`` (valid, polygon or multipolygon), ``area_change_m2`` (area after the
        repair less the area as drawn, where loops the other way round count negative),
        ``area_change_share`` (the same as a share of the area after); by row.
    """

    faults: GeoDataFrame
    repairs: GeoDataFrame

    @property
    def errors(self) -> dict[str, int]:
        """Number of errors of each kind."""
        return self._counts("error")

    @property
    def warnings(self) -> dict[str, int]:
        """Number of warnings of each kind."""
        return self._counts("warning")

    def blocks(self, accepted: Collection[str] | None = None) -> bool:
        """Tell whether the layer must not be written.

        Parameters
        ----------
        accepted
            Kinds whose warnings are let through, or ``all``. Errors always block.
        """
        if self.errors:
            return True
        let_through = set(accepted or ())
        return ACCEPT_ALL not in let_through and not set(self.warnings) <= let_through

    def as_table(self) -> DataFrame:
        """Return the faults without geometry, for Excel or the console, in their order.

        The place of each is its ``lon`` and ``lat`` (a point on it, degrees, EPSG:4326, missing
        where there is no place).
        """
        places = shapely.point_on_surface(self.faults.geometry.to_numpy())
        table = pd.DataFrame(self.faults.drop(columns="geometry"))
        return table.assign(
            lon=np.round(shapely.get_x(places), 7), lat=np.round(shapely.get_y(places), 7)
        )

    def _counts(self, severity: str) -> dict[str, int]:
        """Count kinds of one severity, in the order of the catalogue."""
        kinds = self.faults["fault"][self.faults["severity"] == severity].value_counts()
        return {kind: int(kinds[kind]) for kind in load_kinds() if kind in kinds.index}


def apply_repairs(
    features: GeoDataFrame, report: QualityReport, *, rows: Collection[int] | None = None
) -> GeoDataFrame:
    """Put proposed repairs in the place of invalid geometries.

    Parameters
    ----------
    features
        The features that were inspected, with ``row``; EPSG:4326.
    report
        Their report.
    rows
        Rows to repair; None for every row that has a repair.

    Returns
    -------
    GeoDataFrame
        A copy; rows, order and all else unchanged. EPSG:4326.
    """
    repairs = report.repairs.set_index("row").geometry
    wanted = repairs if rows is None else repairs[repairs.index.isin(list(rows))]
    shapes = features.geometry.to_numpy().copy()
    for place, row in enumerate(features["row"]):
        if row in wanted.index:
            shapes[place] = wanted.loc[row]
    return features.set_geometry(GeoSeries(shapes, index=features.index, crs=GEOGRAPHIC))


def collect_faults(found: Iterable[Fault]) -> GeoDataFrame:
    """Return the faults that the checks found as one frame, in the report's order; EPSG:4326."""
    kinds = {kind: place for place, kind in enumerate(load_kinds())}

    def order(fault: Fault) -> tuple[int, int, int, str]:
        return fault.row or 0, kinds[fault.fault], fault.other_row or 0, fault.other_code or ""

    columns = list(zip(*sorted(found, key=order), strict=True)) or [()] * len(Fault._fields)
    faults = pd.DataFrame(
        {
            name: Series(values, dtype=_DTYPES.get(name, "object"))
            for name, values in zip(Fault._fields, columns, strict=True)
        }
    )
    return GeoDataFrame(faults, geometry="geometry", crs=GEOGRAPHIC)


def collect_repairs(
    rows: Sequence[int],
    shapes: Sequence[BaseGeometry],
    changes_m2: Sequence[float],
    shares: Sequence[float],
) -> GeoDataFrame:
    """Return repairs as a frame by row; EPSG:4326."""
    table = pd.DataFrame(
        {"row": rows, "area_change_m2": changes_m2, "area_change_share": shares}
    ).astype(_REPAIR_DTYPES)
    frame = GeoDataFrame(table, geometry=GeoSeries(list(shapes), crs=GEOGRAPHIC))
    return frame[["row", "geometry", "area_change_m2", "area_change_share"]].sort_values(
        "row", kind="stable", ignore_index=True
    )

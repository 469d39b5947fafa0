"""What a file of polygons would do to the territory, and what stands against it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import DataFrame, Series
from sqlalchemy.orm import Session

from geodata.codes import is_grid_code, next_codes
from geodata.crs import GEOGRAPHIC
from geodata.errors import SequenceOverflowError
from geodata.quality import inspect, place_in_parents
from geodata.reasons import noun, reason, reasons_in
from gridsvc.territory.importing import grids_store
from gridsvc.territory.importing.findings import (
    Findings,
    changed_later,
    faults_of_rows,
    join_faults,
)
from gridsvc.territory.importing.layers import GridLayer
from gridsvc.territory.importing.source import fields_of_rows

SAME_DEGREES = 1e-7
"""Corners this near are the same: files keep seven decimals, which is a centimetre."""
_DECIMALS = 7

Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]


@dataclass
class _Examination:
    """Rows of a file beside what is stored.

    Attributes
    ----------
    rows
        ``row``, ``code``, ``parent_code`` as the file has them, ``reason``, ``geometry``; codes
        are filled in as they are found.
    fields
        What the file says beside these; missing where it says nothing. Index of ``rows``.
    grids
        What is stored under the codes and in the parents of the file, also what ended; by code.
    """

    layer: GridLayer
    rows: GeoDataFrame
    fields: DataFrame
    parents: GeoDataFrame
    homes: Series
    grids: GeoDataFrame

    @property
    def living(self) -> GeoDataFrame:
        """The stored grids that have not ended, by code; EPSG:4326."""
        return self.grids[~self.grids["is_retired"].astype(bool)]


def examine(
    session: Session, layer: GridLayer, street_code: int, rows: GeoDataFrame, *, valid_from: date
) -> Findings:
    """Look at a file beside the territory, without changing anything.

    Parameters
    ----------
    rows
        ``row``, ``code``, ``parent_code``, ``fields`` (mapping, or JSON text), ``reason``,
        ``reason_zh``, ``geometry`` in EPSG:4326.
    valid_from
        First day on which the grids are as the file says.
    """
    known = _gather(session, layer, street_code, rows)
    _recognise(known)
    report = inspect(
        layer.name,
        known.rows[["row", "code", "parent_code", "geometry"]],
        parents=known.parents,
        siblings=known.living[["code", "geometry"]],
    )
    outcomes = _outcomes(known)
    faults = [
        _without_given_codes(report.faults, known, outcomes),
        *_own_faults(known, outcomes, valid_from),
    ]
    codes, crowded = _new_codes(known, outcomes)
    plan = DataFrame(
        {
            "row": known.rows["row"].to_numpy(),
            "code": codes.to_numpy(dtype=object),
            "parent_code": known.homes.to_numpy(dtype=object),
            "outcome": outcomes.to_numpy(dtype=object),
            **dict.fromkeys(("reason", "reason_zh"), np.full(len(rows), None, dtype=object)),
        }
    )
    features = known.rows[["row", "geometry"]]
    return Findings(features, join_faults([*faults, *crowded]), report.repairs, plan)


def _gather(
    session: Session, layer: GridLayer, street_code: int, rows: GeoDataFrame
) -> _Examination:
    parents = grids_store.read_parents(session, layer, street_code)
    rows = rows.reset_index(drop=True)
    homes = _homes(rows, parents, layer)
    grids = grids_store.read_grids(
        session,
        layer,
        street_code,
        codes=_known(rows["code"]),
        parents=_known(homes),
    )
    fields = fields_of_rows(rows).reindex(columns=list(layer.fields))
    return _Examination(layer, rows, fields, parents, homes, grids)


def _known(codes: Series) -> list[str]:
    return [str(code) for code in codes.dropna().unique()]


def _homes(rows: GeoDataFrame, parents: GeoDataFrame, layer: GridLayer) -> Series:
    """Return the parent of each row: by its code, else as it names it, else where it lies."""
    by_code = Series(
        [
            code[: layer.parent_digits]
            if isinstance(code, str) and is_grid_code(code, digits=layer.digits)
            else None
            for code in rows["code"]
        ],
        index=rows.index,
        dtype="object",
    )
    named = rows["parent_code"].astype(object).where(rows["parent_code"].notna(), None)
    homes = by_code.where(by_code.notna(), named).astype(object)
    open_rows = homes.isna()
    if open_rows.any():
        placed = place_in_parents(rows.loc[open_rows, ["geometry"]], parents)
        homes[open_rows] = placed.astype(object)
    known: Series = homes.where(homes.isin(set(parents["code"])), None)
    return known


def _recognise(known: _Examination) -> None:
    """Give rows without a code that of the stored grid of the same parent and shape."""
    rows, living = known.rows, known.living
    nameless = rows["code"].isna() & known.homes.notna()
    if not nameless.any() or living.empty:
        return
    named = set(rows["code"].dropna())
    stored: dict[tuple[str, bytes | None], str] = {
        (parent, key): code
        for parent, key, code in zip(
            living["parent_code"], _keys(living.geometry), living["code"], strict=True
        )
        if code not in named
    }
    keys = _keys(GeoSeries(rows.geometry[nameless]))
    # Each code once: what is drawn twice is a duplicate.
    found = [
        stored.pop((parent, key), None)
        for parent, key in zip(known.homes[nameless], keys, strict=True)
    ]
    codes = rows["code"].astype(object)
    codes[nameless] = found
    known.rows = rows.assign(code=codes)


def _keys(shapes: GeoSeries) -> list[bytes | None]:
    """Return texts that are equal where shapes, in EPSG:4326, are the same to a centimetre."""
    rounded = shapely.transform(
        np.asarray(shapes.array, dtype=object), lambda degrees: degrees.round(_DECIMALS)
    )
    return list(shapely.to_wkb(shapely.normalize(rounded)))


def _outcomes(known: _Examination) -> Series:
    """Say of each row whether it would be added, change a grid or leave it the same."""
    rows = known.rows
    living = known.living.set_index("code")
    is_there = rows["code"].isin(living.index).to_numpy()
    outcomes = Series(np.full(len(rows), None, dtype=object), index=rows.index)
    retired = rows["code"].isin(set(known.grids["code"]) - set(living.index))
    placed = known.homes.notna() & ~rows.geometry.isna()
    outcomes[~is_there & placed & ~retired] = "added"
    if is_there.any():
        beside = living.loc[rows["code"][is_there]]
        differs = _differing(known, is_there, beside)
        outcomes[is_there] = np.where(differs, "changed", "same")
    return outcomes


def _differing(known: _Examination, chosen: Mask, beside: GeoDataFrame) -> Mask:
    """Tell which of the chosen rows differ from the stored grids beside them.

    What a file leaves empty is not compared, and is left as it is.
    """
    differs = ~_are_same(
        np.asarray(known.rows.geometry.array[chosen], dtype=object),
        np.asarray(beside.geometry.array, dtype=object),
    )
    for name in known.layer.fields:
        given = known.fields[name].to_numpy(dtype=object)[chosen]
        stored = beside[name].to_numpy(dtype=object)
        differs |= np.array(
            [_is_told(one) and one != other for one, other in zip(given, stored, strict=True)],
            dtype=bool,
        )
    return differs


def _is_told(value: Any) -> bool:
    return value is not None and not pd.isna(value)


def _are_same(some: Shapes, others: Shapes) -> Mask:
    same: Mask = shapely.equals_exact(some, others)
    doubtful = ~same & ~shapely.is_missing(some)
    same[doubtful] = shapely.equals_exact(
        shapely.normalize(some[doubtful]),
        shapely.normalize(others[doubtful]),
        tolerance=SAME_DEGREES,
    )
    return same


def _without_given_codes(
    faults: GeoDataFrame, known: _Examination, outcomes: Series
) -> GeoDataFrame:
    """Return faults without the order of codes that were given long ago: they are permanent."""
    given = known.rows["row"][outcomes.isin(("changed", "same"))]
    return faults[~((faults["fault"] == "code-order") & faults["row"].isin(given))]


def _own_faults(known: _Examination, outcomes: Series, valid_from: date) -> list[GeoDataFrame]:
    rows, called = known.rows, noun(known.layer.noun)
    unread = rows[rows["reason"].notna()]
    found = [faults_of_rows("unreadable-value", unread, reasons_in(unread))]
    nameless = rows[(outcomes == "added") & known.fields["name"].isna()]
    needed = [reason("needs-name", noun=called)] * len(nameless)
    found.append(faults_of_rows("missing-name", nameless, needed))
    grids = known.grids.drop_duplicates("code").set_index("code")
    ended = rows[rows["code"].isin(grids.index[grids["is_retired"].astype(bool)])]
    reasons = [reason("ended", noun=called, code=code) for code in ended["code"]]
    found.append(faults_of_rows("retired-code", ended, reasons))
    since = {str(code): day for code, day in grids["valid_from"].items()}
    return [*found, changed_later(called, rows, outcomes, since, valid_from=valid_from)]


def _new_codes(known: _Examination, outcomes: Series) -> tuple[Series, list[GeoDataFrame]]:
    """Give codes to new rows that name none; where there is no room, say so."""
    rows = known.rows
    codes = rows["code"].astype(object).where(rows["code"].notna(), None)
    new = (outcomes == "added") & codes.isna()
    if not new.any():
        return codes, []
    shapes = np.asarray(rows.geometry.array[new.to_numpy()], dtype=object)
    centres = GeoSeries(shapely.centroid(shapes), index=rows.index[new], crs=GEOGRAPHIC)
    taken = [*known.grids["code"], *codes.dropna()]
    parents = known.homes[new].astype("str")
    try:
        codes[new] = next_codes(
            parents, centres, digits=known.layer.sequence_digits, taken=taken
        ).astype(object)
    except SequenceOverflowError as error:
        crowded = rows[new & (known.homes == error.parent)].iloc[:1]
        why = reason(
            "crowded",
            **{name: getattr(error, name) for name in ("parent", "count", "free", "limit")},
        )
        return codes, [faults_of_rows("too-many-children", crowded, [why] * len(crowded))]
    return codes, []

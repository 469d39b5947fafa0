"""Small counts: what may be shown of a count of homes or reports, and what may not.

One rule for every count that leaves the house: a shown count is at least ``k``. What is smaller
is withheld, and not alone: **as soon as anything is withheld, the smallest of the counts that
could have been shown is withheld with it** (with every count equal to it, so that no choice by
position gives it away). Then the withheld parts of one table cannot be told apart: exchanging
the contents of any two of them gives the same release, letter for letter. So whatever one of
them may hold, each may hold, and since one holds ``k`` or more, none is known to be small.

Two simpler rules were refused, because whoever knows the rule can compute. *Withhold only until
the withheld total reaches k*: two cells of 4 are withheld with a total of 8; each is under 5, so
both are 4. *Withhold the smallest shown cell at any zoom*: in a fine grid that is nearly always
exactly ``k``, and the total less ``k`` is the cell that was to be protected.

Guaranteed to a reader of one release who knows this code, the grand total and the area:

- no shown count is under ``k``;
- no withheld coarsest cell, or table entry, can be given an exact count, nor shown to lie in
  1 … k - 1, as long as the release states a withheld total;
- of no finer cell than those shown, inside a withheld or a shown one, can it even be said that it
  holds anything: 0 is possible. (Unless it is known from elsewhere that all but two quarters of a
  cell are empty, such as water: a cell shown whole then tells that both hold something.)

Not guaranteed:

- zeros are no secret: a place that is neither shown nor withheld is empty;
- where the whole table is small (``withheld_count`` is None), the release says nothing at all; who
  has the total from elsewhere knows that no part exceeds it;
- two releases of the same reports can be subtracted. So: one division into areas, one set of
  parameters, no free filters, and **complete calendar months, released once, never revised**; a
  window that slides by a day gives away that day;
- someone who knows some of the reports (their own) can subtract them. ``k`` says how many.

References
----------
A. Hundepool, J. Domingo-Ferrer, L. Franconi, S. Giessing, E. Schulte Nordholt, K. Spicer and
P.-P. de Wolf, Statistical Disclosure Control, Wiley, 2012, chapter 4 (primary and secondary
suppression, protection intervals), doi:10.1002/9781118348239.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from geodata.errors import InvalidCountError, InvalidParameterError
from geodata.heat import BASE_ZOOM

K = 5
"""Smallest count of households or reports that is shown (DESIGN, section 5)."""

Integers = NDArray[np.int64]

_ROW_BITS = 32
_ROW_MASK = (1 << _ROW_BITS) - 1


@dataclass(frozen=True)
class Release:
    """The cells that may be shown, and how much is withheld.

    Attributes
    ----------
    cells
        ``zoom``, ``x``, ``y``, ``count`` (int64): cells of the quadtree of
        :mod:`geodata.heat`, none inside another, by zoom, x, y.
    withheld_count
        Reports in no shown cell, so that shown + withheld = all; 0 or at least ``k``. None where
        the whole is too small to state: say "fewer than can be shown", and not even the total.
    withheld_cell_count
        Non-empty coarsest cells withheld; None with ``withheld_count``.
    """

    cells: DataFrame
    withheld_count: int | None
    withheld_cell_count: int | None


@dataclass(frozen=True)
class SuppressedTable:
    """A one-dimensional table fit to be shown.

    Attributes
    ----------
    counts
        Index of the table, Int64, missing where withheld.
    withheld_count
        Sum of the withheld entries; None where the whole is too small to state.
    """

    counts: Series
    withheld_count: int | None


def release_cells(
    cells: DataFrame, *, k: int = K, finest_zoom: int = 18, coarsest_zoom: int = 14
) -> Release:
    """Choose the cells of a heat map that may be shown, as fine as the counts allow.

    Start from the coarsest cells. A cell with fewer than ``k`` is withheld, and one more beside
    it (see the module). A shown cell is split into its four quarters while every quarter that
    holds anything holds at least ``k``, down to the finest zoom.

    Parameters
    ----------
    cells
        ``x20``, ``y20``, ``count``: heat cells of :func:`geodata.heat.cells_of`. Any order; several
        rows of one cell add up; empty cells are ignored.
    k
        Smallest count that is shown, at least 2.
    finest_zoom, coarsest_zoom
        0 <= coarsest <= finest <= 20. Zoom 18 is 140 m wide at Guicheng, 14 is 2.2 km.

    Returns
    -------
    Release
        Depends on the counts alone, not on their order. No cells give an empty frame and 0.

    Raises
    ------
    InvalidCountError
        A column is absent, or a count is not a whole number from 0 up.
    InvalidParameterError
        ``k`` or a zoom is out of range.
    """
    _require_k(k)
    if not 0 <= coarsest_zoom <= finest_zoom <= BASE_ZOOM:
        rule = f"at most finest_zoom ({finest_zoom}), both from 0 to {BASE_ZOOM}"
        raise InvalidParameterError("coarsest_zoom", coarsest_zoom, rule)
    levels = _count_by_level(cells, finest_zoom=finest_zoom, coarsest_zoom=coarsest_zoom)
    counts = levels[0][1]
    withheld = _withheld(counts, k=k)
    shown = _split(levels, ~withheld, k=k, coarsest_zoom=coarsest_zoom)
    if not _may_state_total(counts[withheld], is_whole=bool(withheld.all()), k=k):
        return Release(shown, None, None)
    return Release(shown, int(counts[withheld].sum()), int(withheld.sum()))


def suppress_small(counts: Series, *, k: int = K) -> SuppressedTable:
    """Withhold the small entries of a table with one total, such as categories of one compound.

    For a table of several rows whose columns also have totals, this is not enough: the column
    totals give entries back. Then release the rows alone, or the columns alone.

    Parameters
    ----------
    counts
        Shape (n,), whole numbers from 0 up.
    k
        Smallest count that is shown, at least 2.

    Returns
    -------
    SuppressedTable
        Zeros are shown, save where nothing is; no entries give no entries and 0.

    Raises
    ------
    InvalidCountError
        An entry is not a whole number from 0 up.
    InvalidParameterError
        ``k`` is under 2.
    """
    _require_k(k)
    values = _whole_numbers(counts)
    withheld = _withheld(values, k=k)
    is_whole = bool((withheld | (values == 0)).all())
    if not _may_state_total(values[withheld], is_whole=is_whole, k=k):
        # The names of the entries are public: a zero shown beside them would tell which are not.
        return SuppressedTable(Series(pd.NA, index=counts.index, dtype="Int64"), None)
    shown = Series(values, index=counts.index, dtype="Int64").mask(withheld)
    return SuppressedTable(shown, int(values[withheld].sum()))


def _withheld(counts: Integers, *, k: int) -> NDArray[np.bool_]:
    """Mark the counts under k and, where there are any, the smallest others."""
    small = (counts > 0) & (counts < k)
    large = counts >= k
    if small.any() and large.any():
        return np.asarray(small | (counts == counts[large].min()))
    return np.asarray(small)


def _may_state_total(withheld: Integers, *, is_whole: bool, k: int) -> bool:
    """Tell whether the withheld total leaves it open that one of the withheld holds k.

    Where something is shown, one of the withheld does hold k. Where all is withheld, it must be
    possible: all but one hold 1, and the last the rest.
    """
    return not is_whole or len(withheld) == 0 or int(withheld.sum()) - (len(withheld) - 1) >= k


def _count_by_level(
    cells: DataFrame, *, finest_zoom: int, coarsest_zoom: int
) -> list[tuple[Integers, Integers]]:
    """Count the non-empty cells of every zoom, coarsest first, as sorted keys and counts."""
    if missing := {"x20", "y20", "count"} - set(cells.columns):
        raise InvalidCountError(f"The heat cells have no column {', '.join(sorted(missing))}.")
    counts = _whole_numbers(cells["count"])
    column = cells["x20"].to_numpy(np.int64)
    row = cells["y20"].to_numpy(np.int64)
    shift = BASE_ZOOM - finest_zoom
    keys = (column >> shift) << _ROW_BITS | (row >> shift)
    levels = [_sum_by_key(keys[counts > 0], counts[counts > 0])]
    for _ in range(finest_zoom - coarsest_zoom):
        keys, counts = levels[0]
        levels.insert(0, _sum_by_key(_parents(keys), counts))
    return levels


def _split(
    levels: list[tuple[Integers, Integers]],
    is_shown: NDArray[np.bool_],
    *,
    k: int,
    coarsest_zoom: int,
) -> DataFrame:
    """Split the shown coarsest cells as far as every part keeps k, and list what is left."""
    whole = []
    open_keys = levels[0][0][is_shown]
    for depth, (keys, counts) in enumerate(levels):
        is_open = np.isin(keys, open_keys)
        if depth + 1 < len(levels):
            child_keys, child_counts = levels[depth + 1]
            too_small = np.unique(_parents(child_keys[child_counts < k]))
            stays = is_open & np.isin(keys, too_small)
            open_keys = child_keys[np.isin(_parents(child_keys), keys[is_open & ~stays])]
        else:
            stays = is_open
        whole.append(_frame(keys[stays], counts[stays], zoom=coarsest_zoom + depth))
    return pd.concat(whole, ignore_index=True)


def _frame(keys: Integers, counts: Integers, *, zoom: int) -> DataFrame:
    """Return cells as a frame; sorted keys are sorted by x, then y."""
    return DataFrame(
        {
            "zoom": np.full(len(keys), zoom, dtype=np.int64),
            "x": keys >> _ROW_BITS,
            "y": keys & _ROW_MASK,
            "count": counts,
        }
    )


def _parents(keys: Integers) -> Integers:
    """Return the key of the cell that holds each cell, one zoom up."""
    return (keys >> _ROW_BITS + 1) << _ROW_BITS | (keys & _ROW_MASK) >> 1


def _sum_by_key(keys: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """Add up the counts of equal keys; keys come out sorted."""
    unique, position = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(unique), dtype=np.int64)
    np.add.at(sums, position, counts)
    return unique, sums


def _whole_numbers(counts: Series) -> Integers:
    """Return counts as integers, or say which entry is none."""
    numbers = pd.to_numeric(counts, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    good = np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers))
    if not good.all():
        first = int(np.argmin(good))
        raise InvalidCountError(
            f"Count {counts.iloc[first]!r} of entry {counts.index[first]!r} "
            "is not a whole number from 0 up."
        )
    return numbers.astype(np.int64)


def _require_k(k: int) -> None:
    """Refuse a k that protects nobody."""
    if k < 2:
        raise InvalidParameterError("k", k, "at least 2")

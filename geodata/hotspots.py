"""Hot spots: cells round which more happens than chance would put there (Getis-Ord Gi*).

The statistic is one line of arithmetic on a sparse matrix. The tests hold it against esda, and the
correction against scipy.stats; to import either takes seconds, and neither is part of the service
(docs/DECISIONS.md, 13).
"""

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import DataFrame
from scipy import sparse, special

from geodata.crs import GEOGRAPHIC
from geodata.errors import InvalidCountError, InvalidParameterError, UndeclaredCRSError
from geodata.heat import cell_polygons, cells_of
from geodata.privacy import K

LEAST_CELLS = 30
"""Fewer cells than this have no normal Gi* (Getis and Ord, 1992, section 3)."""

MOST_CELLS = 1_000_000
"""More cells than this are a sign of an outlying point or too fine a zoom."""

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def hot_cells(
    cells: DataFrame,
    *,
    zoom: int,
    area: GeoSeries | None = None,
    alpha: float = 0.05,
    least_count: int = K,
) -> GeoDataFrame:
    """Test every cell of an area, the empty ones too, for being a hot spot.

    Gi* compares the count of a cell and its up to eight neighbours with the mean of all cells. The
    p-values are corrected for the number of cells tested (Benjamini and Hochberg): of the cells
    called hot, about ``alpha`` are expected to be so by chance. Cells with fewer than
    ``least_count`` reports in and round them are never called hot: where next to nothing happens,
    two reports side by side are many standard deviations, and mean nothing.

    Parameters
    ----------
    cells
        ``x``, ``y``, ``count`` at ``zoom``, one row a cell, as :func:`geodata.heat.roll_up` gives.
    zoom
        Zoom of the cells; 17 or 18 suit a sub-district (280 and 140 m at Guicheng).
    area
        Polygons, any CRS: the cells that meet them are tested, counts elsewhere are left out.
        Without it, all cells of the counts' bounding rectangle are.
    alpha
        Expected share of false hot spots, in (0, 1).
    least_count
        Reports in and round a cell below which it is too few to say.

    Returns
    -------
    GeoDataFrame
        ``x``, ``y``, ``count``, ``neighbourhood_count`` (the cell's and its neighbours'),
        ``z_score``, ``p_value`` (one-sided, for more than expected), ``p_adjusted``, ``is_hot``,
        ``is_too_few``, ``geometry`` (polygon, EPSG:4326), by x, then y. Where nothing can be said
        at all (under 30 cells, or every count the same) z and p are missing and all is too few.
        No cells and no area give no rows.

    Raises
    ------
    InvalidCountError
        A column is absent, a cell is there twice, or a count is negative or missing.
    InvalidParameterError
        ``alpha`` is out of range, or the area has more than a million cells.
    UndeclaredCRSError
        ``area`` has no CRS.

    References
    ----------
    A. Getis and J. K. Ord, Geographical Analysis 24 (1992), doi:10.1111/j.1538-4632.1992.tb00261.x;
    J. K. Ord and A. Getis, Geographical Analysis 27 (1995), doi:10.1111/j.1538-4632.1995.tb00912.x;
    Y. Benjamini and Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995),
    doi:10.1111/j.2517-6161.1995.tb02031.x; its use on local statistics: M. Caldas de Castro and
    B. H. Singer, Geographical Analysis 38 (2006), doi:10.1111/j.0016-7363.2006.00682.x.
    """
    if not 0 < alpha < 1:
        raise InvalidParameterError("alpha", alpha, "between 0 and 1")
    _require_counts(cells)
    tested = _fill_grid(cells, zoom=zoom, area=area)
    neighbours = queen_neighbours(x=tested["x"].to_numpy(), y=tested["y"].to_numpy())
    counts = tested["count"].to_numpy(np.float64)
    around = neighbours @ counts + counts
    z_score = (
        gi_star(counts, neighbours=neighbours) if len(tested) >= LEAST_CELLS else counts * np.nan
    )
    p_value = special.ndtr(-z_score)
    can_say = bool(np.isfinite(z_score).all()) and len(tested) > 0
    p_adjusted = false_discovery_adjusted(p_value) if can_say else p_value
    is_too_few = (around < least_count) | (not can_say)
    return GeoDataFrame(
        tested.assign(
            neighbourhood_count=around.astype(np.int64),
            z_score=z_score,
            p_value=p_value,
            p_adjusted=p_adjusted,
            is_hot=(p_adjusted <= alpha) & ~is_too_few,
            is_too_few=is_too_few,
        ),
        geometry=cell_polygons(x=tested["x"], y=tested["y"], zoom=zoom),
        crs=GEOGRAPHIC,
    )


def gi_star(values: Floats, *, neighbours: sparse.csr_array) -> Floats:
    """Compute Gi* with binary weights, each place its own neighbour too.

    Parameters
    ----------
    values
        Shape (n,), not negative.
    neighbours
        Shape (n, n), 1 where row and column are neighbours, else 0; 0 on the diagonal. The lengths
        and CRS behind it do not matter.

    Returns
    -------
    array
        Shape (n,), standard deviations from what is expected; NaN where all values are the same,
        or a place neighbours all others.

    References
    ----------
    J. K. Ord and A. Getis, Geographical Analysis 27 (1995), equation 14,
    doi:10.1111/j.1538-4632.1995.tb00912.x.
    """
    count = len(values)
    if count == 0 or np.ptp(values) == 0:
        return np.full(count, np.nan)
    with_self = neighbours.sum(axis=1) + 1.0
    if (with_self == count).any():
        return np.full(count, np.nan)
    expected = values.mean() * with_self
    spread = values.std() * np.sqrt((count * with_self - with_self**2) / (count - 1))
    return np.asarray((neighbours @ values + values - expected) / spread, dtype=np.float64)


def false_discovery_adjusted(p_values: Floats) -> Floats:
    """Adjust p-values so that those under alpha hold a share of alpha false discoveries at most.

    Parameters
    ----------
    p_values
        Shape (n,), in [0, 1], of tests that are independent or positively dependent; n > 0.

    Returns
    -------
    array
        Shape (n,), in [0, 1], none lower than before, in the same order.

    References
    ----------
    Y. Benjamini and Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995),
    doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    order = np.argsort(p_values)[::-1]
    ranks = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum.accumulate(p_values[order] * (len(p_values) / ranks))
    return np.minimum(adjusted, 1.0)


def queen_neighbours(*, x: Integers, y: Integers) -> sparse.csr_array:
    """Tell which cells share an edge or a corner.

    Parameters
    ----------
    x, y
        Shape (n,), cell numbers, each cell once; they need not fill a rectangle.

    Returns
    -------
    csr_array
        Shape (n, n), 1 where two cells touch, else 0; 0 on the diagonal.
    """
    # A rectangle of positions with a rim of -1 answers "who is at x + 1, y - 1" for all at once.
    column, row = (x - x.min() + 1, y - y.min() + 1) if len(x) else (x, y)
    position = np.full((column.max(initial=0) + 2, row.max(initial=0) + 2), -1, dtype=np.int64)
    position[column, row] = np.arange(len(x))
    steps = [(right, down) for right in (-1, 0, 1) for down in (-1, 0, 1) if right or down]
    others = np.array([position[column + right, row + down] for right, down in steps])
    step, here = np.nonzero(others >= 0)
    neighbour = others[step, here]
    touching = sparse.coo_array((np.ones(len(here)), (here, neighbour)), shape=(len(x), len(x)))
    return touching.tocsr()


def _require_counts(cells: DataFrame) -> None:
    """Refuse a frame that is not one count a cell."""
    if missing := {"x", "y", "count"} - set(cells.columns):
        raise InvalidCountError(f"The cells have no column {', '.join(sorted(missing))}.")
    if cells.duplicated(["x", "y"]).any():
        raise InvalidCountError("A cell is there twice: roll the counts up first.")
    if not (cells["count"] >= 0).all():
        raise InvalidCountError("A count is negative or missing.")


def _fill_grid(cells: DataFrame, *, zoom: int, area: GeoSeries | None) -> DataFrame:
    """Return every cell of the area or of the bounding rectangle, with its count or 0."""
    if area is None:
        grid = _rectangle(cells["x"].to_numpy(np.int64), cells["y"].to_numpy(np.int64))
    else:
        grid = _covering(area, zoom=zoom)
    return (
        grid.merge(cells[["x", "y", "count"]], on=["x", "y"], how="left")
        .fillna({"count": 0})
        .astype("int64")
    )


def _rectangle(x: Integers, y: Integers) -> DataFrame:
    """List the cells of the rectangle that holds some cells, by x, then y."""
    if len(x) == 0:
        return DataFrame({"x": x, "y": y})
    columns, rows = int(np.ptp(x)) + 1, int(np.ptp(y)) + 1
    if columns * rows > MOST_CELLS:
        rule = f"so that it has at most {MOST_CELLS} cells: give an area or a coarser zoom"
        raise InvalidParameterError("the area", f"{columns} by {rows} cells", rule)
    index = pd.MultiIndex.from_product(
        [np.arange(x.min(), x.max() + 1), np.arange(y.min(), y.max() + 1)], names=["x", "y"]
    )
    return index.to_frame(index=False)


def _covering(area: GeoSeries, *, zoom: int) -> DataFrame:
    """List the cells that meet an area, by x, then y."""
    if area.crs is None:
        raise UndeclaredCRSError("The area")
    whole = area.to_crs(GEOGRAPHIC).union_all()
    west, south, east, north = whole.bounds if not whole.is_empty else (np.nan,) * 4
    if np.isnan(west):
        return _rectangle(np.empty(0, np.int64), np.empty(0, np.int64))
    corner_x, corner_y = cells_of(lon=[west, east], lat=[south, north], zoom=zoom)
    grid = _rectangle(corner_x, corner_y)
    shapely.prepare(whole)
    squares = cell_polygons(x=grid["x"], y=grid["y"], zoom=zoom)
    return grid[shapely.intersects(whole, squares.to_numpy())].reset_index(drop=True)

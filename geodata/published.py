"""The small-count rule where some of the reports are published one by one.

The public interface (Open311) shows every report of a public category, by compound. Whoever has a
released count of all reports can subtract those, and is left with the private ones: a count that
`geodata.privacy` would never show. So the two kinds are released apart, each by that rule, and
only what each of them may show is added up.
"""

import numpy as np
import pandas as pd
from pandas import DataFrame

from geodata.privacy import K, release_cells


def release_with_published(
    private: DataFrame,
    published: DataFrame,
    *,
    k: int = K,
    finest_zoom: int = 18,
    coarsest_zoom: int = 14,
) -> tuple[DataFrame, int | None]:
    """Choose the cells of a heat map that may be shown beside the published reports.

    Guaranteed to a reader who counts the published reports of any cell: what is left of a shown
    cell is nothing, or a sum of private cells that `geodata.privacy.release_cells` would show; of
    the withheld total, what it would state. Of a cell that is left with nothing it cannot be said
    that it holds nothing private.

    Parameters
    ----------
    private, published
        ``x20``, ``y20``, ``count`` each, as `geodata.privacy.release_cells` takes them.
    k, finest_zoom, coarsest_zoom
        As there.

    Returns
    -------
    tuple
        Cells (``zoom``, ``x``, ``y``, ``count``; none inside another, by zoom, x, y), and the
        reports in none of them; None where that is too little to state.
    """
    zooms = {"finest_zoom": finest_zoom, "coarsest_zoom": coarsest_zoom}
    releases = [release_cells(cells, k=k, **zooms) for cells in (private, published)]
    cells = _without_nesting(
        pd.concat([release.cells for release in releases], ignore_index=True),
        finest_zoom=finest_zoom,
        coarsest_zoom=coarsest_zoom,
    )
    withheld = [release.withheld_count for release in releases]
    told = [count for count in withheld if count is not None]
    return cells, sum(told) if len(told) == len(withheld) else None


def _without_nesting(cells: DataFrame, *, finest_zoom: int, coarsest_zoom: int) -> DataFrame:
    """Add each cell to the one that it lies in, so that squares do not overlap."""
    zoom, x, y = (cells[name].to_numpy(np.int64).copy() for name in ("zoom", "x", "y"))
    for level in range(coarsest_zoom, finest_zoom):
        there = set(zip(x[zoom == level].tolist(), y[zoom == level].tolist(), strict=True))
        shift = np.maximum(zoom - level, 0)
        above = zip((x >> shift).tolist(), (y >> shift).tolist(), strict=True)
        is_inside = (zoom > level) & np.array([key in there for key in above], dtype=bool)
        x[is_inside] >>= shift[is_inside]
        y[is_inside] >>= shift[is_inside]
        zoom[is_inside] = level
    keys = ["zoom", "x", "y"]
    merged = DataFrame({"zoom": zoom, "x": x, "y": y, "count": cells["count"].to_numpy(np.int64)})
    summed: DataFrame = merged.groupby(keys, as_index=False, sort=True)[["count"]].sum()
    return summed

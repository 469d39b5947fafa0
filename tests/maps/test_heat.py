"""What the colour of a heat cell stands for."""

import pandas as pd
from geopandas import GeoDataFrame
from shapely import box

from maps.heat import heat_legend

SIDE = 0.001


def cells(*sizes_and_counts: tuple[int, int]) -> GeoDataFrame:
    """Return squares side by side: how many times the smallest side, and the count."""
    squares = [
        box(113 + 0.01 * place, 23, 113 + 0.01 * place + SIDE * size, 23 + SIDE * size)
        for place, (size, _) in enumerate(sizes_and_counts)
    ]
    counts = pd.Series([count for _, count in sizes_and_counts], dtype="Int64")
    return GeoDataFrame({"incident_count": counts}, geometry=squares, crs="EPSG:4326")


def lines(frame: GeoDataFrame) -> tuple[str, list[tuple[str, int]]]:
    legend = heat_legend(frame, total=100, withheld=0, least_shown=None, lang="en")
    return legend.title, [(line.label, line.count or 0) for line in legend.lines]


def test_cells_of_one_size_are_coloured_by_count() -> None:
    title, counted = lines(cells((1, 1), (1, 2)))
    assert title == "Incidents a cell"
    assert counted == [("1", 1), ("2", 1)]


def test_cells_of_two_sizes_are_coloured_by_density() -> None:
    # 10 reports in one square, 40 in sixteen: the small one is the densest by four.
    title, counted = lines(cells((1, 10), (4, 40)))
    assert title == "Incidents per km²"
    assert counted[-1][1] == 1
    assert sum(count for _, count in counted) == 2
    assert [count for _, count in counted].index(1) < len(counted) - 1

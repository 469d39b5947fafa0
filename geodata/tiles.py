"""Web-mercator tiles: which box of degrees a tile covers."""

from math import atan, degrees, pi, sinh

MAX_ZOOM = 22


def is_tile(*, zoom: int, x: int, y: int) -> bool:
    """Tell whether a tile of that zoom, column and row exists."""
    return 0 <= zoom <= MAX_ZOOM and 0 <= x < 2**zoom and 0 <= y < 2**zoom


def tile_box(
    *, zoom: int, x: int, y: int, margin: float = 0.0
) -> tuple[float, float, float, float]:
    """Return the box of a tile.

    Parameters
    ----------
    zoom, x, y
        Tile address; x from 180° W, y from 85.0511° N.
    margin
        What to add on each side, as a share of the tile's side.

    Returns
    -------
    tuple
        ``xmin, ymin, xmax, ymax``, degrees, EPSG:4326.

    Examples
    --------
    >>> [round(side, 4) for side in tile_box(zoom=0, x=0, y=0)]
    [-180.0, -85.0511, 180.0, 85.0511]
    """
    side = 2**zoom
    west, east = ((column / side) * 360 - 180 for column in (x - margin, x + 1 + margin))
    north, south = (
        degrees(atan(sinh(pi * (1 - 2 * row / side)))) for row in (y - margin, y + 1 + margin)
    )
    return west, south, east, north

"""Grid codes: compound (15 digits), building (18), stairwell (20), and how siblings are numbered.

A code starts with its parent's code, so the community of any grid is its first twelve digits.
"""

import pandas as pd
from geopandas import GeoSeries
from pandas import Series

from geodata.errors import SequenceOverflowError

COMMUNITY_DIGITS = 12
COMPOUND_DIGITS = 15
BUILDING_DIGITS = 18
STAIRWELL_DIGITS = 20


def community_of(code: str) -> int:
    """Return the 12-digit community code that a grid code starts with.

    Examples
    --------
    >>> community_of("44060501101600301202")
    440605011016
    """
    return int(code[:COMMUNITY_DIGITS])


def street_of(community_code: int) -> int:
    """Return the sub-district code of a community code: its first nine digits.

    Examples
    --------
    >>> street_of(440605011016)
    440605011000
    """
    return community_code // 1000 * 1000


def child_codes(parents: Series, centres: GeoSeries, *, digits: int) -> Series:
    """Give each child a code: numbered west to east, then north to south, inside its parent.

    Parameters
    ----------
    parents
        Shape (n,), the parent's code of each child, as text.
    centres
        Shape (n,), points, same index; any one CRS with x to the east and y to the north.
    digits
        Width of the sequence number: 3 for compounds and buildings, 2 for stairwells.

    Returns
    -------
    Series
        Shape (n,), text, index of ``parents``; empty for no children.

    Raises
    ------
    SequenceOverflowError
        A parent has more children than ``digits`` can number.
    """
    order = pd.DataFrame({"parent": parents.astype("str"), "x": centres.x, "y": -centres.y})
    order = order.sort_values(["parent", "x", "y"], kind="stable")
    sequence = order.groupby("parent").cumcount() + 1
    limit = 10**digits - 1
    if len(sequence) and sequence.max() > limit:
        worst = order["parent"].iloc[int(sequence.to_numpy().argmax())]
        raise SequenceOverflowError(str(worst), int(sequence.max()), limit)
    codes = order["parent"] + sequence.astype("str").str.zfill(digits)
    return codes.reindex(parents.index).rename("code")


def is_grid_code(code: str, *, digits: int) -> bool:
    """Tell whether a text is a code of that many digits.

    Examples
    --------
    >>> is_grid_code("440605011016003", digits=COMPOUND_DIGITS)
    True
    >>> is_grid_code("440605011016", digits=COMPOUND_DIGITS)
    False
    """
    return len(code) == digits and code.isdecimal() and code.isascii()

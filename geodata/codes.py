"""Grid codes: compound (15 digits), building (18), stairwell (20), and how siblings are numbered.

A code starts with its parent's code, so the community of any grid is its first twelve digits.
"""

from collections.abc import Iterable

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
    """Give each first child a code: ``next_codes`` where no code was ever used.

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
    return next_codes(parents, centres, digits=digits, taken=())


def next_codes(parents: Series, centres: GeoSeries, *, digits: int, taken: Iterable[str]) -> Series:
    """Give each new child a code: numbered west to east, then north to south, inside its parent.

    Numbers go on after the highest that was ever used in the parent: a code stands on doors and in
    files, so it is not given again, and neither is one that was passed over.

    Parameters
    ----------
    parents
        Shape (n,), the parent's code of each new child, as text.
    centres
        Shape (n,), points, same index; any one CRS with x to the east and y to the north.
    digits
        Width of the sequence number: 3 for compounds and buildings, 2 for stairwells.
    taken
        Every code ever used in these parents, those of retired grids too; codes of other parents
        and of other levels do no harm.

    Returns
    -------
    Series
        Shape (n,), text, index of ``parents``; empty for no children.

    Raises
    ------
    SequenceOverflowError
        A parent has more new children than it has numbers left.
    """
    order = pd.DataFrame({"parent": parents.astype("str"), "x": centres.x, "y": -centres.y})
    order = order.sort_values(["parent", "x", "y"], kind="stable")
    highest = _highest_sequences(taken, digits=digits)
    used = order["parent"].map(highest).fillna(0).astype("int64")
    sequence = order.groupby("parent").cumcount() + 1 + used
    limit = 10**digits - 1
    if len(sequence) and sequence.max() > limit:
        worst = int(sequence.to_numpy().argmax())
        parent, before = str(order["parent"].iloc[worst]), int(used.iloc[worst])
        asked = int(sequence.iloc[worst]) - before
        raise SequenceOverflowError(parent, asked, limit, highest=before)
    codes = order["parent"] + sequence.astype("str").str.zfill(digits)
    return codes.reindex(parents.index).rename("code")


def _highest_sequences(taken: Iterable[str], *, digits: int) -> Series:
    """Return the highest sequence number used in each parent; int64, index of parents."""
    codes = Series(list(taken), dtype="str")
    codes = codes[codes.str.fullmatch(f"[0-9]*[0-9]{{{digits}}}")]
    sequences = codes.str[-digits:].astype("int64")
    return sequences.groupby(codes.str[:-digits]).max()


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

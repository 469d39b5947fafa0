"""Grids that were cut or joined between two dates, grouped so that their counts can be compared."""

from collections.abc import Collection, Iterable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def comparable_units(
    codes: Collection[str], descents: Iterable[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """Group grids so that each group covered the same ground before and after re-drawing.

    A group is a connected component of "became": of two grids that were merged and later cut in
    three, all six belong together. What was reported in any of a group's grids, at any time, was
    reported on the group's ground; so counts of groups compare exactly, without guessing which
    part of a former grid an incident lay in.

    Parameters
    ----------
    codes
        Grids to be grouped; those that never changed are groups of their own.
    descents
        Predecessor and successor of each cut or joint.

    Returns
    -------
    dict
        The group of each code of ``codes`` and ``descents``: all its codes, sorted.

    Examples
    --------
    >>> comparable_units(["1", "4"], [("1", "2"), ("1", "3")])["1"]
    ('1', '2', '3')
    """
    pairs = list(descents)
    known = sorted({*codes, *(code for pair in pairs for code in pair)})
    place = {code: number for number, code in enumerate(known)}
    rows = np.array([place[old] for old, _ in pairs], dtype=np.int64)
    columns = np.array([place[new] for _, new in pairs], dtype=np.int64)
    links = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(known), len(known)))
    _, labels = connected_components(links, directed=False)
    groups: dict[int, list[str]] = {}
    for code, label in zip(known, labels, strict=True):
        groups.setdefault(int(label), []).append(code)
    return {code: tuple(group) for group in groups.values() for code in group}

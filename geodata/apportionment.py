"""Whole numbers shared out by weight, so that they add up."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


def apportion(total: int, weights: ArrayLike, *, least: int = 0) -> Ints:
    """Share a total among weights by largest remainders.

    Parameters
    ----------
    total
        What to share, at least ``least`` times the number of weights.
    weights
        Shape (n,), >= 0, at least one > 0.
    least
        What everyone gets first.

    Returns
    -------
    Ints
        Shape (n,), sums to ``total``; of equal remainders the first gets one more.

    References
    ----------
    Pukelsheim F. (2017). Proportional Representation: Apportionment Methods and Their
    Applications. 2nd ed., Springer, chapter 5 (quota methods: Hare quota, residual fit by largest
    remainders). https://doi.org/10.1007/978-3-319-64707-4

    Examples
    --------
    >>> apportion(10, [1, 1, 2]).tolist()
    [3, 2, 5]
    >>> apportion(10, [1, 1, 1]).tolist()
    [4, 3, 3]
    >>> apportion(3, [100, 0, 0], least=1).tolist()
    [1, 1, 1]
    """
    share = np.asarray(weights, dtype=np.float64)
    ideal = share / share.sum() * total
    counts = np.maximum(np.floor(ideal).astype(np.int64), least)
    while (surplus := int(counts.sum()) - total) > 0:
        over = np.where(counts > least, counts - ideal, -np.inf)
        counts[np.argsort(-over, kind="stable")[: min(surplus, int((counts > least).sum()))]] -= 1
    order = np.argsort(counts - ideal, kind="stable")
    counts[np.resize(order, total - int(counts.sum()))] += 1
    shares: Ints = counts
    return shares

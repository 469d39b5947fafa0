"""When incidents of a class are reported and closed: hours, weekdays, holidays, a trend."""

from typing import Any

import numpy as np
from numpy.random import Generator

from geodata.sample.chance import Floats, Ints

# Local midnight of 2018-07-01 and 2020-07-01 in Guicheng, milliseconds UTC; no summer time there.
_DAY_MS = 86_400_000
BEGIN_MS = 1_530_374_400_000
END_MS = 1_593_532_800_000
_FIRST_WEEKDAY = 6  # 2018-07-01 was a Sunday.
# Days of few reports, counted from the first: Spring Festivals of 2019 and 2020, and the weeks
# at home in February 2020.
_QUIET_DAYS = ((216, 226, 0.45), (571, 580, 0.4), (580, 610, 0.55))
_SPREAD = 0.8
_SHORTEST_MS = 20 * 60_000


def report_moments(rhythm: dict[str, Any], count: int, random: Generator) -> Ints:
    """Return moments of reporting.

    Parameters
    ----------
    rhythm
        ``peaks`` (hour, spread in hours, weight), ``week`` (weights of Monday to Sunday), ``trend``
        (last month to first).
    count
        How many.
    random
        Source of chance.

    Returns
    -------
    Ints
        Shape (count,), milliseconds UTC, in July 2018 to June 2020, no order.
    """
    days = np.arange((END_MS - BEGIN_MS) // _DAY_MS)
    weight = np.array(rhythm["week"], dtype=float)[(days + _FIRST_WEEKDAY) % 7]
    weight *= rhythm["trend"] ** (days / days[-1])
    for first, last, share in _QUIET_DAYS:
        weight[first:last] *= share
    day = random.choice(days, count, p=weight / weight.sum())
    peaks = np.array(rhythm["peaks"], dtype=float)
    peak = random.choice(len(peaks), count, p=peaks[:, 2] / peaks[:, 2].sum())
    hour = random.normal(peaks[peak, 0], peaks[peak, 1]) % 24
    within: Floats = np.minimum(hour * 3_600_000, _DAY_MS - 1)
    return BEGIN_MS + day * _DAY_MS + within.astype(np.int64)


def closing_moments(reported_ms: Ints, *, median_days: float, random: Generator) -> Ints:
    """Return when incidents were closed: after some days, all before the period ends."""
    took = random.lognormal(np.log(median_days), _SPREAD, len(reported_ms)) * _DAY_MS
    left = (END_MS - 1 - reported_ms) * random.uniform(0.2, 0.95, len(reported_ms))
    shortest = np.minimum(_SHORTEST_MS, END_MS - 1 - reported_ms)
    closed: Ints = reported_ms + np.maximum(np.minimum(took, left), shortest).astype(np.int64)
    return closed

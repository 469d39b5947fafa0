"""What the checks hand to the report: faults, one by one."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.quality.kinds import Severity
from geodata.reasons import Reason


class Fault(NamedTuple):
    """One row of ``QualityReport.faults``, place in EPSG:4326."""

    fault: str
    severity: Severity
    row: int | None
    code: str | None
    other_row: int | None
    other_code: str | None
    measure: float
    unit: str
    reason: str
    reason_zh: str
    geometry: BaseGeometry | None


def note_faults(
    kind: str,
    reasons: Sequence[Reason],
    places: Iterable[BaseGeometry | None],
    *,
    rows: NDArray[np.int64] | None = None,
    codes: Iterable[str | None] | None = None,
    severity: Severity | Iterable[Severity] = "error",
    measures: Iterable[float] | None = None,
    unit: str = "",
    other_rows: Iterable[int | None] | None = None,
    other_codes: Iterable[str | None] | None = None,
) -> list[Fault]:
    """Return faults of one kind; without ``rows`` they are of no single feature.

    ``places`` are in EPSG:4326; a measure left out is NaN.
    """
    nothing = (None,) * len(reasons)
    return [
        Fault(
            *(kind, level, row, code, other_row, other_code, float(measure), unit),
            *(reason.en, reason.zh, place),
        )
        for level, row, code, other_row, other_code, measure, reason, place in zip(
            repeat(severity, len(reasons)) if isinstance(severity, str) else severity,
            nothing if rows is None else rows.tolist(),
            nothing if codes is None else codes,
            nothing if other_rows is None else other_rows,
            nothing if other_codes is None else other_codes,
            repeat(np.nan, len(reasons)) if measures is None else measures,
            reasons,
            places,
            strict=True,
        )
    ]

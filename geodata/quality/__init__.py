"""The quality report: what is wrong with a layer before it is written, and how to mend it."""

from geodata.quality.inspection import inspect
from geodata.quality.kinds import FaultKind, load_kinds
from geodata.quality.parents import place_in_parents
from geodata.quality.report import ACCEPT_ALL, QualityReport, apply_repairs

__all__ = [
    "ACCEPT_ALL",
    "FaultKind",
    "QualityReport",
    "apply_repairs",
    "inspect",
    "load_kinds",
    "place_in_parents",
]

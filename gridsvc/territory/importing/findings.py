"""What was found out about a file before it is applied: faults, and what would become of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from geodata.crs import GEOGRAPHIC
from geodata.quality import ACCEPT_ALL, load_kinds
from geodata.reasons import Language, Reason, reason, reason_column, reason_columns, reasons_in

Severity = Literal["error", "warning"]

OWN_KINDS: Mapping[str, Severity] = {
    "unreadable-value": "error",
    "missing-name": "error",
    "retired-code": "error",
    "too-many-children": "error",
    "changed-later": "error",
    "unknown-stairwell": "warning",
    "ambiguous-stairwell": "warning",
    "unmatched-entrance": "warning",
}
"""Kinds of faults that are no matter of shapes, beside those of `geodata.quality`."""


@dataclass(frozen=True)
class Findings:
    """What stands against a file, and what would become of each row.

    Attributes
    ----------
    features
        What was looked at: ``row``, ``geometry``; EPSG:4326.
    faults
        As `geodata.quality.QualityReport` has them, also of `OWN_KINDS`; EPSG:4326.
    repairs
        As there.
    plan
        ``row``, ``code``, ``parent_code``, ``outcome`` (added, changed, same, rejected, or
        missing where a fault leaves it open), ``reason``, ``reason_zh`` (why rejected).
    doors
        Entrances of the buildings of a file: ``code`` (the building's, as planned), ``ref``,
        ``geometry`` (on its outline, EPSG:4326); nothing where no entrances were given.
    """

    features: GeoDataFrame
    faults: GeoDataFrame
    repairs: GeoDataFrame
    plan: DataFrame
    doors: GeoDataFrame | None = None
    _counts: dict[str, dict[str, int]] = field(default_factory=dict, compare=False)

    @property
    def errors(self) -> dict[str, int]:
        """Number of errors of each kind, in the order in which people read of them."""
        return self._count("error")

    @property
    def warnings(self) -> dict[str, int]:
        """Number of warnings of each kind, in the order in which people read of them."""
        return self._count("warning")

    def outcomes(self) -> dict[str, int]:
        """Return how many rows would be added, changed, left the same, and rejected."""
        counts = self.plan["outcome"].value_counts()
        return {name: int(counts.get(name, 0)) for name in ("added", "changed", "same", "rejected")}

    def refused(self, accepted: Collection[str]) -> list[str]:
        """Return the kinds that keep the file out: all errors, and warnings not accepted."""
        let_through = set(accepted)
        if ACCEPT_ALL in let_through:
            return list(self.errors)
        return [*self.errors, *(kind for kind in self.warnings if kind not in let_through)]

    def rejected(self, accepted: Collection[str] = (), *, lang: Language = "en") -> DataFrame:
        """Return ``row``, ``code``, ``reason`` of the rows that keep the file out, by row."""
        refused = set(self.refused(accepted))
        faults = self.faults[self.faults["fault"].isin(refused) & self.faults["row"].notna()]
        known = load_kinds()
        # In Chinese by the name that the page uses, in English by the word that --accept takes.
        names = faults["fault"].map(
            lambda kind: known[kind].name_zh if lang == "zh" and kind in known else kind
        )
        table = DataFrame(
            {
                "row": faults["row"].astype("int64"),
                "code": faults["code"],
                "reason": names + ("：" if lang == "zh" else ": ") + faults[reason_column(lang)],
            }
        )
        grouped = table.groupby("row", as_index=False)
        return grouped.agg({"code": "first", "reason": ("" if lang == "zh" else " ").join})

    def left_out(self, *, lang: Language = "en") -> DataFrame:
        """Return ``row``, ``code``, ``reason`` of the rows that do not go in with the others."""
        return in_language(self.plan[self.plan["outcome"] == "rejected"], lang)

    def as_table(self, *, lang: Language = "en") -> DataFrame:
        """Return the faults without geometry; their places as ``lon`` and ``lat``, EPSG:4326."""
        places = shapely.point_on_surface(self.faults.geometry.to_numpy())
        plain = DataFrame(self.faults.drop(columns="geometry"))
        table = plain.assign(reason=plain[reason_column(lang)]).drop(columns="reason_zh")
        return table.assign(lon=shapely.get_x(places).round(7), lat=shapely.get_y(places).round(7))

    def _count(self, severity: Severity) -> dict[str, int]:
        if severity not in self._counts:
            own = self.faults["fault"][self.faults["severity"] == severity].value_counts()
            order = (*load_kinds(), *OWN_KINDS)
            self._counts[severity] = {kind: int(own[kind]) for kind in order if kind in own.index}
        return self._counts[severity]


def in_language(rejected: DataFrame, lang: Language) -> DataFrame:
    """Return ``row``, ``code``, ``reason`` of rows that have their reasons in both languages."""
    told = rejected.assign(reason=[one.say(lang) for one in reasons_in(rejected)])
    return told[["row", "code", "reason"]].reset_index(drop=True)


def faults_of_rows(kind: str, rows: DataFrame, reasons: Sequence[Reason]) -> GeoDataFrame:
    """Return a fault of `OWN_KINDS` for each row.

    Parameters
    ----------
    kind
        One of `OWN_KINDS`.
    rows
        ``row``, ``code`` and, where there is a place, ``geometry`` in EPSG:4326.
    reasons
        One for each.
    """
    count = len(rows)
    shapes = rows["geometry"].to_numpy() if "geometry" in rows.columns else [None] * count
    table = DataFrame(
        {
            "fault": [kind] * count,
            "severity": [OWN_KINDS[kind]] * count,
            "row": rows["row"].astype("Int64").to_numpy(),
            "code": rows["code"].astype(object).to_numpy(),
            "other_row": pd.array([pd.NA] * count, dtype="Int64"),
            "other_code": [None] * count,
            "measure": [float("nan")] * count,
            "unit": [""] * count,
            **reason_columns(reasons),
        }
    )
    return GeoDataFrame(table, geometry=list(shapes), crs=GEOGRAPHIC)


def changed_later(
    noun: Reason,
    rows: DataFrame,
    outcomes: Iterable[object],
    since: Mapping[str, date],
    *,
    valid_from: date,
) -> GeoDataFrame:
    """Return a fault for each row that would change a grid before the day of its last change.

    Parameters
    ----------
    noun
        What the rows are.
    rows
        As `faults_of_rows` takes them; EPSG:4326.
    outcomes
        What would become of each.
    since
        By code, the first day on which the grid was as it is.
    valid_from
        First day on which it is to be as the file says.
    """
    is_late = [
        outcome == "changed" and since[code] > valid_from
        for outcome, code in zip(outcomes, rows["code"], strict=True)
    ]
    late = rows[is_late]
    reasons = [
        reason("changed-later", noun=noun, code=code, since=since[code], day=valid_from)
        for code in late["code"]
    ]
    return faults_of_rows("changed-later", late, reasons)


def join_faults(found: Collection[GeoDataFrame]) -> GeoDataFrame:
    """Return faults of several checks as one frame, by row, those without one first; EPSG:4326."""
    filled = [frame for frame in found if len(frame)]
    if not filled:
        return next(iter(found))
    joined = pd.concat(filled, ignore_index=True)
    return GeoDataFrame(
        joined.sort_values("row", na_position="first", kind="stable", ignore_index=True),
        crs=GEOGRAPHIC,
    )

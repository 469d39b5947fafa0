"""What a register of households would do to the counts of stairwells."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from sqlalchemy.orm import Session

from geodata.columns import fields_of
from geodata.crs import GEOGRAPHIC
from geodata.reasons import Reason, joined, noun, reason, reason_columns, reasons_in
from geodata.register import Matches, household_counts, match_households
from gridsvc.territory.importing import grids_store
from gridsvc.territory.importing.findings import (
    Findings,
    changed_later,
    faults_of_rows,
    join_faults,
)
from gridsvc.territory.importing.source import fields_of_rows

_SHOWN_CANDIDATES = 3
_COUNT = "household_count"


def examine_households(
    session: Session, street_code: int, rows: GeoDataFrame, *, valid_from: date
) -> Findings:
    """Look at a register beside the stairwells, without changing anything.

    Parameters
    ----------
    rows
        ``row``, ``code``, ``fields`` (mapping, or JSON text), ``reason``, ``reason_zh``; no
        geometry (EPSG:4326).
    valid_from
        First day on which the counts hold.
    """
    stairwells = grids_store.read_named_stairwells(session, street_code)
    readable = rows["reason"].isna()
    matches = match_households(_records(rows[readable]), stairwells)
    plan = _plan(rows, matches, stairwells)
    unread = rows[~readable]
    since = dict(zip(stairwells["code"], stairwells["valid_from"], strict=True))
    found = [
        faults_of_rows("unreadable-value", unread, reasons_in(unread)),
        *_doubts(rows, matches),
        changed_later(noun("stairwell"), plan, plan["outcome"], since, valid_from=valid_from),
    ]
    return Findings(rows[["row", "geometry"]], join_faults(found), _no_repairs(), plan)


def counts_to_write(session: Session, street_code: int, rows: GeoDataFrame) -> Series:
    """Return the new counts of the stairwells that change, by code; EPSG:4326 or no geometry."""
    stairwells = grids_store.read_named_stairwells(session, street_code)
    matches = match_households(_records(rows[rows["reason"].isna()]), stairwells)
    return _differing(matches, stairwells)


def _records(rows: DataFrame) -> DataFrame:
    """Return rows as the register's reader gave them."""
    told = fields_of_rows(rows)
    records = told.reindex(columns=[name for name in fields_of("households") if name != "code"])
    counts = pd.array(records[_COUNT].to_numpy(), dtype="Int64")
    return records.assign(row=rows["row"], code=rows["code"], household_count=counts)


def _differing(matches: Matches, stairwells: DataFrame) -> Series:
    counts = household_counts(matches)
    stored = stairwells.set_index("code")[_COUNT].reindex(counts.index)
    return counts[counts != stored]


def _plan(rows: DataFrame, matches: Matches, stairwells: DataFrame) -> DataFrame:
    """Return what becomes of each row; one whose stairwell keeps its count changes nothing."""
    changing = set(_differing(matches, stairwells).index)
    codes = matches.matched.set_index("row")["stairwell_code"].astype(object)
    outcomes = codes.map(lambda code: "changed" if code in changing else "same")
    why = _reasons(matches)
    plan = DataFrame({"row": rows["row"].to_numpy()})
    plan["code"] = plan["row"].map(codes).astype(object)
    plan["parent_code"] = np.full(len(plan), None, dtype=object)
    for name, texts in _columns(why).items():
        plan[name] = plan["row"].map(texts).astype(object)
    plan["outcome"] = plan["row"].map(outcomes).astype(object)
    plan.loc[plan["reason"].notna(), "outcome"] = "rejected"
    return plan


def _columns(why: dict[int, Reason]) -> dict[str, dict[int, str]]:
    """Return reasons by row, a language each."""
    told = reason_columns(list(why.values()))
    return {name: dict(zip(why, texts, strict=True)) for name, texts in told.items()}


def _reasons(matches: Matches) -> dict[int, Reason]:
    """Return why rows do not go in, by row."""
    review = {
        int(row): _with_candidates(why, candidates)
        for row, why, candidates in zip(
            matches.review["row"],
            reasons_in(matches.review),
            matches.review["candidates"],
            strict=True,
        )
    }
    unmatched = dict(
        zip(map(int, matches.unmatched["row"]), reasons_in(matches.unmatched), strict=True)
    )
    again = {
        int(row): reason("room-taken", row=first)
        for row, first in zip(
            matches.duplicates["row"], matches.duplicates["first_row"], strict=True
        )
    }
    return review | unmatched | again


def _with_candidates(why: Reason, candidates: Sequence[tuple[str, float]]) -> Reason:
    shown = [code for code, _ in candidates[:_SHOWN_CANDIDATES]]
    if not shown:
        return why
    key = "could-be-more" if len(candidates) > _SHOWN_CANDIDATES else "could-be"
    return joined([why, reason(key, codes=Reason(", ".join(shown), "、".join(shown)))])


def _doubts(rows: DataFrame, matches: Matches) -> list[GeoDataFrame]:
    """Return the rows that name no stairwell, or more than one, as warnings."""
    reasons = _reasons(matches)
    found = []
    for kind, table in (
        ("unknown-stairwell", matches.unmatched),
        ("ambiguous-stairwell", matches.review),
    ):
        own = rows[rows["row"].isin(table["row"])]
        found.append(faults_of_rows(kind, own, [reasons[int(row)] for row in own["row"]]))
    return found


def _no_repairs() -> GeoDataFrame:
    table = DataFrame({"row": [], "area_change_m2": [], "area_change_share": []})
    return GeoDataFrame(table, geometry=[], crs=GEOGRAPHIC)

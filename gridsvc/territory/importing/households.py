"""What a register of households would do to the counts of stairwells."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import orjson
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from sqlalchemy.orm import Session

from geodata.columns import fields_of
from geodata.crs import GEOGRAPHIC
from geodata.register import Matches, household_counts, match_households
from gridsvc.territory.importing import store
from gridsvc.territory.importing.findings import Findings, faults_of_rows, join_faults

_SHOWN_CANDIDATES = 3
_COUNT = "household_count"


def examine_households(
    session: Session, street_code: int, rows: GeoDataFrame, *, valid_from: date
) -> Findings:
    """Look at a register beside the stairwells, without changing anything.

    Parameters
    ----------
    rows
        ``row``, ``code``, ``fields`` (mapping, or JSON text), ``reason``; no geometry (EPSG:4326).
    valid_from
        First day on which the counts hold.
    """
    stairwells = store.read_named_stairwells(session, street_code)
    readable = rows["reason"].isna()
    matches = match_households(_records(rows[readable]), stairwells)
    plan = _plan(rows, matches, stairwells)
    unread = rows[~readable]
    found = [
        faults_of_rows("unreadable-value", unread, list(unread["reason"])),
        *_doubts(rows, matches),
        _changed_later(plan, stairwells, valid_from),
    ]
    return Findings(rows[["row", "geometry"]], join_faults(found), _no_repairs(), plan)


def counts_to_write(session: Session, street_code: int, rows: GeoDataFrame) -> Series:
    """Return the new counts of the stairwells that change, by code; EPSG:4326 or no geometry."""
    stairwells = store.read_named_stairwells(session, street_code)
    matches = match_households(_records(rows[rows["reason"].isna()]), stairwells)
    return _differing(matches, stairwells)


def _records(rows: DataFrame) -> DataFrame:
    """Return rows as the register's reader gave them."""
    found = [orjson.loads(one) if isinstance(one, str) else one for one in rows["fields"]]
    told = DataFrame(found, index=rows.index, dtype="object")
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
    plan["reason"] = plan["row"].map(why).astype(object)
    plan["outcome"] = plan["row"].map(outcomes).astype(object)
    plan.loc[plan["reason"].notna(), "outcome"] = "rejected"
    return plan


def _reasons(matches: Matches) -> dict[int, str]:
    """Return why rows do not go in, by row."""
    review = {
        int(row): _with_candidates(reason, candidates)
        for row, reason, candidates in zip(
            *(matches.review[name] for name in ("row", "reason", "candidates")), strict=True
        )
    }
    unmatched = {
        int(row): str(reason)
        for row, reason in zip(matches.unmatched["row"], matches.unmatched["reason"], strict=True)
    }
    again = {
        int(row): f"The room is that of row {first} already."
        for row, first in zip(
            matches.duplicates["row"], matches.duplicates["first_row"], strict=True
        )
    }
    return review | unmatched | again


def _with_candidates(reason: str, candidates: Sequence[tuple[str, float]]) -> str:
    shown = ", ".join(code for code, _ in candidates[:_SHOWN_CANDIDATES])
    more = " …" if len(candidates) > _SHOWN_CANDIDATES else ""
    return f"{reason} It could be {shown}{more}." if shown else reason


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


def _changed_later(plan: DataFrame, stairwells: DataFrame, valid_from: date) -> GeoDataFrame:
    since = dict(zip(stairwells["code"], stairwells["valid_from"], strict=True))
    late = [
        outcome == "changed" and since[code] > valid_from
        for code, outcome in zip(plan["code"], plan["outcome"], strict=True)
    ]
    chosen = plan[late]
    reasons = [
        f"The stairwell {code} has been as it is since {since[code]}, after {valid_from}: "
        "choose a later day."
        for code in chosen["code"]
    ]
    return faults_of_rows("changed-later", chosen, reasons)


def _no_repairs() -> GeoDataFrame:
    table = DataFrame({"row": [], "area_change_m2": [], "area_change_share": []})
    return GeoDataFrame(table, geometry=[], crs=GEOGRAPHIC)

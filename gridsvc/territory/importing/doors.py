"""Entrances that came with a file of buildings, each with its building."""

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

from geodata.crs import GEOGRAPHIC
from geodata.entrances import Unmatched, match_entrances
from geodata.reasons import reason_columns
from gridsvc.territory.importing.findings import OWN_KINDS, Findings, join_faults

_KIND = "unmatched-entrance"


def with_entrances(findings: Findings, entrances: GeoDataFrame) -> Findings:
    """Return findings that also tell which entrance is whose, and which are nobody's.

    Parameters
    ----------
    findings
        Of buildings.
    entrances
        As `geodata.entrances.read_entrances` gives them; EPSG:4326.
    """
    codes = findings.plan["code"].astype(object).to_numpy()
    buildings = findings.features.assign(code=codes).reset_index(drop=True)
    matched = match_entrances(buildings, entrances)
    doors = matched.doors.assign(code=buildings["code"].loc[matched.doors["building"]].to_numpy())
    return Findings(
        findings.features,
        join_faults([findings.faults, _faults(matched.unmatched)]),
        findings.repairs,
        findings.plan,
        GeoDataFrame(doors[["code", "ref", "geometry"]], crs=GEOGRAPHIC),
    )


def _faults(unmatched: list[Unmatched]) -> GeoDataFrame:
    """Return a fault for each; it is of no row of the file, but its own is named in the reason."""
    count = len(unmatched)
    table = DataFrame(
        {
            "fault": [_KIND] * count,
            "severity": [OWN_KINDS[_KIND]] * count,
            "row": pd.array([pd.NA] * count, dtype="Int64"),
            "code": pd.Series([None] * count, dtype="object"),
            "other_row": pd.array([pd.NA] * count, dtype="Int64"),
            "other_code": pd.Series([one.building_code for one in unmatched], dtype="object"),
            "measure": pd.Series([float("nan")] * count, dtype="float64"),
            "unit": [""] * count,
            **reason_columns([one.why for one in unmatched]),
        }
    )
    points = np.full(count, None, dtype=object)
    points[:] = [one.point for one in unmatched]
    return GeoDataFrame(table, geometry=points, crs=GEOGRAPHIC)

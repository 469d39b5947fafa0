"""Incidents of the sample: counts as published, clustered in place and time, all closed."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.random import Generator

from geodata.apportionment import apportion
from geodata.categories import class_of
from geodata.sample.chance import Ints, stream, uuid7_texts
from geodata.sample.frames import to_lon_lat
from geodata.sample.hot_spots import (
    Scene,
    outside_points,
    set_scene,
    stairwell_points,
    street_points,
    yard_points,
)
from geodata.sample.lines import Geometries
from geodata.sample.moments import BEGIN_MS, END_MS, closing_moments, report_moments
from geodata.sample.settlement import Settlement
from geodata.sample.town import load_words

_STOREYS = {"lift.retrofit": "low", "lift.fault": "high"}
_AGREED = "lift.retrofit"
_AGREED_AFTER_MS = 60 * 86_400_000
_AGREED_BEFORE_MS = 40 * 86_400_000


def make_incidents(settlement: Settlement, *, seed: int, scale: float) -> GeoDataFrame:
    """Return the incidents frame, by moment of reporting.

    Parameters
    ----------
    settlement
        The town.
    seed, scale
        As `geodata.sample.make_sample`.

    Returns
    -------
    GeoDataFrame
        As `geodata.sample.Sample`; EPSG:4326.
    """
    random = stream(seed, "incidents")
    scene = set_scene(settlement, random=random)
    parts = [
        _of_class(scene, name, round(count * scale), random)
        for name, count in settlement.town.counts["incidents"].items()
    ]
    incidents = pd.concat(parts, ignore_index=True)
    places = incidents.pop("place").to_numpy(copy=True)
    outside = max(1, round(settlement.town.counts["incidents_outside"] * scale))
    on_street = random.permutation(np.flatnonzero(incidents.pop("where") == 2))[:outside]
    places[on_street] = outside_points(scene, len(on_street), random=random)
    _agree_on_lift(settlement, incidents, places)
    order = np.argsort(incidents["reported_ms"].to_numpy(), kind="stable")
    incidents, points = incidents.iloc[order], to_lon_lat(places[order], settlement.crs)
    return gpd.GeoDataFrame(
        {
            "id": uuid7_texts(incidents["reported_ms"], random=random),
            "community_code": locate(points.to_numpy(), settlement),
            "category_code": incidents["category_code"].to_numpy(),
            "status": "closed",
            "reported_at": _moments(incidents["reported_ms"].to_numpy()),
            "closed_at": _moments(incidents["closed_ms"].to_numpy()),
            "summary": incidents["summary"].to_numpy(),
        },
        geometry=points,
    )


def locate(points: Geometries, settlement: Settlement) -> Ints:
    """Return the community that contains each point (EPSG:4326), else the sub-district's code."""
    communities = settlement.territory.communities
    tree = shapely.STRtree(communities.geometry.to_numpy())
    place, community = tree.query(points, predicate="within")
    codes = np.full(len(points), settlement.town.street_code, dtype=np.int64)
    codes[place] = communities["code"].to_numpy()[community]
    return codes


def _moments(moments_ms: Ints) -> pd.DatetimeIndex:
    """Return moments as UTC times, to the second."""
    return pd.to_datetime(moments_ms // 1000, unit="s", utc=True)


def _of_class(scene: Scene, name: str, count: int, random: Generator) -> pd.DataFrame:
    """Return the incidents of one class, with ``place`` (metric) and ``where`` (2: street)."""
    words = load_words()
    rhythm = words["rhythms"][name]
    kinds = {code: row for code, row in words["incidents"].items() if class_of(code) == name}
    shares = apportion(count, [row["share"] for row in kinds.values()])
    tables = []
    for (code, row), wanted in zip(kinds.items(), shares.tolist(), strict=True):
        where, places = _place(scene, code, row, wanted, rhythm["heat"], random)
        reported = report_moments(rhythm, wanted, random)
        text = random.integers(len(row["texts"]), size=wanted).tolist()
        tables.append(
            pd.DataFrame(
                {
                    "category_code": code,
                    "reported_ms": reported,
                    "closed_ms": closing_moments(
                        reported, median_days=rhythm["days"], random=random
                    ),
                    "summary": [row["texts"][i] for i in text],
                    "where": where,
                    "place": places,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _place(
    scene: Scene, code: str, row: dict[str, Any], count: int, heat: float, random: Generator
) -> tuple[Ints, Geometries]:
    """Return where (0 stairwell, 1 yard, 2 street) and the points of one sub-category."""
    shares = apportion(count, row["where"])
    storeys = _STOREYS.get(code, "any")
    points = [
        stairwell_points(scene, int(shares[0]), heat=heat, storeys=storeys, random=random),
        yard_points(scene, int(shares[1]), heat=heat, random=random),
        street_points(scene, int(shares[2]), heat=heat, random=random),
    ]
    return np.repeat(np.arange(3), shares), np.concatenate(points)


def _agree_on_lift(settlement: Settlement, incidents: pd.DataFrame, places: Geometries) -> None:
    """Make one lift-retrofit incident that of the published building, in place.

    Below scale 1 its compound has fewer buildings: then it is the last of them.
    """
    wanted = settlement.town.lift_building
    plans = settlement.plan.compounds
    compound = [plan.name for plan in plans].index(wanted["compound"])
    homes = settlement.buildings[settlement.buildings["compound"] == compound]
    homes = homes[homes["kind"] != "other"].sort_values("code")
    building = homes.index[min(wanted["number"], len(homes)) - 1]
    own = np.flatnonzero(settlement.stairwells["building"].to_numpy() == building)
    first = np.flatnonzero((incidents["category_code"] == _AGREED).to_numpy())[:1]
    places[first] = shapely.point_on_surface(settlement.stairwells.geometry.to_numpy()[own[:1]])
    incidents.loc[first, "summary"] = load_words()["lift_agreement"]
    incidents.loc[first, "reported_ms"] = BEGIN_MS + _AGREED_AFTER_MS
    incidents.loc[first, "closed_ms"] = END_MS - _AGREED_BEFORE_MS

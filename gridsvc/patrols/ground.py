"""From frames to the arrays of the solver, and from an order of stops back to a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame, GeoSeries
from shapely import LineString, get_coordinates

from geodata.network import (
    FLAT_SPEED_M_S,
    Snapped,
    WalkingNetwork,
    straight_matrix_m,
)
from gridsvc.patrols.problem import Floats, PatrolProblem, whole_seconds

STOP_S = 120
"""Seconds at a stop: in at the door, meters and escape way looked at, out again."""


@dataclass(frozen=True)
class Ground:
    """Walking among stops and posts (stops first), by the network or by straight lines.

    Attributes
    ----------
    points
        Shape (k,), EPSG:4326.
    network
        None where the community has no walkways.
    matrix_s, matrix_m
        Shape (k, k), seconds and metres; infinite where there is no way.
    """

    points: GeoSeries
    network: WalkingNetwork | None
    snapped: Snapped | None
    matrix_s: Floats
    matrix_m: Floats

    @classmethod
    def of(
        cls, stops: GeoDataFrame, teams: GeoDataFrame, network: WalkingNetwork | None
    ) -> "Ground":
        """Measure the ways among stops and posts.

        Parameters
        ----------
        stops, teams
            ``geometry`` (points, EPSG:4326).
        network
            Of the community, made once for all its groups; None: straight lines × circuity.
        """
        points = GeoSeries(
            pd.concat([stops.geometry, teams.geometry], ignore_index=True), crs=stops.crs
        )
        if network is None:
            metres = straight_matrix_m(points)
            return cls(points, None, None, metres / FLAT_SPEED_M_S, metres)
        snapped = network.snap(points)
        metres = network.matrix_m(snapped, with_offsets=True)
        return cls(points, network, snapped, network.matrix_s(snapped), metres)

    @property
    def kind(self) -> str:
        """What distances rest on: ``streets`` or ``straight``."""
        return "straight" if self.network is None else "streets"

    def line(self, order: Sequence[int]) -> LineString:
        """Return the way through places in an order, EPSG:4326; empty for fewer than two."""
        if self.network is not None and self.snapped is not None:
            return self.network.route(self.snapped, order)
        places = get_coordinates(self.points.to_numpy())
        return LineString(places[list(order)]) if len(order) > 1 else LineString()

    def length_m(self, order: Sequence[int]) -> int:
        """Return the metres walked through places in an order."""
        places = np.asarray(order, dtype=np.int64)
        return round(float(self.matrix_m[places[:-1], places[1:]].sum()))


def problem_of(candidates: GeoDataFrame, teams: GeoDataFrame, ground: Ground) -> PatrolProblem:
    """Turn frames into the arrays of the solver; times count from midnight.

    Parameters
    ----------
    candidates
        ``prize``, ``geometry`` (points, EPSG:4326): the first places of ``ground``.
    teams
        ``starts``, ``ends`` (times of day), ``geometry`` (post, EPSG:4326): its other places.
    """
    count = len(candidates)
    posts = np.arange(count, count + len(teams))
    return PatrolProblem(
        matrix_s=whole_seconds(ground.matrix_s),
        prizes=candidates["prize"].to_numpy(np.int64),
        service_s=np.full(count, STOP_S),
        required=np.zeros(count, dtype=np.bool_),
        team_start=posts,
        team_end=posts,
        shift_start_s=np.array(
            [seconds_of_day(start) for start in teams["starts"]], dtype=np.int64
        ),
        shift_end_s=np.array([seconds_of_day(end) for end in teams["ends"]], dtype=np.int64),
    )


def seconds_of_day(hour: time) -> int:
    """Return the seconds from midnight to a time of day."""
    return hour.hour * 3600 + hour.minute * 60 + hour.second

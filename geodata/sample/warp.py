"""Bend the plan plane into a town: round its corners, wind its river, turn it off north."""

from dataclasses import dataclass

import numpy as np

from geodata.sample.chance import Floats, stream

_ROUNDING = 0.2
_WAVES_M = (1900.0, 2600.0, 3400.0, 4300.0)
_WAVE_HEIGHT = 1 / 85
_RIVER_BEND_M = 95.0
_RIVER_WAVE_M = 3300.0
_SURVEY_M = 1e-3


@dataclass(frozen=True)
class Warp:
    """A smooth map from the plan plane to a metric CRS; build it with `make_warp`."""

    half_m: Floats
    centre: Floats
    turn: float
    river_phase: float
    directions: Floats
    phases: Floats

    def __call__(self, plan: Floats) -> Floats:
        """Return metric coordinates, shape (n, 2), of plan coordinates, rounded to a millimetre."""
        unit = plan / self.half_m - 1.0
        x = self.half_m[0] * unit[:, 0] * np.sqrt(1 - _ROUNDING * np.minimum(unit[:, 1] ** 2, 1.5))
        y = self.half_m[1] * unit[:, 1] * np.sqrt(1 - _ROUNDING * np.minimum(unit[:, 0] ** 2, 1.5))
        eastern = np.clip((unit[:, 0] + 0.2) / 1.2, 0, 1) ** 2
        wave = 2 * np.pi * plan[:, 1] / _RIVER_WAVE_M + self.river_phase
        x = x + _RIVER_BEND_M * eastern * np.sin(wave)
        for length, direction, phase in zip(_WAVES_M, self.directions, self.phases, strict=True):
            along = plan @ np.array([np.cos(direction[0]), np.sin(direction[0])])
            shift = length * _WAVE_HEIGHT * np.sin(2 * np.pi * along / length + phase)
            x = x + shift * np.cos(direction[1])
            y = y + shift * np.sin(direction[1])
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        turned = np.column_stack([cos * x - sin * y, sin * x + cos * y])
        rounded: Floats = np.round((turned + self.centre) / _SURVEY_M) * _SURVEY_M
        return rounded

    def east(self, plan: Floats) -> Floats:
        """Return the direction, radians from the x axis, in which u grows at plan coordinates."""
        step = np.array([20.0, 0.0])
        rise = self(plan + step) - self(plan - step)
        angle: Floats = np.arctan2(rise[:, 1], rise[:, 0])
        return angle


def make_warp(*, width_m: float, height_m: float, x: float, y: float, seed: int) -> Warp:
    """Choose how the plane bends.

    Parameters
    ----------
    width_m, height_m
        Size of the plan plane.
    x, y
        Where its middle goes, metric CRS.
    seed
        Same seed, same bends.
    """
    random = stream(seed, "warp")
    waves = len(_WAVES_M)
    return Warp(
        half_m=np.array([width_m, height_m]) / 2,
        centre=np.array([x, y]),
        turn=float(random.choice([-1, 1]) * random.uniform(0.05, 0.13)),
        river_phase=float(random.uniform(0, 2 * np.pi)),
        directions=random.uniform(0, 2 * np.pi, (waves, 2)),
        phases=random.uniform(0, 2 * np.pi, waves),
    )

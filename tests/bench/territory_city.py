"""What the territory benchmarks ask for: the sample town, a large sub-district, files to bring in.

The large sub-district has 20 communities of 25 compounds of 20 buildings of 10 stairwells each:
100,000 stairwells. The sub-districts that files are brought into have 20 compounds and nothing in
them; each file holds 500 buildings for each compound, slabs of 40 by 12 m turned a little.
"""

# ruff: noqa: S608 - numbers and words of our own

import math
from pathlib import Path

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from api.cli import demo_command as demo
from api.cli.runtime import Runtime
from geodata.sample import make_sample
from gridsvc.db import refresh_statistics
from gridsvc.incidents import service as incidents
from gridsvc.territory import service as territory
from tests.databases import Clone

TOWN = demo.STREET
LARGE = 440606001000
STAIRWELLS = 100_000
EMPTY = (440607001000, 440607002000, 440607003000, 440607004000)
"""Sub-districts to bring files into, one a round."""

BUILDINGS = 10_000
_COMPOUNDS = 20
_WEST, _SOUTH = 113.3, 23.3
_SIDE = 0.012
"""Degrees that a compound of an empty sub-district takes; it is 20 buildings wide and 25 high."""

_LARGE = (
    f"INSERT INTO gridsvc.street (code, name) VALUES ({LARGE}, '大街道')",
    f"""
    INSERT INTO gridsvc.community (code, street_code, name, geom)
    SELECT {LARGE} + n, {LARGE}, '第' || n || '社区',
           ST_Multi(ST_MakeEnvelope(x, 24, x + 0.01, 24.01, 4326))
    FROM generate_series(1, 20) n, LATERAL (SELECT 113 + 0.01 * n AS x) corner
    """,
    f"""
    INSERT INTO gridsvc.compound (community_code, code, name, geom)
    SELECT c.code, c.code || lpad(k::text, 3, '0'), '第' || k || '苑',
           ST_Multi(ST_MakeEnvelope(x, y, x + 0.0019, y + 0.0019, 4326))
    FROM gridsvc.community c, generate_series(1, 25) k,
    LATERAL (SELECT ST_XMin(c.geom) + 0.002 * mod(k - 1, 5) AS x,
        24 + 0.002 * ((k - 1) / 5) AS y) corner
    WHERE c.street_code = {LARGE}
    """,
    f"""
    INSERT INTO gridsvc.building (community_code, compound_code, code, name, kind, levels, geom)
    SELECT c.community_code, c.code, c.code || lpad(b::text, 3, '0'), b || '栋', 'slab', 8,
           ST_MakeEnvelope(x, y, x + 0.0008, y + 0.0001, 4326)
    FROM gridsvc.compound c, generate_series(1, 20) b,
    LATERAL (SELECT ST_XMin(c.geom) + 0.001 * mod(b - 1, 2) AS x,
        ST_YMin(c.geom) + 0.00019 * ((b - 1) / 2) AS y) corner
    WHERE c.community_code / 1000 * 1000 = {LARGE}
    """,
    f"""
    INSERT INTO gridsvc.stairwell
        (community_code, compound_code, building_code, code, name, household_count,
         told_household_count, geom)
    SELECT b.community_code, b.compound_code, b.code, b.code || lpad(t::text, 2, '0'), t || '梯',
           16 + t, 16 + t, ST_MakeEnvelope(x, ST_YMin(b.geom), x + 0.00008, ST_YMax(b.geom), 4326)
    FROM gridsvc.building b, generate_series(1, 10) t,
    LATERAL (SELECT ST_XMin(b.geom) + 0.00008 * (t - 1) AS x) corner
    WHERE b.community_code / 1000 * 1000 = {LARGE}
    """,
)


def load_town(runtime: Runtime) -> None:
    """Load the sample sub-district."""
    sample = make_sample(seed=1, scale=1.0)
    with runtime.job_session(TOWN) as session:
        incidents.apply_catalogue(session)
        territory.load(session, sample.territory)
        refresh_statistics(session)


def load_large(clone: Clone) -> None:
    """Load the large sub-district."""
    for statement in _LARGE:
        # Unless the tables above are analysed, each row is held against the whole of them.
        clone.run("SET LOCAL statement_timeout = 0", statement)
        clone.run("ANALYZE gridsvc.compound, gridsvc.building, gridsvc.stairwell")


def load_empty(clone: Clone) -> None:
    """Load the sub-districts that have compounds and nothing in them."""
    for number, street in enumerate(EMPTY):
        west = _west(number)
        statements = [
            f"INSERT INTO gridsvc.street (code, name) VALUES ({street}, '新街道')",
            f"""
            INSERT INTO gridsvc.community (code, street_code, name, geom)
            VALUES ({street + 1}, {street}, '新社区', ST_Multi(ST_MakeEnvelope(
                {west}, {_SOUTH}, {west + 5 * _SIDE}, {_SOUTH + 4 * _SIDE}, 4326)))
            """,
            f"""
            INSERT INTO gridsvc.compound (community_code, code, name, geom)
            SELECT {street + 1}, '{street + 1}' || lpad((k + 1)::text, 3, '0'), k || '苑',
                ST_Multi(ST_MakeEnvelope(x, y, x + {_SIDE}, y + {_SIDE}, 4326))
            FROM generate_series(0, {_COMPOUNDS - 1}) k,
            LATERAL (SELECT {west} + {_SIDE} * mod(k, 5) AS x, {_SOUTH} + {_SIDE} * (k / 5) AS y) p
            """,
        ]
        clone.run(*statements)


def write_buildings(folder: Path, number: int) -> Path:
    """Write the buildings of an empty sub-district as GeoPackage, EPSG:4326."""
    places = [_building(number, k, b) for k in range(_COMPOUNDS) for b in range(500)]
    names = [f"{b + 1}栋" for _ in range(_COMPOUNDS) for b in range(500)]
    parents = [f"{EMPTY[number] + 1}{k + 1:03d}" for k in range(_COMPOUNDS) for _ in range(500)]
    table = {"name": names, "compound_code": parents, "levels": [8] * len(names)}
    path = folder / f"buildings_{number}.gpkg"
    shapes = shapely.polygons(np.array(places))
    geopandas.GeoDataFrame(table, geometry=shapes, crs=4326).to_file(path, layer="buildings")
    return path


def _west(number: int) -> float:
    return _WEST + 6 * _SIDE * number


def _building(number: int, compound: int, building: int) -> NDArray[np.float64]:
    """Return the corners of a slab, degrees."""
    turn = math.radians(building % 11 - 5)
    along = np.array([math.cos(turn), math.sin(turn)])
    across = np.array([-along[1], along[0]])
    metres = [20 * a * along + 6 * b * across for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    metre = np.array([1 / (111_320 * math.cos(math.radians(_SOUTH))), 1 / 110_574])
    west = _west(number) + _SIDE * (compound % 5 + (building % 20 + 0.5) / 20)
    south = _SOUTH + _SIDE * (compound // 5 + (building // 20 + 0.5) / 25)
    corners: NDArray[np.float64] = np.array([west, south]) + np.array(metres) * metre
    return corners

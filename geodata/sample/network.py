"""Bring streets, gates and ways in blocks together as the walkways frame."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from geodata.sample.chance import Floats, Ints, stream
from geodata.sample.footprints import Footprints
from geodata.sample.gates import Gates, open_gates
from geodata.sample.ground import Ground
from geodata.sample.lake import lay_loop
from geodata.sample.layout import BORDER, LANE, OUTSIDE, PROMENADE, SECONDARY, STEPS
from geodata.sample.lines import Geometries, array_of, cut_lines
from geodata.sample.paths import lay_ways
from geodata.sample.plan import TownPlan
from geodata.sample.rows import Site, middle_rows, trim_paths
from geodata.sample.town import Town
from geodata.sample.turning import Turning

_STREET_KINDS = {
    BORDER: "street",
    SECONDARY: "street",
    LANE: "residential",
    PROMENADE: "footpath",
    STEPS: "steps",
    OUTSIDE: "street",
}
_ASIDE_M = 1.0


@dataclass(frozen=True)
class Network:
    """All ways, metric.

    Attributes
    ----------
    walkways
        ``kind``, ``name``, ``community`` (place, -1 outside every community), ``block`` (-1 for
        streets), ``geometry`` (line strings that meet at their ends only).
    main_gates
        Shape (blocks without gardens and lake, 2): inside the wall.
    """

    walkways: GeoDataFrame
    main_gates: Floats


def build_network(
    town: Town,
    plan: TownPlan,
    ground: Ground,
    site: Site,
    rows: DataFrame,
    turning: Turning,
    *,
    houses: DataFrame,
    shapes: Footprints,
    seed: int,
) -> Network:
    """Return the walking network.

    Parameters
    ----------
    town, plan, ground
        Names, blocks and streets.
    site, turning
        As `geodata.sample.paths.lay_ways`.
    rows, houses, shapes
        Of the compounds: rows, houses in them, doors of those.
    seed
        Same seed, same network.
    """
    random = stream(seed, "network")
    rows = middle_rows(site, trim_paths(rows, houses, site), first=len(plan.compounds))
    door_row = houses["row"].to_numpy()[shapes.house]
    ways = lay_ways(site, rows, turning, doors=shapes.doors, door_row=door_row)
    gates = open_gates(site, rows, ground, turning, random=random)
    loops = []
    for block in range(len(site.axes), len(plan.blocks)):
        is_lake = plan.blocks[block].use == "lake"
        loop, exits = lay_loop(ground, block, exits=7 if is_lake else 4, random=random)
        loops.append((loop, exits, town.lake["path"] if is_lake else None))
    streets = _cut_streets(ground, gates, *(exits for _, exits, _ in loops))
    community = np.array([block.community for block in plan.blocks])
    parts = [
        streets.assign(block=-1),
        _part(ways.lines, ways.kinds, ways.blocks, community),
        _part(_through(gates), "service", gates.block, community),
    ]
    for loop, exits, name in loops:
        own = np.full(len(loop), exits.block[0])
        parts.append(_part(loop, "footpath", own, community, name=name))
        parts.append(_part(_through(exits), "footpath", exits.block, community))
    walkways = pd.concat(parts, ignore_index=True)
    return Network(GeoDataFrame(walkways, geometry="geometry"), gates.inner[: len(site.axes)])


def _part(
    lines: Geometries,
    kind: str | list[str],
    block: Ints,
    community: Ints,
    *,
    name: str | None = None,
) -> DataFrame:
    """Return the columns of `Network.walkways` for ways in blocks."""
    names = Series([name] * len(lines), dtype="str")
    table = {"geometry": lines, "kind": kind, "name": names, "community": community[block]}
    return DataFrame({**table, "block": block})


def _through(gates: Gates) -> Geometries:
    """Return the ways from gates to the street."""
    return array_of(shapely.linestrings(np.stack([gates.inner, gates.outer], axis=1)))


def _cut_streets(ground: Ground, *arrivals: Gates) -> DataFrame:
    """Return streets cut where gates arrive: geometry, kind, name, community."""
    owner = np.concatenate([gates.street for gates in arrivals])
    points = np.concatenate([gates.outer for gates in arrivals])
    pieces, origin = cut_lines(ground.streets, owner=owner, points=points)
    return DataFrame(
        {
            "geometry": pieces,
            "kind": [_STREET_KINDS[rank] for rank in ground.ranks[origin].tolist()],
            "name": Series([ground.names[i] for i in origin.tolist()], dtype="str"),
            "community": _beside(pieces, ground.communities),
        }
    )


def _beside(streets: Geometries, communities: Geometries) -> Ints:
    """Return the community on the left of each street, else on its right, else -1."""
    ends = shapely.get_coordinates(
        shapely.line_interpolate_point(streets, [[0.49], [0.51]], normalized=True)
    )
    first, second = ends.reshape(2, len(streets), 2)
    run = second - first
    left = np.column_stack([-run[:, 1], run[:, 0]]) / np.hypot(*run.T)[:, None] * _ASIDE_M
    tree = shapely.STRtree(communities)
    result = np.full(len(streets), -1)
    for aside in (-left, left):
        place, community = tree.query(
            shapely.points((first + second) / 2 + aside), predicate="within"
        )
        result[place] = community
    return result

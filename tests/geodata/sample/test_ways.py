"""The walking network: noded, connected, through the gates, around the houses."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.sample import Sample
from geodata.territory import Territory
from tests.geodata.sample.measured import Measured, meeting_pairs, place

DEGREE = 1e-7


def ends_of(territory: Territory) -> NDArray[np.float64]:
    """First and last point of each walkway, shape (n, 2, 2), degrees."""
    lines = territory.walkways.geometry.to_numpy()
    first, last = (shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1))
    return np.stack([first, last], axis=1)


def test_the_network_is_connected(measured: Measured) -> None:
    ends = ends_of(measured.territory)
    _, node = np.unique(np.round(ends.reshape(-1, 2) / DEGREE), axis=0, return_inverse=True)
    start, stop = node.reshape(-1, 2).T
    size = int(node.max()) + 1
    graph = coo_array((np.ones(len(start)), (start, stop)), shape=(size, size))
    parts, _ = connected_components(graph, directed=False)
    assert parts == 1


def test_ways_meet_at_their_ends_only(measured: Measured) -> None:
    lines = measured.territory.walkways.geometry.to_numpy()
    ends = ends_of(measured.territory)
    one, other = meeting_pairs(lines)
    meetings, pair = shapely.get_parts(
        shapely.intersection(lines[one], lines[other]), return_index=True
    )
    assert (shapely.get_type_id(meetings) == shapely.GeometryType.POINT).all()
    where = shapely.get_coordinates(meetings)[:, None]
    for side in (one, other):
        off = np.abs(ends[side[pair]] - where).max(axis=2).min(axis=1)
        assert off.max() < DEGREE


def test_ways_have_length_ids_and_kinds(measured: Measured) -> None:
    walkways = measured.territory.walkways
    assert walkways["id"].is_unique
    assert (shapely.length(measured.walkways) > 0).all()
    assert set(walkways["kind"]) == {"street", "residential", "footpath", "steps", "service"}


def test_ways_are_cut_at_borders_and_carry_their_community(measured: Measured) -> None:
    frames = measured.territory
    outside = (frames.walkways["community_code"] == frames.street_code).to_numpy()
    rows = place(frames.communities, frames.walkways.loc[~outside, "community_code"])
    own = shapely.buffer(measured.communities, 0.1)[rows]
    assert shapely.covers(own, measured.walkways[~outside]).all()
    town = shapely.buffer(shapely.union_all(measured.communities), -0.1)
    assert outside.any()
    assert not shapely.intersects(town, measured.walkways[outside]).any()


def test_no_way_leads_through_a_house(measured: Measured) -> None:
    way, house = shapely.STRtree(measured.buildings).query(
        measured.walkways, predicate="intersects"
    )
    inside = shapely.length(shapely.intersection(measured.walkways[way], measured.buildings[house]))
    # A path ends at a door, and rounding may put its end a centimetre behind it.
    assert inside.max() < 0.03


def test_every_stairwell_has_a_path_to_its_door(measured: Measured) -> None:
    ends = np.asarray(shapely.points(ends_of(measured.territory).reshape(-1, 2)))
    doors = measured.territory.stairwells.geometry.to_numpy()
    stairwell, _ = shapely.STRtree(ends).query(doors, predicate="dwithin", distance=3e-7)
    assert len(np.unique(stairwell)) == len(doors)


def test_every_compound_has_a_gate_in_its_wall(measured: Measured) -> None:
    walls = shapely.boundary(measured.compounds)
    wall, way = shapely.STRtree(measured.walkways).query(walls, predicate="crosses")
    assert len(np.unique(wall)) == len(walls)
    assert set(measured.territory.walkways["kind"].iloc[np.unique(way)]) == {"service"}


def test_main_streets_have_names(full: Sample) -> None:
    walkways = full.territory.walkways
    named = walkways.loc[walkways["kind"] == "street", "name"]
    assert named.notna().all()
    assert {"桂澜路", "滨江大道"} <= set(named)
    assert walkways["name"].isna().any()

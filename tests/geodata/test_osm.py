"""Reading an OpenStreetMap extract: small extracts written here, and files that are none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import osmium
import pytest
import shapely

from geodata.errors import (
    InvalidParameterError,
    NoResidentialBuildingError,
    SequenceOverflowError,
    UnreadableFileError,
)
from geodata.osm import OsmTerritory, read_territory
from geodata.osm.extract import read_extract
from geodata.osm.report import KindCount

CODE = 440605011016
METRE = 1e-5  # about


class Draft:
    """An extract in the making: shapes in metres from a corner near Guicheng."""

    def __init__(self, path: Path, *, header: Any = None) -> None:
        self.writer = osmium.SimpleWriter(str(path), header=header or osmium.io.Header())
        self.last = 0
        self.things: list[tuple[Any, Any]] = []

    def node(self, x: float, y: float, **tags: str) -> int:
        self.last += 1
        place: Any = (113 + x * METRE, 23 + y * METRE)
        self.writer.add_node(osmium.osm.mutable.Node(id=self.last, location=place, tags=tags))
        return self.last

    def way(self, places: Sequence[int | tuple[float, float]], **tags: str) -> int:
        """Plan a way; a place is a node's number or (x, y). Ways follow all nodes in a file."""
        nodes = [place if isinstance(place, int) else self.node(*place) for place in places]
        self.last += 1
        way = osmium.osm.mutable.Way(id=self.last, nodes=nodes, tags=tags)
        self.things.append((self.writer.add_way, way))
        return self.last

    def ring(self, xmin: float, ymin: float, xmax: float, ymax: float, **tags: str) -> int:
        places = [(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax)]
        corners = [self.node(x, y) for x, y in places]
        return self.way([*corners, corners[0]], **tags)

    def relation(self, members: list[tuple[int, str]], **tags: str) -> None:
        self.last += 1
        relation = osmium.osm.mutable.Relation(
            id=self.last,
            members=[("w", way, role) for way, role in members],
            tags={"type": "multipolygon", **tags},
        )
        self.things.append((self.writer.add_relation, relation))

    def close(self) -> None:
        self.things.sort(key=lambda thing: isinstance(thing[1], osmium.osm.mutable.Relation))
        for add, thing in self.things:
            add(thing)
        self.writer.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "town.osm.pbf"


@pytest.fixture
def draft(path: Path) -> Draft:
    return Draft(path)


def read(path: Path, **options: Any) -> OsmTerritory:
    return read_territory(path, community_code=CODE, community_name="翠颐", **options)


def count_of(result: OsmTerritory, kind: str = "building outlines") -> KindCount:
    return next(one for one in result.report.counts if one.kind == kind)


def left_out(result: OsmTerritory, kind: str = "building outlines") -> dict[str, int]:
    return dict(count_of(result, kind).left_out)


def test_a_tagged_building_is_read_with_its_levels_name_and_stairwells(
    draft: Draft, path: Path
) -> None:
    draft.ring(0, 0, 48, 12, building="apartments", name="12栋", **{"building:levels": "8"})
    draft.close()
    town = read(path, street_name="桂城街道").territory
    building = town.buildings.iloc[0]
    assert (building["name"], building["kind"], building["levels"]) == ("12栋", "slab", 8)
    assert list(town.stairwells["name"]) == ["1梯", "2梯", "3梯"]
    assert list(town.stairwells["household_count"]) == [16, 16, 16]
    assert (town.street_code, town.street_name) == (440605011000, "桂城街道")
    assert town.communities.iloc[0]["name"] == "翠颐"


def test_levels_come_from_the_height_where_no_levels_are_tagged(draft: Draft, path: Path) -> None:
    draft.ring(0, 0, 30, 30, building="apartments", height="54 m")
    draft.ring(60, 0, 90, 30, building="apartments", height="60'")
    draft.ring(120, 0, 150, 30, building="apartments", **{"building:levels": "many"})
    draft.ring(180, 0, 210, 30, building="apartments", **{"building:levels": "3.5"})
    draft.close()
    buildings = read(path).territory.buildings
    assert list(buildings["levels"].fillna(0)) == [18, 6, 0, 3]
    assert list(buildings["kind"]) == ["tower", "other", "other", "other"]


def test_a_building_without_a_name_is_called_by_its_address_or_its_number(
    draft: Draft, path: Path
) -> None:
    address = {"addr:street": "成府路", "addr:housenumber": "28"}
    draft.ring(0, 0, 30, 12, building="residential", **address)
    draft.ring(60, 0, 90, 12, building="residential", **{"addr:housenumber": "28"})
    draft.ring(120, 0, 150, 12, building="residential", ref="C7")
    draft.ring(180, 0, 210, 12, building="residential", name=" ")
    draft.close()
    assert list(read(path).territory.buildings["name"]) == ["成府路 28", "28", "C7", "4栋"]


def test_untagged_buildings_count_only_inside_a_residential_area(draft: Draft, path: Path) -> None:
    draft.ring(-10, -10, 100, 50, landuse="residential")
    draft.ring(0, 0, 30, 12, building="yes")
    draft.ring(40, 0, 70, 12, building="yes", amenity="school")
    draft.ring(80, 0, 85, 5, building="yes")
    draft.ring(80, 20, 95, 35, building="school")
    draft.ring(200, 0, 230, 12, building="yes")
    draft.node(50, 40, building="yes")
    draft.close()
    result = read(path)
    assert len(result.territory.buildings) == 1
    assert left_out(result) == {
        "tagged as something other than a home": 2,
        "without a use in its tags, smaller than 40 m²": 1,
        "without a use in its tags, outside every residential area": 1,
        "mapped as a point, without an outline": 1,
    }


def test_a_house_counts_one_household_and_flats_without_levels_twelve_a_stairwell(
    draft: Draft, path: Path
) -> None:
    draft.ring(0, 0, 12, 12, building="house", **{"building:levels": "2"})
    draft.ring(60, 0, 72, 12, building="residential")
    draft.ring(120, 0, 140, 12, building="residential")
    draft.close()
    assert list(read(path).territory.stairwells["household_count"]) == [1, 1, 12]


def test_a_courtyard_counts_as_ground_unless_a_home_stands_in_it(draft: Draft, path: Path) -> None:
    for x in (0, 200):
        outer, inner = draft.ring(x, 0, x + 60, 60), draft.ring(x + 15, 15, x + 45, 45)
        draft.relation([(outer, "outer"), (inner, "inner")], building="apartments")
    draft.ring(220, 20, 240, 40, building="apartments")
    draft.close()
    result = read(path)
    holes = shapely.get_num_interior_rings(result.territory.buildings.geometry.to_numpy())
    assert sorted(holes) == [0, 0, 1]
    assert any("2 buildings have courtyards" in note for note in result.report.notes)


def test_an_outline_that_crosses_itself_is_mended(draft: Draft, path: Path) -> None:
    corners = [draft.node(*place) for place in [(0, 0), (40, 0), (10, 30), (30, 30)]]
    draft.way([*corners, corners[0]], building="apartments")
    draft.close()
    result = read(path)
    assert result.territory.buildings.is_valid.all()
    assert any("crossed themselves" in note for note in result.report.notes)


def test_outlines_without_a_polygon_are_left_out_with_the_reason(draft: Draft, path: Path) -> None:
    draft.ring(0, 0, 30, 12, building="apartments")
    draft.way([(50, 0), (60, 0), (60, 10)], building="apartments")
    missing = 999_999
    corner = draft.node(80, 0)
    draft.way([corner, (90, 0), missing, corner], building="apartments")
    draft.relation([(missing, "outer")], building="apartments")
    draft.close()
    result = read(path)
    assert count_of(result).used == 1
    assert left_out(result) == {
        "an outline that does not close": 1,
        "a corner is missing from the extract": 1,
        "a relation that is not a closed outline": 1,
    }


def test_a_building_mapped_twice_counts_once_and_an_overlap_goes_to_the_smaller(
    draft: Draft, path: Path
) -> None:
    draft.ring(0, 0, 30, 12, building="apartments")
    draft.ring(0, 0, 30, 12.5, building="apartments")
    draft.ring(100, 0, 160, 60, building="apartments")
    draft.ring(150, 20, 180, 40, building="apartments")
    draft.close()
    result = read(path)
    shapes = result.territory.buildings.geometry.to_numpy()
    assert left_out(result) == {"the same building mapped twice": 1}
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(shapely.area(shapes).sum())


def test_an_outline_round_other_buildings_is_left_out(draft: Draft, path: Path) -> None:
    draft.ring(0, 0, 100, 30, building="apartments")
    draft.ring(2, 2, 48, 28, building="apartments")
    draft.ring(52, 2, 98, 28, building="apartments")
    draft.close()
    assert left_out(read(path)) == {"an outline drawn round other buildings": 1}


def test_a_far_building_does_not_stretch_the_outline(draft: Draft, path: Path) -> None:
    for x in range(0, 500, 50):
        draft.ring(x, 0, x + 30, 12, building="apartments")
    draft.ring(300_000, 0, 300_030, 12, building="apartments")
    draft.close()
    result = read(path)
    assert left_out(result) == {"outside the box": 1}
    assert result.territory.communities.total_bounds[2] < 113.01


def test_a_building_across_the_edge_of_a_given_box_stays_whole(draft: Draft, path: Path) -> None:
    draft.ring(0, 0, 30, 12, building="apartments")
    draft.ring(80, 0, 110, 12, building="apartments")  # two thirds inside
    draft.close()
    town = read(path, bbox=(112.999, 22.999, 113.001, 23.001)).territory
    outline = town.communities.geometry.iloc[0]
    assert len(town.buildings) == 2
    assert shapely.covers(outline.buffer(1e-12), town.buildings.geometry.to_numpy()).all()


def test_named_areas_become_compounds_and_named_blocks_need_a_home(
    draft: Draft, path: Path
) -> None:
    draft.ring(-20, -20, 120, 60, landuse="residential", name="桂园")
    draft.ring(200, -20, 300, 60, place="city_block", name="空街坊")
    draft.ring(0, 0, 30, 12, building="yes")
    draft.close()
    names = set(read(path, bbox=(112.99, 22.99, 113.01, 23.01)).territory.compounds["name"])
    assert names == {"桂园"}


def test_entrances_with_letters_name_the_stairwells(draft: Draft, path: Path) -> None:
    doors = [draft.node(15, 0, entrance="yes", ref="A"), draft.node(45, 0, entrance="yes", ref="B")]
    garage = draft.node(30, 0, entrance="garage", ref="G")
    draft.way(
        [first := draft.node(0, 0), doors[0], garage, doors[1], (60, 0), (60, 12), (0, 12), first],
        building="apartments",
    )
    draft.close()
    assert list(read(path).territory.stairwells["name"]) == ["A梯", "B梯"]


def test_walkways_are_noded_and_carry_the_community(draft: Draft, path: Path) -> None:
    draft.ring(0, 0, 30, 12, building="apartments")
    crossing = draft.node(15, 30)
    draft.way([(-50, 30), crossing, (80, 30)], highway="residential", name="东大街")
    draft.way([crossing, (15, 60)], highway="footway")
    draft.way([(0, 70), (30, 70)], highway="motorway")
    draft.way([(9000, 0), (9000, 50)], highway="footway")
    draft.close()
    result = read(path)
    walkways = result.territory.walkways
    assert list(walkways["kind"]) == ["residential", "residential", "footpath"]
    assert set(walkways["community_code"]) == {CODE}
    assert left_out(result, "highways") == {"not for walkers": 1, "outside the box": 1}


def test_each_stage_reports_its_progress(draft: Draft, path: Path) -> None:
    draft.ring(0, 0, 30, 12, building="apartments")
    draft.close()
    heard = []
    read(path, progress=lambda stage, done, total: heard.append((stage, done, total)))
    assert [stage for stage, done, total in heard if done == total] == [
        "extract", "compounds", "stairwells", "walkways",
    ]  # fmt: skip


def test_the_box_of_the_header_is_the_outline(path: Path) -> None:
    header = osmium.io.Header()
    header.add_box(osmium.osm.Box(112.99, 22.99, 113.02, 23.02))
    draft = Draft(path, header=header)
    draft.ring(0, 0, 30, 12, building="apartments")
    draft.close()
    bounds = read(path).territory.communities.total_bounds
    assert bounds == pytest.approx([112.99, 22.99, 113.02, 23.02])


def test_more_buildings_than_codes_have_room_for_is_an_error(draft: Draft, path: Path) -> None:
    for x in range(40):
        for y in range(26):
            draft.ring(x * 10, y * 10, x * 10 + 8, y * 10 + 8, building="house")
    draft.close()
    with pytest.raises(SequenceOverflowError, match="1040"):
        read(path)


@pytest.mark.parametrize("content", [b"", b'{"type": "FeatureCollection"}' * 50, b"<osm/>"])
def test_a_file_that_is_no_extract_is_refused_in_one_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"^town\.osm\.pbf: not a whole OpenStreetMap"):
        read(path)


def test_a_file_cut_short_is_refused(draft: Draft, path: Path) -> None:
    for x in range(0, 50_000, 50):
        draft.ring(x, 0, x + 30, 12, building="apartments")
    draft.close()
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UnreadableFileError, match="download it again"):
        read(path)


def test_an_absent_file_is_refused(path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no such file"):
        read_extract(path)


def test_an_extract_without_a_home_makes_no_territory(draft: Draft, path: Path) -> None:
    draft.ring(0, 0, 30, 12, building="school")
    draft.close()
    with pytest.raises(NoResidentialBuildingError, match="none of its 1 buildings"):
        read(path)


def test_an_extract_without_a_building_makes_no_territory(draft: Draft, path: Path) -> None:
    draft.way([(0, 0), (50, 0)], highway="footway")
    draft.close()
    with pytest.raises(NoResidentialBuildingError, match="none of its 0 buildings"):
        read(path)


@pytest.mark.parametrize("code", [440605011000, 440605, 4406050110160])
def test_a_code_that_is_no_communitys_is_refused(path: Path, code: int) -> None:
    with pytest.raises(InvalidParameterError, match="community_code"):
        read_territory(path, community_code=code, community_name="翠颐")


@pytest.mark.parametrize(
    "box", [(1, 0, 0, 1), (0, 0, 0, 0), (0, -91, 1, 1), (float("nan"), 0, 1, 1)]
)
def test_a_box_without_area_is_refused(path: Path, box: tuple[float, float, float, float]) -> None:
    with pytest.raises(InvalidParameterError, match="bbox"):
        read(path, bbox=box)

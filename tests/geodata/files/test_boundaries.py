"""Every boundary of ../shared/data/boundaries is read, or refused for what it lacks."""

from pathlib import Path

import numpy as np
import pytest

from geodata.errors import UnreadableFileError
from geodata.files import read_layer

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "boundaries"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/boundaries is absent")
# Name, crs to declare, crs found, who said so, features, features that are invalid.
EXPECTED = {
    "foshan_districts_gcj02.geojson": ("gcj02", "gcj02", "option", 5, 1),
    "foshan_districts_amap_wgs84.geojson": (None, "OGC:CRS84", "file", 5, 0),
    "foshan_districts_tianditu_wgs84.geojson": (None, "OGC:CRS84", "file", 5, 0),
}
DISTRICTS = ["440604", "440605", "440606", "440607", "440608"]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_boundary_file_is_read_whole(name: str) -> None:
    crs, found, said_by, count, invalid = EXPECTED[name]
    layer = read_layer(FOLDER / name, crs=crs)
    assert (layer.crs_name, layer.crs_from, len(layer.frame)) == (found, said_by, count)
    column = "adcode" if "adcode" in layer.frame else "district_adcode"
    assert layer.frame[column].tolist() == DISTRICTS
    assert int((~layer.frame.geometry.is_valid).sum()) == invalid
    assert layer.frame.total_bounds == pytest.approx([112.37, 22.65, 113.39, 23.58], abs=0.03)


def test_declared_as_shifted_the_districts_lie_where_the_others_have_them() -> None:
    here, there = (
        read_layer(FOLDER / name, crs=EXPECTED[name][0]).frame.geometry.to_crs(4547).centroid
        for name in ("foshan_districts_gcj02.geojson", "foshan_districts_amap_wgs84.geojson")
    )
    assert np.asarray(here.distance(there)).max() < 25


def test_there_is_no_boundary_file_that_is_not_tried() -> None:
    tables = {"foshan_communities.csv", "foshan_streets.csv", "guangdong_counties.csv"}
    assert {path.name for path in FOLDER.iterdir()} == tables | set(EXPECTED)
    for name in tables:
        with pytest.raises(UnreadableFileError, match="has no geometry"):
            read_layer(FOLDER / name)

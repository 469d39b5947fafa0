"""One small layer, with Chinese text and codes that begin with zero, written in every format."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame

from tests.geodata.files.drawings import drawing

Writer = Callable[[Path, GeoDataFrame], None]


def compounds() -> GeoDataFrame:
    """Three compounds in Guicheng; the last has no shape. CRS: EPSG:4490."""
    return GeoDataFrame(
        {
            "编码": ["007", "440605011016002", "44060501101600300201"],
            "名称": ["桂花苑", "灯湖·翠颐", "南海颐景园"],
            "户数": [120, 64, 8],
        },
        geometry=np.array(
            [
                shapely.box(113.15, 23.03, 113.152, 23.032),
                shapely.box(113.152, 23.03, 113.154, 23.032),
                None,
            ],
            dtype=object,
        ),
        crs=4490,
    )


def shapes_of(frame: GeoDataFrame) -> list[Any]:
    """Return the geometries of a frame of any CRS as a list, None where there is none."""
    return list(np.asarray(frame.geometry.array, dtype=object))


def write_csv(path: Path, frame: GeoDataFrame, *, encoding: str = "utf-8") -> None:
    table = frame.drop(columns="geometry").assign(WKT=frame.geometry.to_wkt())
    table.to_csv(path, index=False, encoding=encoding)


def write_zip(path: Path, frame: GeoDataFrame) -> None:
    folder = path.parent / "parts"
    folder.mkdir()
    frame.to_file(folder / "layer.shp", encoding="UTF-8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, f"2024年数据/小区{part.suffix}")


def write_drawing(path: Path, frame: GeoDataFrame) -> None:
    drawn = frame[frame.geometry.notna()]
    shapes = list(zip(drawn["名称"], shapes_of(drawn), strict=True))
    path.write_bytes(drawing(shapes).encode("gb18030"))


WRITERS: dict[str, Writer] = {
    "layer.geojson": lambda path, frame: frame.to_file(path, driver="GeoJSON"),
    "layer.geojsonl": lambda path, frame: frame.to_crs(4326).to_file(path, driver="GeoJSONSeq"),
    "layer.gpkg": lambda path, frame: frame.to_file(path, layer="小区", driver="GPKG"),
    "layer.shp": lambda path, frame: frame.to_file(path, encoding="UTF-8"),
    "layer.zip": write_zip,
    "layer.fgb": lambda path, frame: frame.to_file(path, driver="FlatGeobuf", SPATIAL_INDEX="NO"),
    "layer.parquet": lambda path, frame: frame.to_parquet(path),
    "layer.kml": lambda path, frame: frame.to_crs(4326).to_file(path, driver="LIBKML"),
    "layer.csv": write_csv,
    "layer.dxf": write_drawing,
}


def write_layer(folder: Path, name: str) -> Path:
    """Write the compounds in the format that a name of WRITERS ends in."""
    WRITERS[name](folder / name, compounds())
    return folder / name


@pytest.fixture(params=sorted(WRITERS))
def any_format(request: pytest.FixtureRequest) -> str:
    """The name of a file of every format in turn."""
    name: str = request.param
    return name

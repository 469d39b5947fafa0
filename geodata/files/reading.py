"""One reader for every form in which a territory comes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from geopandas import GeoDataFrame
from shapely.errors import ShapelyError

from geodata.errors import FileLimitError, UnreadableFileError, UnsupportedFormatError
from geodata.files.archives import PARTS
from geodata.files.coordinates import declare, parse_declaration, to_geographic
from geodata.files.delimited import read_csv
from geodata.files.dxf import read_dxf
from geodata.files.formats import read_flatgeobuf, read_geopackage, read_kml
from geodata.files.geojson_file import read_geojson
from geodata.files.layer_file import LayerFile, RawLayer
from geodata.files.limits import DEFAULT_LIMITS, FileLimits
from geodata.files.parquet import read_geoparquet
from geodata.files.recognising import Content, recognise
from geodata.files.shapefile import read_shapefile
from geodata.files.texts import first_line


@dataclass(frozen=True)
class _Format:
    """A format: its name, and who reads it."""

    name: str
    read: Callable[..., RawLayer]


_GEOJSON = _Format("GeoJSON", read_geojson)
_SHAPEFILE = _Format("ESRI Shapefile", read_shapefile)
_PARQUET = _Format("Parquet", read_geoparquet)
_CSV = _Format("CSV", read_csv)

FORMATS: Mapping[str, _Format] = {
    ".geojson": _GEOJSON,
    ".json": _GEOJSON,
    ".geojsonl": _GEOJSON,
    ".geojsons": _GEOJSON,
    ".geojsonseq": _GEOJSON,
    ".jsonl": _GEOJSON,
    ".ndjson": _GEOJSON,
    ".gpkg": _Format("GPKG", read_geopackage),
    ".shp": _SHAPEFILE,
    ".zip": _SHAPEFILE,
    ".fgb": _Format("FlatGeobuf", read_flatgeobuf),
    ".parquet": _PARQUET,
    ".geoparquet": _PARQUET,
    ".kml": _Format("KML", read_kml),
    ".dxf": _Format("DXF", read_dxf),
    ".csv": _CSV,
    ".tsv": _CSV,
    ".txt": _CSV,
}
"""By the end of the file's name, in any case."""

_HINTS = {
    ".xlsx": "a workbook holds households, not shapes: import it as the layer households.",
    ".xls": "is an old workbook: save it as .xlsx, and import it as the layer households.",
    ".kmz": "is packed: unpack it, and give the .kml in it.",
    ".dwg": "is a drawing in its own form: save it as DXF.",
    ".dbf": "is a part of a shapefile: give the .shp.",
    ".shx": "is a part of a shapefile: give the .shp.",
    ".gz": "is packed: unpack it first.",
    ".vrt": "only refers to other files: give those.",
}


def read_layer(
    path: Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    source_layer: str | None = None,
    limits: FileLimits = DEFAULT_LIMITS,
) -> LayerFile:
    """Read a layer of shapes from a file.

    Parameters
    ----------
    path
        GeoJSON (also as a text sequence), GeoPackage, shapefile (also in a ZIP archive),
        FlatGeobuf, GeoParquet, KML, DXF or CSV, by the end of its name; where that is none, by its
        content, but for CSV, which looks like any other text.
    crs
        What its coordinates are in: an EPSG code or name, gcj02 or bd09. None: as the file or its
        format says.
    encoding
        Of the text of shapefiles and CSV; the other formats have their own.
    source_layer
        Of the layers of a GeoPackage, of the folders of a KML, or of the layers of a drawing.
    limits
        What is refused for its size.

    Returns
    -------
    LayerFile
        Every feature of the layer, in order, in EPSG:4326; nothing judged, nothing repaired.

    Raises
    ------
    UnsupportedFormatError
        The end of its name is of no format that is read here; or it has none, and neither has its
        content.
    UnreadableFileError
        It is absent, empty, damaged, has no features, or is another thing inside than its name
        says: both are named. Its subclasses
        say more: FileLimitError, FileEncodingError, FileWithoutCRSError, ContradictingCRSError,
        LayerChoiceError, LostDigitsError.
    UnknownCRSError
        ``crs`` is nothing that PROJ or this project knows.
    InvalidParameterError
        ``encoding`` is no encoding.
    """
    chosen = _format_of(path)
    if crs is not None:
        parse_declaration(crs)
    _check_size(path, limits)
    try:
        raw = chosen.read(path, encoding=encoding, source_layer=source_layer, limits=limits)
    except (OSError, ShapelyError) as error:
        raise UnreadableFileError(path, f"cannot be read ({first_line(error)}).") from error
    if not len(raw.geometries):
        raise UnreadableFileError(path, "has no features: nothing to import.")
    declared = declare(path, raw, crs)
    geometry = to_geographic(raw, declared)
    rows = np.arange(1, len(geometry) + 1, dtype=np.int64)
    frame = GeoDataFrame({"row": rows, **raw.columns}, geometry=geometry)
    return LayerFile(frame, declared.name, declared.origin, chosen.name, tuple(raw.notes))


def _format_of(path: Path) -> _Format:
    """Return the format of a file by the end of its name, which its content must not contradict."""
    suffix = path.suffix.casefold()
    try:
        content = recognise(path)
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read ({first_line(error)}).") from error
    if not suffix:
        return _format_by_content(path, content)
    if content is not None and not _fits(suffix, content):
        rename = "" if content.suffix in _HINTS else f": rename it to end in {content.suffix}"
        raise UnreadableFileError(
            path, f"is {content.name} inside, but its name ends in {suffix}{rename}."
        )
    if suffix in FORMATS:
        return FORMATS[suffix]
    if suffix in _HINTS:
        raise UnsupportedFormatError(path, _HINTS[suffix])
    raise UnsupportedFormatError(
        path, f"ends in {suffix}; what is read ends in {', '.join(FORMATS)}."
    )


def _fits(suffix: str, content: Content) -> bool:
    """Tell whether a name that ends so may have this content."""
    if content.suffix == suffix:
        return True
    # A shapefile and an archive of one are read by one reader, but are not the same thing.
    is_packed = ".zip" in {content.suffix, suffix}
    readers = (FORMATS.get(content.suffix), FORMATS.get(suffix))
    return readers[0] is not None and readers[0] == readers[1] and not is_packed


def _format_by_content(path: Path, content: Content | None) -> _Format:
    if content is not None and content.suffix in FORMATS:
        return FORMATS[content.suffix]
    if content is not None:
        raise UnsupportedFormatError(path, f"({content.name}) {_HINTS[content.suffix]}")
    raise UnsupportedFormatError(
        path,
        "has a name without an ending, and its content does not tell what it is; "
        f"what is read ends in {', '.join(FORMATS)}.",
    )


def _check_size(path: Path, limits: FileLimits) -> None:
    """Refuse a file that is absent, empty or too large, with the parts that belong to it."""
    if not path.is_file():
        raise UnreadableFileError(path, "there is no such file.")
    parts = {path, *(path.with_suffix(part) for part in PARTS)} if path.suffix == ".shp" else {path}
    size = sum(part.stat().st_size for part in parts if part.is_file())
    if path.stat().st_size == 0:
        raise UnreadableFileError(path, "is empty.")
    if size > limits.file_bytes:
        raise FileLimitError(
            path, f"has {size / 2**20:,.0f} MiB; {limits.file_bytes / 2**20:,.0f} are allowed"
        )

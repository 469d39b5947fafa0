"""What a file is by its first bytes, whatever its name says.

References
----------
SQLite database file format, section 1.3; GeoPackage Encoding Standard 1.3, requirement 2;
FlatGeobuf specification 3, magic bytes; Apache Parquet format, file format; ESRI Shapefile
Technical Description (1998), main file header; AutoCAD DXF Reference, ASCII DXF files; PKWARE
APPNOTE 6.3, section 4.3.7.
"""

import codecs
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

_LOOKED_AT = 65_536
_MOST_ENTRIES = 10_000
_DXF = re.compile(rb"(?:\s*999\r?\n[^\r\n]*\r?\n)*\s*0\r?\n\s*SECTION\r?\n")


@dataclass(frozen=True)
class Content:
    """What the content of a file is.

    Attributes
    ----------
    name
        For sentences.
    suffix
        What the name of such a file ends in.
    """

    name: str
    suffix: str


GEOJSON = Content("GeoJSON", ".geojson")
SHAPEFILE_ZIP = Content("a zipped shapefile", ".zip")
_KML = Content("KML", ".kml")
_DXF_TEXT = Content("DXF", ".dxf")
_STARTS: tuple[tuple[bytes, Content], ...] = (
    (b"SQLite format 3\0", Content("GeoPackage or SQLite", ".gpkg")),
    (b"fgb\x03fgb", Content("FlatGeobuf", ".fgb")),
    (b"PAR1", Content("Parquet", ".parquet")),
    (b"\0\0\x27\x0a", Content("a shapefile", ".shp")),
    (b"AutoCAD Binary DXF", _DXF_TEXT),
    (b"AC10", Content("a drawing (DWG)", ".dwg")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Content("an old workbook", ".xls")),
    (b"\x1f\x8b", Content("packed (gzip)", ".gz")),
)
_ARCHIVES: tuple[tuple[re.Pattern[str], Content], ...] = (
    (re.compile(r"xl/.+"), Content("an Excel workbook", ".xlsx")),
    (re.compile(r"(?:.*/)?[^/]+\.shp"), SHAPEFILE_ZIP),
    (re.compile(r"(?:.*/)?[^/]+\.kml"), Content("packed KML", ".kmz")),
)
_ARCHIVE = Content("a ZIP archive", ".zip")


def recognise(path: Path) -> Content | None:
    """Tell what a file is by its content.

    Returns
    -------
    Content or None
        Nothing for a table of text, which looks like any other text, and for what is known to
        nobody, empty or absent.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    found = next((content for magic, content in _STARTS if start.startswith(magic)), None)
    if found is not None:
        return found
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(path)
    return _text(start.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n"))


def _archive(path: Path) -> Content:
    """Tell what an archive holds by the names in it, which are all that is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.casefold() for name in archive.namelist()[:_MOST_ENTRIES]]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return _ARCHIVE
    for pattern, content in _ARCHIVES:
        if any(pattern.fullmatch(name) for name in names):
            return content
    return _ARCHIVE


def _text(start: bytes) -> Content | None:
    if start[:1] in (b"{", b"\x1e"):
        return GEOJSON
    if _DXF.match(start):
        return _DXF_TEXT
    return _KML if start[:1] == b"<" and _root(start) == "kml" else None


def _root(start: bytes) -> str:
    """Return the name of the first element of an XML document, without its prefix."""
    names: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: names.append(name)
    # What is broken after the first element is for whoever reads it.
    with suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(start, False)
    return names[0].rpartition(":")[2] if names else ""

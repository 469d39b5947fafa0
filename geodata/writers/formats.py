"""The formats of exports, by the name that a user gives."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import FormatCRSError, UnknownFormatError
from geodata.writers import gdal, parquet, workbook
from geodata.writers.target import TargetCRS

Write = Callable[..., None]


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes
    ----------
    suffix
        How its files end.
    write
        Writes a file (see `geodata.writers.gdal`); absent: the format is text, made as it is sent.
    """

    name: str
    suffix: str
    media_type: str
    write: Write | None = None

    @property
    def is_geojson(self) -> bool:
        """Whether it is one of the two that RFC 7946 binds to degrees."""
        return self.name.startswith("geojson")

    def check(self, target: TargetCRS) -> None:
        """Refuse a CRS that the format does not have.

        Raises
        ------
        FormatCRSError
            GeoJSON is WGS 84; we add the shifts, which say what they are.
        """
        if self.is_geojson and not target.is_stored and target.shift is None:
            raise FormatCRSError("GeoJSON", target.name)

    def file_name(self, layer: str, target: TargetCRS) -> str:
        """Return what a file of a layer is called; the name tells every CRS but EPSG:4326."""
        crs = "" if target.is_stored else f".{target.word}"
        return f"{layer}{crs}{self.suffix}"


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {
    made.name: made
    for made in (
        Format("geojson", ".geojson", "application/geo+json"),
        Format("geojsons", ".geojsons", "application/geo+json-seq"),
        Format("csv", ".csv", "text/csv"),
        Format("gpkg", ".gpkg", "application/geopackage+sqlite3", gdal.write_geopackage),
        Format("fgb", ".fgb", "application/flatgeobuf", gdal.write_flatgeobuf),
        Format("parquet", ".parquet", "application/vnd.apache.parquet", parquet.write_geoparquet),
        Format("shp", ".shp.zip", "application/zip", gdal.write_shapefile),
        Format("xlsx", ".xlsx", _XLSX, workbook.write_workbook),
    )
}
"""By name; the name is also the suffix in the address of an export."""


def format_of(path: Path, *, name: str | None = None) -> Format:
    """Return the format that a user named, or that the name of a file tells.

    Raises
    ------
    UnknownFormatError
        There is none of that name.

    Examples
    --------
    >>> format_of(Path("compounds.shp.zip")).name, format_of(Path("x.bin"), name="fgb").name
    ('shp', 'fgb')
    """
    if name is None:
        file_name = path.name.lower()
        name = next(
            (key for key, made in FORMATS.items() if file_name.endswith(made.suffix)),
            path.suffix.lstrip("."),
        )
    if name not in FORMATS:
        raise UnknownFormatError(name, tuple(FORMATS))
    return FORMATS[name]

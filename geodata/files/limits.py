"""What a file may hold: beyond it a file is a mistake or an attack, and is not read on."""

from dataclasses import dataclass
from pathlib import Path

from geodata.errors import FileLimitError


@dataclass(frozen=True)
class FileLimits:
    """Bounds of one file.

    Attributes
    ----------
    file_bytes
        Size of the file, or of a shapefile's parts together.
    unpacked_bytes
        What a ZIP archive or the columns of a Parquet file may unpack to.
    unpacked_ratio
        Unpacked size by packed size, of ZIP archives.
    entries
        Files in a ZIP archive.
    features
        Rows.
    vertices
        Vertices of one feature, and so of one ring.
    columns
        Columns beside the geometry.
    text_characters
        Length of one value.
    """

    file_bytes: int = 512 * 2**20
    unpacked_bytes: int = 1024 * 2**20
    unpacked_ratio: int = 200
    entries: int = 100
    features: int = 200_000
    vertices: int = 1_000_000
    columns: int = 500
    text_characters: int = 10_000

    def check_features(self, path: Path, count: int) -> None:
        """Refuse a file with too many rows.

        Raises
        ------
        FileLimitError
            There are more than ``features``.
        """
        if count > self.features:
            raise FileLimitError(path, f"has more than {self.features:,} features")

    def check_columns(self, path: Path, count: int) -> None:
        """Refuse a file with too many columns.

        Raises
        ------
        FileLimitError
            There are more than ``columns``.
        """
        if count > self.columns:
            raise FileLimitError(path, f"has {count:,} columns; {self.columns:,} are allowed")

    def vertices_error(self, path: Path, row: int) -> FileLimitError:
        """Return the error of a row with too many vertices."""
        return FileLimitError(
            path, f"row {row} has more than {self.vertices:,} vertices; simplify what is drawn"
        )


DEFAULT_LIMITS = FileLimits()
"""Room for the territory of a city district; a file of the sub-district has a hundredth."""

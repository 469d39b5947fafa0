"""What coordinates an exported file is in: an EPSG code, or one of the shifts of Chinese maps."""

import re
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geodata.crs import GEOGRAPHIC, parse_crs, transformer
from geodata.errors import CRSOutOfReachError, UnknownCRSError
from geodata.offsets import Shift, bd09_from_wgs84, gcj02_from_wgs84

Geometries = NDArray[np.object_]
_EPSG = re.compile(r"(?:epsg:)?([0-9]{4,6})", re.IGNORECASE)
_SHIFTED: dict[str, tuple[Shift, str]] = {"gcj02": ("gcj02", "GCJ-02"), "bd09": ("bd09", "BD-09")}
_FORWARD = {"gcj02": gcj02_from_wgs84, "bd09": bd09_from_wgs84}


@dataclass(frozen=True)
class TargetCRS:
    """The coordinates of a file.

    Attributes
    ----------
    crs
        What the file declares. For a shift it is an engineering CRS that only bears a name: PROJ
        refuses to transform it, so nobody takes shifted degrees for WGS 84 by accident.
    name
        ``EPSG:4547``, ``GCJ-02`` or ``BD-09``.
    shift
        The shift of the degrees, if any.
    """

    crs: CRS
    name: str
    shift: Shift | None = None

    @property
    def is_stored(self) -> bool:
        """Whether these are the coordinates that we store: EPSG:4326."""
        return self == STORED

    @property
    def is_angular(self) -> bool:
        """Whether the numbers are degrees."""
        return self.shift is not None or self.crs.is_geographic

    @property
    def word(self) -> str:
        """The name as part of a file, layer or column name: ``gcj02``, ``epsg4547``."""
        return self.name.lower().replace(":", "").replace("-", "")

    @property
    def note(self) -> str:
        """One sentence for whoever opens the file, in both languages."""
        if self.shift is None:
            return f"坐标系 Coordinates: {self.name}."
        return (
            f"坐标已偏移为 {self.name}，不是 WGS 84，相差数百米。 Coordinates are shifted to "
            f"{self.name}: some hundreds of metres off WGS 84, and no EPSG code fits them."
        )

    @property
    def decimals(self) -> int:
        """Digits after the point in texts: a centimetre of a degree, a millimetre of a metre."""
        return 7 if self.is_angular else 3

    def apply(self, geometries: Geometries) -> Geometries:
        """Return geometries of EPSG:4326 in these coordinates, vertex by vertex.

        Raises
        ------
        CRSOutOfReachError
            The CRS has no coordinates there.
        """
        if self.is_stored or not len(geometries):
            return geometries
        moved: Geometries = shapely.transform(geometries, self._moved)
        return moved

    def _moved(self, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = vertices[:, 0], vertices[:, 1]
        if self.shift is not None:
            return np.column_stack(_FORWARD[self.shift](lon=lon, lat=lat))
        moved = np.column_stack(transformer(GEOGRAPHIC, self.crs).transform(lon, lat))
        if not np.isfinite(moved).all():
            raise CRSOutOfReachError(self.name)
        return moved


STORED = TargetCRS(GEOGRAPHIC, "EPSG:4326")


def parse_target(text: str) -> TargetCRS:
    """Return the coordinates that a user named.

    Parameters
    ----------
    text
        ``EPSG:4547``, ``4547``, ``gcj02`` or ``bd09``, in any case.

    Raises
    ------
    UnknownCRSError
        PROJ knows no such code, or it is not one of positions on a plane or a globe.

    Examples
    --------
    >>> parse_target("4547").name, parse_target("gcj02").word
    ('EPSG:4547', 'gcj02')
    """
    word = text.strip().lower()
    if word in _SHIFTED:
        shift, name = _SHIFTED[word]
        return TargetCRS(_named_plane(name), name, shift)
    code = _EPSG.fullmatch(word)
    if code is None:
        raise UnknownCRSError(text)
    crs = parse_crs(f"EPSG:{code[1]}")
    if not (crs.is_geographic or crs.is_projected) or len(crs.axis_info) != 2:
        raise UnknownCRSError(text)
    return TargetCRS(crs, f"EPSG:{int(code[1])}")


def _named_plane(name: str) -> CRS:
    """Return a CRS that has a name and degrees, and no relation to any other."""
    words = f"{name} (shifted from WGS 84 by hundreds of metres)"
    return CRS.from_wkt(f'LOCAL_CS["{words}",UNIT["degree",0.0174532925199433]]')

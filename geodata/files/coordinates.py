"""From the coordinates of a file to EPSG:4326: which CRS they are in is declared, never guessed."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.crs import GEOGRAPHIC, parse_crs
from geodata.errors import ContradictingCRSError, FileWithoutCRSError, UnknownCRSError
from geodata.files.geometries import rows_in_words
from geodata.files.layer_file import CRSOrigin, Geometries, RawLayer
from geodata.offsets import SHIFTS, Shift, to_wgs84

# Equal within a metre, and files carry the one for the other: WGS 84 with either order of axes
# (EPSG:4326, OGC:CRS84) and CGCS2000 (EPSG:4490), whose frames differ by a decimetre.
_ALIKE = ("EPSG:4326", "OGC:CRS84", "EPSG:4490")
# Esri's names of the Chinese zones differ from EPSG's; PROJ is rarely surer of them than this.
_SURE_PERCENT = 60


@dataclass(frozen=True)
class Declared:
    """What the coordinates of a layer are in.

    Attributes
    ----------
    source
        A CRS, or the name of a shift.
    name, origin
        As ``crs_name`` and ``crs_from`` of :class:`geodata.files.layer_file.LayerFile`.
    """

    source: CRS | Shift
    name: str
    origin: CRSOrigin


def parse_declaration(text: str) -> CRS | Shift:
    """Return the CRS or the shift that a person declared.

    Raises
    ------
    UnknownCRSError
        It is neither, or a CRS in which nothing is drawn, such as one of heights.

    Examples
    --------
    >>> parse_declaration("GCJ02")
    'gcj02'
    >>> parse_declaration("4526").to_epsg()
    4526
    """
    plain = text.strip()
    if shift := shift_of(plain):
        return shift
    crs = parse_crs(f"EPSG:{plain}" if plain.isdigit() and plain.isascii() else plain)
    if not (crs.is_geographic or crs.is_projected):
        raise UnknownCRSError(text)
    return crs


def declare(path: Path, layer: RawLayer, option: str | None) -> Declared:
    """Decide what a layer's coordinates are in.

    Parameters
    ----------
    path
        For the sentences of errors.
    layer
        What the file, or its format, says of its CRS.
    option
        What a person says: an EPSG code or name, gcj02 or bd09; None: nothing.

    Returns
    -------
    Declared
        The option where there is one, else what the file says.

    Raises
    ------
    UnknownCRSError
        The option is nothing that is known.
    FileWithoutCRSError
        Nobody says.
    ContradictingCRSError
        File and option differ. A shift may stand over any label in degrees: files carry that
        label wrongly. EPSG:4326 and EPSG:4490 are the same here.
    """
    if option is None:
        if layer.crs is None:
            raise FileWithoutCRSError(path)
        return Declared(layer.crs, name_of(layer.crs), layer.crs_from)
    chosen = parse_declaration(option)
    label = layer.crs
    is_only_usual = layer.crs_from == "format" and not layer.crs_is_fixed
    if label is None or is_only_usual:
        return Declared(chosen, name_of(chosen), "option")
    if not _agree(chosen, label):
        raise ContradictingCRSError(path, name_of(chosen), name_of(label))
    if isinstance(chosen, str) and chosen != label and layer.crs_from == "file":
        layer.notes.append(f"The label {name_of(label)} of the file is overruled by {chosen}.")
    return Declared(chosen, name_of(chosen), "option")


def to_geographic(layer: RawLayer, declared: Declared) -> GeoSeries:
    """Return a layer's geometries in EPSG:4326.

    Parameters
    ----------
    layer
        Gets a note of the rows whose coordinates have no place.
    declared
        The CRS or shift that they are in.

    Returns
    -------
    GeoSeries
        EPSG:4326, lon-lat, index 0 to n - 1. None where a coordinate is no number, or lies
        outside of where its CRS means anything.

    Raises
    ------
    UnknownCRSError
        There is no way from that CRS to EPSG:4326: it is of another world.
    """
    geometries = _without_the_infinite(layer, layer.geometries, "a coordinate is no finite number")
    source = declared.source
    if isinstance(source, str):
        shifted = GeoDataFrame(geometry=GeoSeries(geometries))
        moved = to_wgs84(shifted, source=source).geometry
    else:
        try:
            moved = GeoSeries(geometries, crs=source).to_crs(GEOGRAPHIC)
        except (CRSError, pyproj.exceptions.ProjError) as error:
            raise UnknownCRSError(declared.name) from error
    placed = _without_the_infinite(
        layer,
        np.asarray(moved.array, dtype=object),
        f"the place means nothing in {declared.name} (swapped axes, or another CRS?)",
    )
    return GeoSeries(placed, crs=GEOGRAPHIC)


def shift_of(text: str) -> Shift | None:
    """Return the shift that a name stands for, in any of its spellings; None if for none."""
    plain = re.sub(r"[\s_-]", "", text.casefold())
    return next((shift for shift in SHIFTS if plain in (shift, f"{shift}ll")), None)


def crs_of(text: str | None) -> CRS | Shift | None:
    """Return what a file says of its CRS; None where it says nothing that is known."""
    if not text:
        return None
    if shift := shift_of(text):
        return shift
    try:
        crs = CRS.from_user_input(text)
    except CRSError:
        return None
    # Our own exports in shifted coordinates name them so; see geodata.writers.target.
    if shift := shift_of(crs.name.partition(" ")[0]):
        return shift
    if not (crs.is_geographic or crs.is_projected) or crs.name.casefold().startswith("undefined"):
        return None
    return crs


def name_of(crs: CRS | Shift) -> str:
    """Return the code of a CRS, or its name where it has none; a shift is its own name.

    Examples
    --------
    >>> name_of(CRS.from_epsg(4526))
    'EPSG:4526'
    """
    if isinstance(crs, str):
        return crs
    authority = crs.to_authority(min_confidence=_SURE_PERCENT)
    return ":".join(authority) if authority else str(crs.name)


def _agree(chosen: CRS | Shift, label: CRS | Shift) -> bool:
    """Say whether a declaration and a label give the same place to the same numbers, or may."""
    if isinstance(label, str):
        return chosen == label
    if isinstance(chosen, str):
        return bool(label.is_geographic)
    names = {name_of(chosen), name_of(label)}
    return (
        len(names) == 1
        or names <= set(_ALIKE)
        or bool(chosen.equals(label, ignore_axis_order=True))
    )


def _without_the_infinite(layer: RawLayer, geometries: Geometries, fault: str) -> Geometries:
    """Return geometries with None for those that hold a coordinate that is no finite number."""
    positions, owners = shapely.get_coordinates(geometries, return_index=True)
    bad = np.unique(owners[~np.isfinite(positions).all(axis=1)])
    if not len(bad):
        return geometries
    layer.notes.append(f"{rows_in_words([int(place) + 1 for place in bad])}: {fault}.")
    placed = geometries.copy()
    placed[bad] = None
    return placed

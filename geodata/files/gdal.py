"""A layer through GDAL: batch by batch, by one driver, without any way to the network.

GDAL recognises a file by what is in it, whatever its name says: a text that begins like a GeoJSON
may be a recipe (GDALG), or a virtual source (VRT) that opens other files and addresses. pyogrio
cannot name the driver, so each format looks at the content first, or hands over a path with the
driver's own prefix; and here the driver that opened the file is compared.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError
from pyogrio.raw import open_arrow
from pyogrio.raw import read as read_linear

from geodata.errors import LayerChoiceError, UnreadableFileError
from geodata.files.coordinates import crs_of
from geodata.files.geometries import are_curved, flatten, geometries_from_wkb, rows_in_words
from geodata.files.layer_file import Geometries, RawLayer
from geodata.files.limits import FileLimits
from geodata.files.texts import (
    first_line,
    lost_utf8,
    text_column,
    text_series,
    unique_names,
    unreadable,
)

_BATCH_FEATURES = 4096
_MOST_WARNINGS = 10


@dataclass(frozen=True)
class Source:
    """Where GDAL finds one layer.

    Attributes
    ----------
    path
        The file as the user named it, for sentences.
    address
        What GDAL is given: a path of this machine, perhaps with a driver's prefix.
    driver
        Name of the driver that is to open it.
    layer
        Name of the layer; None: the only one.
    encoding
        In which GDAL is to read text; None: the format's.
    sql
        Instead of a layer: a statement whose last column is of no interest.
    options
        Open options of the driver.
    """

    path: Path
    address: str
    driver: str
    layer: str | None = None
    encoding: str | None = None
    sql: str | None = None
    options: dict[str, str] = field(default_factory=dict)


def read_source(source: Source, *, limits: FileLimits) -> RawLayer:
    """Read a layer.

    Parameters
    ----------
    source
        Where it is.
    limits
        Checked on the way: a batch is not read once the one before went beyond.

    Returns
    -------
    RawLayer
        Geometries flat and without curves; CRS as the file says.

    Raises
    ------
    UnreadableFileError
        GDAL cannot read it, or another driver opened it; a subclass where a limit is passed.
    """
    notes: list[str] = []
    with gdal_errors(source, notes):
        arrow = open_arrow(
            source.address,
            layer=source.layer,
            encoding=source.encoding,
            sql=source.sql,
            batch_size=_BATCH_FEATURES,
            use_pyarrow=True,
            **source.options,
        )
        with arrow as (meta, reader):
            fields = [str(name) for name in meta["fields"]]
            limits.check_columns(source.path, len(fields))
            names = unique_names(fields if source.sql is None else fields[:-1], notes=notes)
            texts: dict[str, list[str | None]] = {name: [] for name in names}
            batches: list[Geometries] = []
            bad: list[int] = []
            row, is_curved = 1, False
            for batch in reader:
                batch.validate(full=True)  # of a damaged file its offsets may lead anywhere
                limits.check_features(source.path, row + batch.num_rows - 1)
                for place, name in enumerate(names):
                    texts[name] += text_column(
                        batch.column(place), name=name, first_row=row, path=source.path,
                        limits=limits,
                    )  # fmt: skip
                if batch.num_columns > len(fields):
                    contents = batch.column(len(fields))
                    geometries, unread = geometries_from_wkb(
                        contents, first_row=row, path=source.path, limits=limits
                    )
                    is_curved |= are_curved(contents)
                else:
                    geometries, unread = np.full(batch.num_rows, None, dtype=object), []
                batches.append(geometries)
                bad += unread
                row += batch.num_rows
        geometries = np.concatenate(batches) if batches else np.empty(0, dtype=object)
        if is_curved:
            count = len(geometries)
            geometries, bad = _linear(source, limits, notes)
            if len(geometries) != count:  # a count kept in the file, and wrong
                raise UnreadableFileError(source.path, "says of itself that it has fewer rows.")
    if bad:
        notes.append(f"{rows_in_words(bad)}: the geometry cannot be read.")
    return RawLayer(
        columns={name: text_series(values) for name, values in texts.items()},
        geometries=flatten(geometries, notes=notes),
        crs=crs_of(meta["crs"]),
        notes=notes,
    )


def choose_layer(source: Source, wanted: str | None) -> str:
    """Return the name of the layer to read.

    Parameters
    ----------
    source
        A file that may hold several.
    wanted
        The name that a person gave; None where the only layer with features is meant.

    Raises
    ------
    LayerChoiceError
        There are several, or none of that name.
    UnreadableFileError
        GDAL cannot read it, or another driver opened it.
    """
    with gdal_errors(source, []):
        names = tuple(str(name) for name, _ in pyogrio.list_layers(source.address))
        filled = tuple(name for name in names if _feature_count(source, name))
    if wanted is not None:
        if wanted not in names:
            raise LayerChoiceError(source.path, names, wanted)
        return wanted
    if len(filled) > 1:
        raise LayerChoiceError(source.path, filled, None)
    if not names:
        raise UnreadableFileError(source.path, "has no layer with features: nothing to import.")
    return filled[0] if filled else names[0]


def require_driver(source: Source, *, layer: str | None = None) -> dict[str, Any]:
    """Return what GDAL says of a layer, once it is sure that the right driver opened it.

    Raises
    ------
    UnreadableFileError
        GDAL cannot read it, or another driver opened it.
    """
    with gdal_errors(source, []):
        found: dict[str, Any] = pyogrio.read_info(
            source.address, layer=layer, encoding=source.encoding, **source.options
        )
    if found["driver"] not in (source.driver, f"LIB{source.driver}"):
        raise UnreadableFileError(
            source.path, f"is {found['driver']} inside, not {source.driver} as its name says."
        )
    return found


@contextmanager
def gdal_errors(source: Source, notes: list[str]) -> Iterator[None]:
    """Turn the errors of GDAL, pyogrio and Arrow into ours, and their warnings into notes."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    except UnicodeDecodeError as error:
        raise lost_utf8(source.path, error) from error
    except (
        DataSourceError,
        DataLayerError,
        FeatureError,
        FieldError,
        GeometryError,
        pa.ArrowException,
        shapely.errors.ShapelyError,
        OSError,
        RuntimeError,
        LookupError,
        ValueError,
    ) as error:
        raise unreadable(source.path, source.driver, error) from error
    sentences = dict.fromkeys(f"GDAL: {first_line(found.message)}." for found in caught)  # type: ignore[arg-type]
    notes += list(sentences)[:_MOST_WARNINGS]


def _feature_count(source: Source, layer: str) -> int:
    """Return how many features a layer has; GDAL counts where it does not know."""
    found = pyogrio.read_info(
        source.address, layer=layer, force_feature_count=True, **source.options
    )
    return int(found["features"])


def _linear(source: Source, limits: FileLimits, notes: list[str]) -> tuple[Geometries, list[int]]:
    """Read the geometries once more, with their curves drawn as short lines by GDAL."""
    contents = read_linear(
        source.address, layer=source.layer, columns=[], encoding=source.encoding, **source.options
    )[2]
    notes.append("Curves are read as many short lines.")
    return geometries_from_wkb(
        pa.array(contents, type=pa.binary()), first_row=1, path=source.path, limits=limits
    )

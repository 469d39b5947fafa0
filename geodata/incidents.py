"""Read incident points from a file that another system made; say of each row left out why.

Only what the mapping names is kept. Of texts that is the source's category alone: descriptions
and addresses are never read into an incident.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from geodata.crs import GEOGRAPHIC, parse_crs, transformer
from geodata.errors import UnreadableFileError
from geodata.incident_files import NO_VALUE_WORDS, read_rows
from geodata.incident_mapping import (
    ISO_FORMAT,
    OWN_OFFSET,
    IncidentMapping,
    SourceRules,
    load_mapping,
)
from geodata.offsets import SHIFTS, unshift
from geodata.progress import Progress, silent

__all__ = ["IncidentMapping", "IncidentTable", "load_mapping", "read_incidents", "write_rejects"]

NAMESPACE = UUID("5b0f6f0e-6f43-5c0b-9a53-3d6f5f1f7a11")
"""Namespace of the incidents' ids (RFC 9562, version 5): source name and source id decide."""

# Exports write round numbers for "unknown"; a real point is never this near to one.
_PLACEHOLDER_TOLERANCE = 1e-7
_HAS_OFFSET = r"[Tt ].*(?:[Zz]|[+-]\d{2}:?\d{2})$"

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IncidentTable:
    """What a file held: every row is in one of the two frames.

    Attributes
    ----------
    incidents
        ``id`` (UUID as text, the same at every import), ``source_id``, ``category_code``,
        ``status`` (closed, reported), ``reported_at``, ``closed_at`` (UTC, nullable),
        ``summary`` (the source's category), ``geometry`` (point, EPSG:4326), in the order of
        the file.
    rejects
        ``row`` (1 is the first row of data), ``source_id``, ``reason`` (a code), ``sentence``.
    row_count
        Rows of the file.
    """

    incidents: GeoDataFrame
    rejects: DataFrame
    row_count: int

    def reject_counts(self) -> dict[str, int]:
        """Return how many rows were left out for each reason, the most frequent first."""
        counts = self.rejects["reason"].value_counts()
        return {str(reason): int(count) for reason, count in counts.items()}


def read_incidents(
    path: Path, mapping: IncidentMapping, *, progress: Progress | None = None
) -> IncidentTable:
    """Read incidents from a CSV or GeoJSON file.

    A row has one reason at most, the first of: ``no-id``, ``no-coordinates``,
    ``unparsable-coordinate``, ``placeholder``, ``swapped-axes``, ``out-of-range``,
    ``outside-bounds``, ``unknown-category``, ``unparsable-date``, ``closed-before-reported``,
    ``duplicate-id`` (of rows otherwise good, the first of an id is kept). Rows that the source
    itself marks as duplicates are incidents: which other one they repeat, sources rarely say.

    Parameters
    ----------
    path
        The file; gzip is recognised. Its CRS is the one that the mapping declares.
    mapping
        What its columns mean.
    progress
        Called with the stages read, places, categories, times, identities, and rows.

    Returns
    -------
    IncidentTable
        Incidents and rejects, together as many as the file has rows.

    Raises
    ------
    UnreadableFileError
        The file is absent, empty, without rows, in another encoding, or of another kind.
    MissingColumnError
        The mapping names a column that the file does not have.
    """
    report = progress or silent
    report("read", 0, 1)
    rows = read_rows(path, mapping)
    if rows.empty:
        raise UnreadableFileError(path, "has a header but no rows: nothing to import.")
    report("read", len(rows), len(rows))
    return check_rows(rows, mapping, progress=progress)


def check_rows(
    rows: DataFrame,
    mapping: SourceRules,
    *,
    faults: DataFrame | None = None,
    progress: Progress | None = None,
) -> IncidentTable:
    """Make incidents of rows of text, and say of each other row why it is none.

    Parameters
    ----------
    rows
        Text columns id, lon, lat (CRS of the mapping), reported_at, closed_at, status, category,
        and perhaps summary (default: the category); one row or more.
    mapping
        What they mean.
    faults
        ``reason`` and ``sentence`` of rows that were found wanting before; same index.

    Returns
    -------
    IncidentTable
        Incidents (EPSG:4326) and rejects, together as many as there are rows.
    """
    report = progress or silent
    count = len(rows)
    if faults is None:
        faults = no_faults(rows)
    source_id = _source_ids(rows, mapping)
    note_fault(faults, source_id == "", "no-id", "the id is empty", source_id)
    lon, lat = _places(rows, mapping, faults)
    report("places", count, count)
    category_code = _categories(rows["category"], mapping, faults)
    report("categories", count, count)
    reported_at, closed_at, is_closed = _times(rows, mapping, faults)
    report("times", count, count)
    is_good = faults["reason"].isna().to_numpy()
    repeated = np.zeros(count, dtype=bool)
    repeated[is_good] = source_id[is_good].duplicated().to_numpy()
    note_fault(faults, repeated, "duplicate-id", "the id {} was there before", source_id)
    is_good = faults["reason"].isna().to_numpy()
    incidents = GeoDataFrame(
        {
            "id": _identities(source_id[is_good], mapping),
            "source_id": source_id[is_good],
            "category_code": category_code[is_good],
            "status": np.where(is_closed[is_good], "closed", "reported"),
            "reported_at": reported_at[is_good],
            "closed_at": closed_at.where(is_closed)[is_good],
            "summary": rows.get("summary", rows["category"])[is_good],
        },
        geometry=shapely.points(lon[is_good], lat[is_good]),
        crs=GEOGRAPHIC,
    ).reset_index(drop=True)
    report("identities", count, count)
    rejects = DataFrame(
        {"row": np.arange(1, count + 1), "source_id": source_id, **faults}, index=rows.index
    )[~is_good].reset_index(drop=True)
    return IncidentTable(incidents, rejects, count)


def write_rejects(rejects: DataFrame, path: Path) -> None:
    """Write the rejected rows as CSV for a person to mend.

    Parameters
    ----------
    rejects
        As :class:`IncidentTable` has them; no CRS, since none has a place.
    path
        File to write; replaced only once the new one is complete. UTF-8 with a byte order mark,
        so that spreadsheets show Chinese. Ids that a spreadsheet would run as a formula get an
        apostrophe in front.
    """
    safe = rejects.assign(
        source_id=rejects["source_id"].str.replace(r"^(?=[=+\-@\t\r])", "'", regex=True)
    )
    unfinished = path.with_name(path.name + ".part")
    safe.to_csv(unfinished, index=False, encoding="utf-8-sig")
    unfinished.replace(path)


def no_faults(rows: DataFrame) -> DataFrame:
    """Return the frame of reasons before any was found; rows have no CRS of their own."""
    return DataFrame({"reason": None, "sentence": None}, index=rows.index, dtype="object")


def note_fault(
    faults: DataFrame, mask: Mask | Series, reason: str, sentence: str, value: Series
) -> None:
    """Give a reason to the rows of a mask that have none yet."""
    chosen = np.asarray(mask, dtype=bool) & faults["reason"].isna().to_numpy()
    if chosen.any():
        faults.loc[chosen, "reason"] = reason
        faults.loc[chosen, "sentence"] = [sentence.format(repr(text)) for text in value[chosen]]


def _source_ids(rows: DataFrame, mapping: SourceRules) -> Series:
    """Return the source's ids, or a digest of the row, numbered where rows are the same."""
    if mapping.has_ids:
        return rows["id"]
    roles = sorted(rows.columns.drop("id"))
    contents = rows[roles[0]].str.cat(rows[roles[1:]], sep="\x1f")
    digests = contents.map(lambda text: hashlib.blake2b(text.encode(), digest_size=10).hexdigest())
    again = digests.groupby(digests).cumcount()
    return digests.where(again == 0, digests + "-" + (again + 1).astype("str"))


def _identities(source_id: Series, mapping: SourceRules) -> list[str]:
    """Return the same UUID for the same incident of the same source, whenever it is read."""
    return [str(uuid5(NAMESPACE, f"{mapping.source}\n{text}")) for text in source_id]


def _places(rows: DataFrame, mapping: SourceRules, faults: DataFrame) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes, EPSG:4326, and note the rows that have none."""
    is_absent = (rows["lon"].str.casefold().isin(NO_VALUE_WORDS)) | (
        rows["lat"].str.casefold().isin(NO_VALUE_WORDS)
    )
    shown = rows["lon"] + ", " + rows["lat"]
    note_fault(faults, is_absent, "no-coordinates", "there is no position", shown)
    x = pd.to_numeric(rows["lon"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    y = pd.to_numeric(rows["lat"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    is_number = np.isfinite(x) & np.isfinite(y)
    note_fault(faults, ~is_number, "unparsable-coordinate", "the position {} is no number", shown)
    for place in (*mapping.placeholders, (0.0, 0.0)):
        is_there = np.maximum(np.abs(x - place[0]), np.abs(y - place[1])) < _PLACEHOLDER_TOLERANCE
        note_fault(faults, is_there, "placeholder", "the position {} stands for unknown", shown)
    lon, lat = _degrees(x, y, mapping.crs)
    _check_range(lon, lat, mapping, faults, shown)
    return lon, lat


def _check_range(
    lon: Floats, lat: Floats, mapping: SourceRules, faults: DataFrame, shown: Series
) -> None:
    """Note the positions that are not on Earth or outside the bounds, and whether they swapped."""
    xmin, ymin, xmax, ymax = mapping.bounds or (-180.0, -90.0, 180.0, 90.0)
    is_inside = (xmin <= lon) & (lon <= xmax) & (ymin <= lat) & (lat <= ymax)
    is_swapped = (xmin <= lat) & (lat <= xmax) & (ymin <= lon) & (lon <= ymax) & ~is_inside
    sentence = "the position {} (lon, lat) would be right with its numbers exchanged"
    note_fault(faults, is_swapped, "swapped-axes", sentence, shown)
    is_on_earth = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    note_fault(faults, ~is_on_earth, "out-of-range", "the position {} is not on Earth", shown)
    note_fault(faults, ~is_inside, "outside-bounds", "the position {} is outside the bounds", shown)


def _degrees(x: Floats, y: Floats, crs: str) -> tuple[Floats, Floats]:
    """Return positions of the declared CRS as EPSG:4326; what cannot be transformed is NaN."""
    if crs in SHIFTS:
        return unshift(lon=x, lat=y, source=crs)
    declared = parse_crs(crs)
    if declared == GEOGRAPHIC:
        return x, y
    to_geographic = transformer(declared, GEOGRAPHIC)
    lon, lat = to_geographic.transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def _categories(texts: Series, mapping: SourceRules, faults: DataFrame) -> Series:
    """Return our category of each row, and note the rows whose kind no rule knows."""
    codes = {text: mapping.categories.code_of(text) for text in texts.unique()}
    category_code = texts.map(codes)
    note_fault(
        faults, category_code.isna(), "unknown-category", "no rule for the category {}", texts
    )
    return category_code


def _times(
    rows: DataFrame, mapping: SourceRules, faults: DataFrame
) -> tuple[Series, Series, Series]:
    """Return when each was reported and closed, and whether it is; note what cannot be."""
    reported_at = _instants(rows["reported_at"], mapping)
    sentence = f"the time {{}} does not read as {mapping.time.format}"
    note_fault(faults, reported_at.isna(), "unparsable-date", sentence, rows["reported_at"])
    closed_at = _instants(rows["closed_at"], mapping)
    has_closed = ~rows["closed_at"].str.casefold().isin(NO_VALUE_WORDS)
    note_fault(
        faults, has_closed & closed_at.isna(), "unparsable-date", sentence, rows["closed_at"]
    )
    is_closed = has_closed
    if mapping.has_statuses:
        is_closed = rows["status"].isin(mapping.closed_statuses)
    sentence = "it was closed, {}, before it was reported"
    is_early = is_closed & (closed_at < reported_at)
    note_fault(faults, is_early, "closed-before-reported", sentence, rows["closed_at"])
    return reported_at, closed_at, is_closed


def _instants(texts: Series, mapping: SourceRules) -> Series:
    """Return times as UTC, missing where they do not read.

    The hour that the clocks repeat in autumn is taken as the second one, the hour that they skip
    in spring as its end.
    """
    form, zone = mapping.time.format, mapping.time.timezone
    if form == ISO_FORMAT:
        texts = texts.where(texts.str.contains(_HAS_OFFSET) == (zone == OWN_OFFSET), "")
    if zone == OWN_OFFSET:
        return pd.to_datetime(texts, format=form, errors="coerce", utc=True).dt.as_unit("us")
    local = pd.to_datetime(texts, format=form, errors="coerce").dt.as_unit("us")
    is_summer_time = np.zeros(len(local), dtype=bool)
    zoned = local.dt.tz_localize(zone, ambiguous=is_summer_time, nonexistent="shift_forward")
    return zoned.dt.tz_convert("UTC")

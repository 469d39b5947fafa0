"""What can be wrong with a file, a frame or a parameter: one base class, one class a fault."""

from collections.abc import Mapping
from pathlib import Path


class GeodataError(Exception):
    """Base of every error that ``geodata`` raises on purpose."""

    code = "geodata"


class UnreadableFileError(GeodataError):
    """A file is absent, or is not what its name claims."""

    code = "unreadable-file"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


class UnknownCRSError(GeodataError):
    """A coordinate reference system is not one that PROJ or this project knows."""

    code = "unknown-crs"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"Unknown coordinate reference system {text!r}: "
            "give an EPSG code such as EPSG:4490, or gcj02 or bd09."
        )
        self.text = text


class SequenceOverflowError(GeodataError):
    """A parent grid has more new children than its codes have numbers left."""

    code = "sequence-overflow"

    def __init__(self, parent: str, count: int, limit: int, *, highest: int = 0) -> None:
        free = max(limit - highest, 0)
        super().__init__(
            f"{parent} would get {count} new codes, but only {free} of {limit} are left "
            "(a code once used is never given again): split it first."
        )
        self.parent = parent
        self.count = count
        self.limit = limit
        self.highest = highest
        self.free = free


class OutsideMercatorError(GeodataError):
    """A position lies outside the square that Web Mercator cells cover, or is not a number."""

    code = "outside-mercator"

    def __init__(self, position: int, lon: float, lat: float) -> None:
        super().__init__(
            f"Point {position} (lon {lon}, lat {lat}) has no heat cell: "
            "longitudes go from -180 to 180, latitudes from -85.0511 to 85.0511."
        )
        self.position = position
        self.lon = lon
        self.lat = lat


class InvalidCountError(GeodataError):
    """A frame of counts is not one: a column is absent, or a count is no whole number from 0 up."""

    code = "invalid-count"


class InvalidParameterError(GeodataError):
    """A parameter is outside the range in which the function means anything."""

    code = "invalid-parameter"

    def __init__(self, name: str, value: object, rule: str) -> None:
        super().__init__(f"{name} is {value!r}, but must be {rule}.")
        self.name = name
        self.value = value
        self.rule = rule


class UndeclaredCRSError(GeodataError):
    """A frame does not say which CRS its coordinates are in."""

    code = "undeclared-crs"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has no CRS: declare it, for example with set_crs('EPSG:4326').")
        self.what = what


class MappingError(GeodataError):
    """A mapping file does not fit its own rules, or the file that it is for."""

    code = "mapping"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


class MissingColumnError(MappingError):
    """A mapping names columns that the incident file does not have."""

    code = "missing-column"

    def __init__(
        self, path: Path, source: Path, missing: tuple[str, ...], present: tuple[str, ...]
    ) -> None:
        super().__init__(
            path,
            f"{source.name} has no column {', '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, present))}. Correct 'columns' in the mapping.",
        )
        self.source = source
        self.missing = missing
        self.present = present


class NotALineStringError(GeodataError):
    """A walkway has no geometry, or one that is not a line string."""

    code = "not-a-line-string"

    def __init__(self, row: int) -> None:
        super().__init__(
            f"Walkway in row {row} (from 0) is not a line string: "
            "split multi-part lines and drop rows without a geometry."
        )
        self.row = row


class NoWayError(GeodataError):
    """No walkway connects two points."""

    code = "no-way"

    def __init__(self, start: int, end: int) -> None:
        super().__init__(
            f"No walkway leads from point {start} to point {end} (from 0): "
            "they lie on parts of the network that do not connect."
        )
        self.start = start
        self.end = end


class NoResidentialBuildingError(GeodataError):
    """An extract has no building that people live in, so there is no territory to make."""

    code = "no-residential-building"

    def __init__(self, path: Path, read: int) -> None:
        super().__init__(
            f"{path.name}: none of its {read} buildings is a home inside the box: "
            "give another extract, or a box that covers its homes."
        )
        self.path = path
        self.read = read


class SampleScaleError(GeodataError):
    """The sample cannot be made so small."""

    code = "sample-scale"

    def __init__(self, scale: float, least: float) -> None:
        super().__init__(f"The sample cannot be made at scale {scale}: give {least} or more.")
        self.scale = scale
        self.least = least


class InvalidGeometryError(GeodataError):
    """A geometry of a territory is missing, empty or crosses itself."""

    code = "invalid-geometry"

    def __init__(self, layer: str, name: str, reason: str) -> None:
        super().__init__(
            f"The geometry of {layer} {name} cannot be used ({reason}): "
            "repair it where it was drawn, then import again."
        )
        self.layer = layer
        self.name = name
        self.reason = reason


class SampleSeedError(GeodataError):
    """A seed gives no town in which everything has its place."""

    code = "sample-seed"

    def __init__(self, seed: int, scale: float) -> None:
        super().__init__(
            f"Seed {seed} at scale {scale} gives no town with room for everything: "
            "choose another seed."
        )
        self.seed = seed
        self.scale = scale


class AmbiguousColumnsError(GeodataError):
    """Two columns of a file could be the same field of ours."""

    code = "ambiguous-columns"

    def __init__(
        self, layer: str, doubts: Mapping[str, tuple[str, ...]], certain: Mapping[str, str]
    ) -> None:
        sentences = "; ".join(
            f"{field} could be {' or '.join(map(repr, columns))}"
            for field, columns in doubts.items()
        )
        super().__init__(f"Of {layer}, {sentences}: say which in a mapping of columns.")
        self.layer = layer
        self.doubts = doubts
        self.certain = certain


class UnmatchedFieldError(GeodataError):
    """A file has no column for a field that it must have."""

    code = "unmatched-field"

    def __init__(self, layer: str, fields: tuple[str, ...], present: tuple[str, ...]) -> None:
        super().__init__(
            f"No column is known as the {' or the '.join(fields)} of {layer}; there are "
            f"{', '.join(map(repr, present)) or 'no columns'}: say which in a mapping of columns."
        )
        self.layer = layer
        self.fields = fields
        self.present = present


class AbsentColumnError(GeodataError):
    """A mapping of columns names some that the file does not have."""

    code = "absent-column"

    def __init__(self, missing: tuple[str, ...], present: tuple[str, ...]) -> None:
        super().__init__(
            f"There is no column {', '.join(map(repr, missing))}; "
            f"there are {', '.join(map(repr, present))}. Correct the mapping of columns."
        )
        self.missing = missing
        self.present = present


class UnusableWorkbookError(GeodataError):
    """A workbook is none, is damaged, or is larger than any list can be."""

    code = "unusable-workbook"

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(f"The file {reason}.")
        self.fault = fault
        self.reason = reason


class NoHeadingsError(GeodataError):
    """No sheet of a register has a row of headings that name an address."""

    code = "no-headings"

    def __init__(self, path: Path, sheets: tuple[str, ...], rows: int) -> None:
        super().__init__(
            f"{path.name}: no row among the first {rows} of {', '.join(map(repr, sheets))} has "
            "headings such as 地址, 楼栋 or 网格编码: name the columns in a mapping."
        )
        self.path = path
        self.sheets = sheets


class UnsupportedFormatError(UnreadableFileError):
    """A file is of a kind that is not read here."""

    code = "unsupported-format"


class FileLimitError(UnreadableFileError):
    """A file is larger than any that is meant, in bytes, rows, vertices or otherwise."""

    code = "file-limit"

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(path, f"{fault}.")
        self.fault = fault


class FileEncodingError(UnreadableFileError):
    """The text of a file is in another encoding than was declared, or than can be told."""

    code = "file-encoding"


class FileWithoutCRSError(UnreadableFileError):
    """A file does not say which CRS its coordinates are in, and nobody else did."""

    code = "file-without-crs"

    def __init__(self, path: Path, reason: str = "does not say which CRS it is in") -> None:
        super().__init__(
            path, f"{reason}: declare it with --crs, such as EPSG:4490, EPSG:4526, gcj02 or bd09."
        )


class ContradictingCRSError(UnreadableFileError):
    """The CRS that was declared is not the one that the file is in."""

    code = "contradicting-crs"

    def __init__(self, path: Path, declared: str, found: str) -> None:
        super().__init__(
            path,
            f"says that it is in {found}, but {declared} was declared: "
            "leave the declaration out, or correct the file.",
        )
        self.declared = declared
        self.found = found


class LayerChoiceError(UnreadableFileError):
    """A file has several layers, or not the one that was named."""

    code = "layer-choice"

    def __init__(self, path: Path, layers: tuple[str, ...], wanted: str | None) -> None:
        has = f"has the layers {', '.join(map(repr, layers)) or '(none)'}"
        reason = f"{has}: name one." if wanted is None else f"{has}, but no {wanted!r}."
        super().__init__(path, reason)
        self.layers = layers
        self.wanted = wanted


class LostDigitsError(UnreadableFileError):
    """A code is stored as a number that cannot hold all of its digits."""

    code = "lost-digits"

    def __init__(self, path: Path, row: int, column: str, value: float) -> None:
        super().__init__(
            path,
            f"row {row}: the column {column!r} holds {value:.0f} as a number that keeps fewer "
            "digits than that: store codes as text.",
        )
        self.row = row
        self.column = column


class CRSOutOfReachError(GeodataError):
    """A coordinate reference system has no coordinates for the places that are to be written."""

    code = "crs-out-of-reach"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no coordinates for these places: choose one made for them.")
        self.name = name


class FormatCRSError(GeodataError):
    """A format of files does not have the coordinate reference system that was asked for."""

    code = "format-crs"

    def __init__(self, format_name: str, crs_name: str) -> None:
        super().__init__(
            f"{format_name} is in EPSG:4326 (RFC 7946, section 4), not {crs_name}: "
            "ask for another format, or for no CRS."
        )
        self.format_name = format_name
        self.crs_name = crs_name


class UnknownFormatError(GeodataError):
    """No format of exports has this name."""

    code = "unknown-format"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no format {name!r}: choose one of {', '.join(known)}.")
        self.name = name
        self.known = known


class TooManyRowsError(GeodataError):
    """A layer has more rows than a format has room for."""

    code = "too-many-rows"

    def __init__(self, format_name: str, most: int) -> None:
        super().__init__(
            f"{format_name} has room for {most:,} rows, and there are more: "
            "ask for a part, or for another format."
        )
        self.format_name = format_name
        self.most = most


class UnwritableFileError(GeodataError):
    """A file cannot be written."""

    code = "unwritable-file"

    def __init__(self, path: Path, reason: str) -> None:
        # Who reads this may not be who may know where we keep files.
        reason = " ".join(reason.replace(f"{path.parent}/", "").split()).rstrip(".")
        super().__init__(f"{path.name} cannot be written: {reason}.")
        self.path = path
        self.reason = reason

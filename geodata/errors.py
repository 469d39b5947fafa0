"""What can be wrong with a file, a frame or a parameter: one base class, one class a fault."""

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


class UnprojectedCRSError(GeodataError):
    """A frame has no CRS, or one whose unit is not the metre."""

    code = "unprojected-crs"

    def __init__(self, crs: object) -> None:
        super().__init__(f"Need a projected CRS in metres, got {crs}.")
        self.crs = crs


class SequenceOverflowError(GeodataError):
    """A parent grid has more children than its code has digits for."""

    code = "sequence-overflow"

    def __init__(self, parent: str, count: int, limit: int) -> None:
        super().__init__(
            f"{parent} would get {count} children, but its codes have room for {limit}: "
            "split it first."
        )
        self.parent = parent
        self.count = count
        self.limit = limit


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

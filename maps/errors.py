"""What can be wrong with what a map is asked to draw: one base class, one class a fault."""

from collections.abc import Sequence
from pathlib import Path


class MapsError(Exception):
    """Base of every error that ``maps`` raises on purpose."""

    code = "maps"


class MissingColumnError(MapsError):
    """A frame lacks columns that the map draws from."""

    code = "map-missing-column"

    def __init__(self, frame: str, columns: Sequence[str]) -> None:
        super().__init__(
            f"The frame of {frame} lacks the column(s) {', '.join(columns)}: add them."
        )
        self.frame = frame
        self.columns = tuple(columns)


class WrongCRSError(MapsError):
    """A frame is not in EPSG:4326, so it would be drawn at another place."""

    code = "map-wrong-crs"

    def __init__(self, frame: str, crs: object) -> None:
        super().__init__(
            f"The frame of {frame} is in {crs}, a map takes EPSG:4326: "
            "convert it with to_crs(4326)."
        )
        self.frame = frame
        self.crs = crs


class WrongGeometryError(MapsError):
    """A frame has a row without a geometry, or of a kind that this layer cannot draw."""

    code = "map-wrong-geometry"

    def __init__(self, frame: str, row: int, found: str, wanted: str) -> None:
        super().__init__(f"Row {row} of the frame of {frame} is {found}: the map needs {wanted}.")
        self.frame = frame
        self.row = row
        self.found = found
        self.wanted = wanted


class UnknownStateError(MapsError):
    """A count is given for a state that the map has no colour and no word for."""

    code = "map-unknown-state"

    def __init__(self, state: str, known: Sequence[str]) -> None:
        super().__init__(f"No stairwell state {state!r}: use one of {', '.join(known)}.")
        self.state = state
        self.known = tuple(known)


class OutsideLinkError(MapsError):
    """A rendered page would load something from another host."""

    code = "map-outside-link"

    def __init__(self, links: Sequence[str]) -> None:
        super().__init__(
            f"The page would load {', '.join(links)}: call maps.assets.localize() at start-up, "
            "or add the file to the table in maps/assets.py."
        )
        self.links = tuple(links)


class MissingAssetError(MapsError):
    """A file that the pages serve is not installed."""

    code = "map-missing-asset"

    def __init__(self, public_path: str, path: Path) -> None:
        super().__init__(
            f"{public_path} is not installed ({path.name} is absent): run npm ci in maps/assets."
        )
        self.public_path = public_path
        self.path = path

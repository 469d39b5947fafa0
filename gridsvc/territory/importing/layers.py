"""What differs from layer to layer where files become rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geodata.codes import BUILDING_DIGITS, COMMUNITY_DIGITS, COMPOUND_DIGITS, STAIRWELL_DIGITS
from gridsvc.territory.tables import BuildingRow, CommunityRow, CompoundRow, StairwellRow


@dataclass(frozen=True)
class GridLayer:
    """A layer of polygons.

    Attributes
    ----------
    row, parent_row
        Table classes of the layer and of what is above it.
    parent_column
        Where the layer, and a file of it, names the parent.
    digits, parent_digits
        Length of a code, and of the parent's.
    fields
        What of the table a file may fill, beside code and parent.
    is_multi
        Whether the table holds multipolygons.
    """

    name: str
    noun: str
    row: Any
    parent_row: Any
    parent_column: str
    digits: int
    parent_digits: int
    fields: tuple[str, ...]
    is_multi: bool = False

    @property
    def sequence_digits(self) -> int:
        """Length of the number at the end of a code."""
        return self.digits - self.parent_digits


GRID_LAYERS: Mapping[str, GridLayer] = {
    "compounds": GridLayer(
        "compounds",
        "compound",
        *(CompoundRow, CommunityRow, "community_code"),
        *(COMPOUND_DIGITS, COMMUNITY_DIGITS),
        ("name", "built_year", "is_demonstration"),
        is_multi=True,
    ),
    "buildings": GridLayer(
        "buildings",
        "building",
        *(BuildingRow, CompoundRow, "compound_code"),
        *(BUILDING_DIGITS, COMPOUND_DIGITS),
        ("name", "kind", "levels"),
    ),
    "stairwells": GridLayer(
        "stairwells",
        "stairwell",
        *(StairwellRow, BuildingRow, "building_code"),
        *(STAIRWELL_DIGITS, BUILDING_DIGITS),
        ("name", "household_count"),
    ),
}

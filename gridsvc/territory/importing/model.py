"""Imports of territory in plain Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

Layer = Literal["compounds", "buildings", "stairwells", "households"]
Status = Literal["staging", "staged", "applied", "discarded"]
LAYERS: tuple[Layer, ...] = ("compounds", "buildings", "stairwells", "households")


@dataclass(frozen=True)
class FileWish:
    """A file to be brought in, and what its sender says of it.

    Attributes
    ----------
    street_code
        The sub-district whose territory it is.
    crs, encoding, source_layer
        As the sender declares them; absent: as the file does.
    columns
        Our field to the file's column; absent: guessed by name.
    valid_from
        First day on which the grids are as the file says.
    file_name
        What the sender calls it; absent: the name of the path.
    entrances, entrances_crs
        Points where people go into the buildings, by which these are cut, and what that file is in.
    """

    path: Path
    layer: Layer
    street_code: int
    valid_from: date
    crs: str | None = None
    encoding: str | None = None
    source_layer: str | None = None
    columns: Mapping[str, str] | None = None
    file_name: str | None = None
    entrances: Path | None = None
    entrances_crs: str | None = None

    @property
    def name(self) -> str:
        """What the sender calls the file."""
        return self.file_name or self.path.name


@dataclass(frozen=True)
class TerritoryImport:
    """A file that somebody brought in.

    Attributes
    ----------
    crs_name
        What the coordinates were in; empty where there are none.
    columns
        Our field to the file's column, as they were read.
    notes
        What the reader wants the sender to know, English sentences.
    entrance_count
        Entrances that came with it.
    row_count, staged_count
        Rows of the file, and how many of them are staged so far.
    result
        Once applied: see `Applied`.
    """

    id: UUID
    street_code: int
    layer: Layer
    file_name: str
    format: str
    crs_name: str
    columns: Mapping[str, str]
    notes: Sequence[str]
    entrance_count: int
    row_count: int
    staged_count: int
    valid_from: date
    status: Status
    account_id: UUID | None
    created_at: datetime
    applied_at: datetime | None
    result: Mapping[str, Any] | None


@dataclass(frozen=True)
class Decision:
    """What somebody decided who has read the report.

    Attributes
    ----------
    accepted
        Kinds of warnings that are let through, or ``all``.
    repair
        Whether proposed repairs take the place of invalid geometries.
    cut_stairwells
        Whether buildings without stairwells are cut into some.
    stairwells
        How many those get of which neither the file nor two entrances say it; absent: as many as
        their length says.
    """

    accepted: frozenset[str] = frozenset()
    repair: bool = False
    cut_stairwells: bool = False
    stairwells: int | None = None


@dataclass(frozen=True)
class Applied:
    """What an import did, in numbers of rows.

    Attributes
    ----------
    repaired
        Of those that went in, how many with a repaired geometry.
    cut
        Stairwells that were cut from buildings.
    by_entrances
        How many of these were cut by the entrances of their building.
    stairwells
        Stairwells whose households a register changed.
    """

    added: int = 0
    changed: int = 0
    same: int = 0
    rejected: int = 0
    repaired: int = 0
    cut: int = 0
    by_entrances: int = 0
    stairwells: int = 0
    accepted: tuple[str, ...] = field(default=())

"""What is known of the sample sub-district: names, codes and published counts, from town.yaml."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from geodata.yaml_text import load_yaml

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Community:
    """A community: its code, name, the age of its quarter, and its compounds at scale 1."""

    code: int
    name: str
    quarter: str
    compounds: int


@dataclass(frozen=True)
class NamedCompound:
    """A compound with published figures; None where nothing is published."""

    name: str
    community: str
    style: str
    built_year: int
    stairwells: int
    buildings: int | None = None
    households: int | None = None
    building_chiefs: int | None = None
    societies: int | None = None


@dataclass(frozen=True)
class Town:
    """The sample's fixed facts."""

    street_code: int
    street_name: str
    lon: float
    lat: float
    counts: dict[str, Any]
    quarters: dict[str, list[float]]
    communities: tuple[Community, ...]
    layout: list[Any]
    outer_streets: dict[str, str]
    promenade: str
    lake: dict[str, str]
    named_compounds: tuple[NamedCompound, ...]
    lift_building: dict[str, Any]


@cache
def load_town() -> Town:
    """Return the facts of town.yaml."""
    facts = load_yaml((_FOLDER / "town.yaml").read_text(encoding="utf-8"))
    return Town(
        street_code=facts["street"]["code"],
        street_name=facts["street"]["name"],
        lon=facts["centre"]["lon"],
        lat=facts["centre"]["lat"],
        counts=facts["counts"],
        quarters=facts["quarters"],
        communities=tuple(Community(**row) for row in facts["communities"]),
        layout=facts["layout"],
        outer_streets=facts["outer_streets"],
        promenade=facts["promenade"],
        lake=facts["lake"],
        named_compounds=tuple(NamedCompound(**row) for row in facts["named_compounds"]),
        lift_building=facts["lift_building"],
    )


@cache
def load_words() -> dict[str, Any]:
    """Return the invented names and sentences of words.yaml."""
    words: dict[str, Any] = load_yaml((_FOLDER / "words.yaml").read_text(encoding="utf-8"))
    return words

"""What the overview reads together, in plain Python."""

from dataclasses import dataclass

from gridsvc.contacts.model import Contact
from gridsvc.territory.model import Stairwell


@dataclass(frozen=True)
class Results:
    """What has been reached in the caller's territory: every figure counted, none kept."""

    communities: int
    compounds: int
    demonstration_compounds: int
    buildings: int
    stairwells: int
    households: int
    building_chiefs: int
    party_building_chiefs: int
    party_members_reported_in: int
    organisations: dict[str, int]
    people_in_organisations: int
    incidents_by_class: dict[str, int]
    incidents_by_place: dict[str, int]

    @property
    def incidents(self) -> int:
        """All incidents."""
        return sum(self.incidents_by_class.values())


@dataclass(frozen=True)
class StairwellCard:
    """A stairwell with its contact and how many incidents it has had."""

    stairwell: Stairwell
    contact: Contact | None
    incident_count: int

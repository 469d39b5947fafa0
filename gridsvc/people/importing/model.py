"""A list of members beside the register, in plain Python."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from geodata.register.availability import Away
from geodata.register.members import MemberFault
from gridsvc.people.register.model import Hours

Outcome = Literal["added", "changed", "same", "rejected"]


@dataclass(frozen=True)
class KnownMember:
    """A member of the register as an import compares them.

    Attributes
    ----------
    withdrawn_on
        When the last consent was withdrawn, where none is in force.
    away
        Absences: first and last day.
    """

    community_code: int
    member_id: UUID
    name: str
    phone_masked: str | None
    phone_cipher: bytes | None
    fields: Mapping[str, Any]
    has_consent: bool
    withdrawn_on: date | None
    hours: tuple[Hours, ...]
    away: frozenset[Away]


@dataclass(frozen=True)
class Line:
    """What becomes of a row of the file.

    Attributes
    ----------
    fields
        Checked, by name of `gridsvc.people.register.model.Draft`; of a changed member only what
        is different. Empty where the row is rejected or changes nothing.
    away
        Absences to write.
    """

    row: int
    outcome: Outcome
    community_code: int | None = None
    member_id: UUID | None = None
    fields: Mapping[str, Any] | None = None
    away: tuple[Away, ...] = ()
    consented_on: date | None = None


@dataclass(frozen=True)
class Report:
    """A list of members beside the register; nothing is written yet.

    Attributes
    ----------
    lines
        One a row of a person, by row.
    faults
        What is wrong with rows, by row; it names no person.
    columns
        Our field to the file's column.
    notes
        What was found and left out.
    """

    lines: tuple[Line, ...]
    faults: tuple[MemberFault, ...]
    columns: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows become what."""
        found = Counter(line.outcome for line in self.lines)
        return {name: found[name] for name in ("added", "changed", "same", "rejected")}

    @property
    def fault_counts(self) -> Mapping[str, int]:
        """How many faults there are of each kind, by kind."""
        return dict(sorted(Counter(fault.kind for fault in self.faults).items()))

    def reasons(self) -> dict[int, list[str]]:
        """Return why each rejected row is, by row."""
        rejected = {line.row for line in self.lines if line.outcome == "rejected"}
        found: dict[int, list[str]] = {row: [] for row in sorted(rejected)}
        for fault in self.faults:
            if fault.row in rejected and fault.severity == "error":
                found[fault.row].append(fault.reason)
        return found

"""Work lists, in plain Python."""

from dataclasses import dataclass
from uuid import UUID

LISTS = ("mine", "overdue", "unassigned", "unverified", "hung", "open")
"""Mine: handed to the caller and not over. Open: everything that is not over."""


@dataclass(frozen=True)
class WorkFilter:
    """Which incidents of a work list; what is absent does not matter.

    Attributes
    ----------
    name
        One of `LISTS`.
    class_code
        One of the seven classes.
    handler
        Account or party that it is handed to.
    """

    name: str
    community_code: int | None = None
    compound_code: str | None = None
    class_code: str | None = None
    level: str | None = None
    handler: UUID | None = None


@dataclass(frozen=True)
class Chosen:
    """An incident that somebody chose from a list, and the version they saw."""

    id: UUID
    version: int | None = None


@dataclass(frozen=True)
class Assigned:
    """What came of one incident among many that were handed over.

    Attributes
    ----------
    version
        That it has now; absent where it was not handed over.
    error_code, detail
        Why it was not, as a problem document says it.
    """

    id: UUID
    version: int | None
    error_code: str | None = None
    detail: str | None = None

"""Figures of incidents, in plain Python."""

from dataclasses import dataclass

DIVISIONS = ("class", "compound", "community", "month")


@dataclass(frozen=True)
class Figures:
    """Incidents of one part of a division; duplicates and what moved away count elsewhere.

    Attributes
    ----------
    key
        Class, code or first day of the month (``2026-11``); empty: outside every compound.
    answered, answer_h
        How many reporters have had an answer, and after how many hours the middle one had.
    solved, solution_h
        How many are solved, and after how many hours the middle one was; a clock's hours, nights
        and holidays included: so long did people wait.
    solved_in_compound
        Of those solved, how many without going up to the community or the joint meeting.
    reopened
        How many were reopened at least once.
    """

    key: str
    incidents: int
    answered: int
    answer_h: float | None
    solved: int
    solution_h: float | None
    solved_in_compound: int
    reopened: int

    @property
    def share_in_compound(self) -> float | None:
        """Of those solved, the share solved inside the compound."""
        return self.solved_in_compound / self.solved if self.solved else None

    @property
    def reopen_rate(self) -> float | None:
        """Of those solved or reopened since, the share reopened at least once."""
        ever = max(self.solved, self.reopened)
        return self.reopened / ever if ever else None

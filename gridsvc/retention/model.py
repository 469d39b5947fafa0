"""Rules of retention in plain Python."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Rule:
    """How long the rows of one table are kept.

    Attributes
    ----------
    days
        Kept for so many days; absent: kept.
    since
        From when the days count; empty where rows are kept.
    why
        Why that long, or why at all.
    clears
        The column that is emptied when the days are over; absent: the whole row goes.
    """

    table: str
    days: int | None
    since: str
    why: str
    clears: str | None = None

    def cutoff(self, now: datetime) -> datetime:
        """Return the moment before which what the rule counts from must lie.

        Examples
        --------
        >>> Rule("sign_in", 30, "its end", "").cutoff(datetime(2026, 1, 31))
        datetime.datetime(2026, 1, 1, 0, 0)
        """
        return now - timedelta(days=self.days or 0)


@dataclass(frozen=True)
class Applied:
    """How many rows of a table are over, or were deleted or cleared."""

    rule: Rule
    count: int

"""API keys, in plain Python."""

from dataclasses import dataclass
from datetime import datetime

LONGEST_DAYS = 366
MOST_KEYS = 20


@dataclass(frozen=True)
class ApiKey:
    """A key as its owner sees it; the secret was shown once.

    Attributes
    ----------
    lo, hi
        It reads inside these administrative codes, as far as they are still its owner's.
    used_at
        To ten minutes; absent until it is used.
    """

    id: str
    name: str
    lo: int
    hi: int
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None

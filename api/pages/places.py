"""Territories in words: what a community is called, and which of them can be given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.pages.text import Words
from gridsvc.db import Interval, ScopedSession
from gridsvc.territory import service as territory


@dataclass(frozen=True)
class Place:
    """A territory to read or to choose."""

    code: int
    name: str

    @property
    def is_whole(self) -> bool:
        """Whether it is a sub-district, which holds communities."""
        return self.code % 1000 == 0


class Places:
    """The caller's communities by their code, and the sub-districts that are wholly theirs."""

    def __init__(self, session: ScopedSession, intervals: Sequence[Interval], say: Words) -> None:
        self._say = say
        self._intervals = intervals
        self._names = {one.code: one.name for one in territory.list_communities(session)}

    def name(self, lo: int, hi: int) -> str:
        """Return what an interval of codes is called; its code where nothing is known of it."""
        if lo == hi and lo % 1000:
            return self._names.get(lo, str(lo))
        count = sum(lo <= code <= hi for code in self._names)
        key = "place_whole" if Interval.of(lo) == Interval(lo, hi) else "place_range"
        return self._say(key, n=count, code=lo)

    def names(self, territories: Iterable[tuple[int, int]]) -> list[str]:
        """Return what several intervals are called."""
        return [self.name(lo, hi) for lo, hi in territories]

    def code_name(self, code: int) -> str:
        """Return what a 12-digit code is called."""
        interval = Interval.of(code)
        return self.name(interval.lo, interval.hi)

    def choices(self) -> list[Place]:
        """Return what the caller can give: whole sub-districts first, then communities."""
        wholes = {
            lo
            for interval in self._intervals
            for lo in range(interval.lo - interval.lo % 1000, interval.hi + 1, 1000)
            if interval.lo <= lo and lo + 999 <= interval.hi
        }
        return [Place(code, self.code_name(code)) for code in (*sorted(wholes), *self._names)]

"""Wall time of a solve: what is left of it, who wants it to stop, and how long each stage took."""

import time
from collections.abc import Callable

import numpy as np

from geodata.progress import Progress


class Clock:
    """Wall time since the start, by stage."""

    def __init__(
        self, limit_s: float | None, *, go_on: Callable[[], bool] | None, report: Progress
    ) -> None:
        self._started = self._lapped = time.monotonic()
        self._go_on = go_on or (lambda: True)
        self._stopped, self._origin_s = False, 0.0
        self.report = report
        self.limit_s = np.inf if limit_s is None else limit_s
        self.stages_s: dict[str, float] = {}

    @property
    def gone_s(self) -> float:
        """Seconds since the start; for ever, once the caller wants it to stop."""
        self._stopped = self._stopped or not self._go_on()
        return np.inf if self._stopped else time.monotonic() - self._started

    def until(self, part: float) -> Callable[[], float]:
        """Return a function of the part left of the time from now to a part of the limit, 1 to 0.

        Parts count from the last ``count_from_now``, at first from the start. Without a limit it
        is 1 until the caller wants it to stop.
        """
        begin = time.monotonic() - self._started
        end = self._origin_s + part * (self.limit_s - self._origin_s)

        def left() -> float:
            gone_s = self.gone_s
            if np.isinf(gone_s) or end <= begin:
                return 0.0
            return 1.0 if np.isinf(end) else (end - gone_s) / (end - begin)

        return left

    def count_from_now(self) -> None:
        """Let the parts of the limit be parts of what is left of it now."""
        self._origin_s = min(time.monotonic() - self._started, self.limit_s)

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.monotonic()
        self.stages_s[stage] = self.stages_s.get(stage, 0.0) + now - self._lapped
        self._lapped = now
        self.report(stage, 1, 1)

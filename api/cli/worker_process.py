"""A worker beside the server: a process of its own, begun again when it ends, gone with us."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from api.cli.console import words
from api.cli.runtime import Runtime

_GRACE_S = 25  # longer than the worker gives its jobs
_LONGEST_WAIT_S = 60
_LONG_S = 60

log = logging.getLogger(__name__)


@contextmanager
def worker_beside(runtime: Runtime) -> Iterator[None]:
    """Keep a worker running as long as this lasts, unless the settings want none here."""
    if runtime.settings.worker and runtime.job is None:
        words.print("No worker here: GRID_JOB_URL is not set, so long work waits for ./grid worker")
    if not runtime.settings.worker or runtime.job is None:
        yield
        return
    keeper = _Keeper()
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper:
    """Starts the worker, and starts it again where it ends by itself.

    The worker reads from a pipe that only this process holds: whatever ends us, it stops.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the worker: it hands its jobs on; where that takes too long, at once."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is None:
            return
        assert process.stdin is not None  # noqa: S101  (it was asked for)
        process.stdin.close()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._thread.join()

    def _keep(self) -> None:
        wait_s = 1
        while (process := self._begin()) is not None:
            began = time.monotonic()
            status = process.wait()
            if self._stopping.is_set():
                return
            log.warning("the worker has ended by itself", extra={"status": status})
            is_new = time.monotonic() - began < _LONG_S
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S) if is_new else 1
            self._stopping.wait(wait_s)

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        """Start the worker, unless we are to stop."""
        # As we were started: where -P kept the folder one stands in out of the way, here too.
        safe = ["-P"] if sys.flags.safe_path else []
        command = [sys.executable, *safe, "-m", "api", "worker", "--beside"]
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - ours
            return self._process

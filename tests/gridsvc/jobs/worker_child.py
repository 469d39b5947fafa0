"""Be a worker as a process of its own, which tests can kill.

Run by test_worker.py: ``python worker_child.py API_URL JOB_URL STALLED_S``.
"""

import signal
import sys

from gridsvc.db import Database, make_engine
from gridsvc.jobs.running import Workplace
from gridsvc.jobs.worker import Worker
from tests.gridsvc.jobs.kinds import KINDS


def main(api_url: str, job_url: str, stalled_s: str) -> None:
    place = Workplace(Database(make_engine(api_url)), Database(make_engine(job_url)), KINDS)
    worker = Worker(place, at_once=1, stalled_s=float(stalled_s))
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    worker.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Do long work."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from api import logs
from api.cli.console import words
from api.cli.runtime import Runtime, open_runtime
from api.jobs_table import KINDS, ROUNDS, errands
from gridsvc import settings as settings_module
from gridsvc.db import Database, make_engine
from gridsvc.jobs.running import Workplace
from gridsvc.jobs.worker import ERRANDS_AT_ONCE, Worker

GRACE_S = 20
_LONGEST_STATEMENT_S = 3600

app = typer.Typer()


@app.command()
def worker(
    *,
    beside: Annotated[
        bool, typer.Option("--beside", hidden=True, help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Do long work, such as plans, until stopped; several workers may run at once."""
    settings = settings_module.load()
    with open_runtime(settings) as runtime, _workplace(runtime) as place:
        logs.configure()
        made = Worker(place, at_once=settings.jobs_at_once, stalled_s=settings.job_stalled_s)
        _stop_when_told(made, beside=beside)
        if not beside:
            words.print("Working (Ctrl-C stops)")
        made.run()


@contextmanager
def _workplace(runtime: Runtime) -> Iterator[Workplace]:
    """Give connections of the worker's own: work keeps them longer than requests may.

    Raises
    ------
    DatabaseNotReadyError
        The settings name no connection of the job role.
    """
    at_once = runtime.settings.jobs_at_once
    engines = [
        make_engine(
            database.engine.url.render_as_string(hide_password=False),
            pool_size=connections,
            statement_timeout_s=_LONGEST_STATEMENT_S,
        )
        # One for the work of each job; as the job role, one more for its books, and the errands'.
        for database, connections in (
            (runtime.served, at_once),
            (runtime.loading, 2 * at_once + ERRANDS_AT_ONCE),
        )
    ]
    try:
        served, job = (Database(engine, runtime.served.is_leakproof) for engine in engines)
        yield Workplace(served, job, KINDS, errands(runtime.settings, runtime.vault), ROUNDS)
    finally:
        for engine in engines:
            engine.dispose()


def _stop_when_told(made: Worker, *, beside: bool) -> None:
    """Stop by a signal, or when whoever started this one is gone; in good time, or at once."""

    def stop() -> None:
        made.stop()
        # What does not listen is left where it is: another worker begins it again.
        late = threading.Timer(GRACE_S, os._exit, (1,))
        late.daemon = True
        late.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
    if beside:

        def outlast() -> None:
            sys.stdin.read()
            stop()

        threading.Thread(target=outlast, daemon=True).start()

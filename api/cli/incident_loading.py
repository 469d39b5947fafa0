"""Incidents of another system: loaded, and every row accounted for."""

from pathlib import Path

from pandas import DataFrame

from api.cli.console import print_table, words
from api.cli.runtime import open_runtime
from geodata.incidents import IncidentTable, write_rejects
from geodata.progress import Progress
from gridsvc import settings as settings_module
from gridsvc.db import refresh_statistics
from gridsvc.incidents import service as incidents


def load(table: IncidentTable, *, street: int, progress: Progress) -> DataFrame:
    """Load incidents as the job, and release the heat anew; return what was added."""
    with (
        open_runtime(settings_module.load()) as runtime,
        runtime.job_session(street) as session,
    ):
        added = incidents.add_many(session, table.incidents, progress=progress)
        refresh_statistics(session)
        incidents.release_heat(session)
    return added


def account(name: str, table: IncidentTable, added: DataFrame | None, *, rejects: Path) -> None:
    """Print where every row went, and write the rejected ones to a file.

    Parameters
    ----------
    added
        As `load` returns it; None for a dry run, which writes nothing at all.
    """
    rows = [
        ("rows read", f"{table.row_count:,}"),
        ("incidents", f"{len(table.incidents):,}"),
        ("rejects", f"{len(table.rejects):,}"),
    ]
    rows += [(f"  {why}", f"{many:,}") for why, many in table.reject_counts().items()]
    if added is not None:
        rows.append(("loaded", f"{len(added):,}"))
        rows.append(("known already", f"{len(table.incidents) - len(added):,}"))
        for place, count in added["place"].value_counts().items():
            rows.append((f"  in {place}", f"{count:,}"))
    print_table(f"{name}{' (dry run: nothing written)' if added is None else ''}", rows)
    if len(table.rejects) and added is not None:
        write_rejects(table.rejects, rejects)
        words.print(f"Rejected rows: {rejects}")

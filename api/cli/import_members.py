"""Bring a list of members in: look at it, then apply it."""

from pathlib import Path
from typing import Annotated

import typer
from pandas import DataFrame

from api.cli.console import print_table, words
from api.cli.runtime import open_runtime
from geodata.columns import load_columns, save_columns
from geodata.errors import MappingError
from geodata.register.members import MemberList, read_members
from gridsvc import settings as settings_module
from gridsvc.db import refresh_statistics
from gridsvc.people.importing import service as importing
from gridsvc.people.importing.model import Report
from gridsvc.territory.importing.rejects import rejects_csv

_OWNER_ONLY = 0o600


def import_members(
    file: Annotated[Path, typer.Argument(help="A list of members: .xlsx or CSV.")],
    *,
    street: Annotated[int, typer.Option(help="12-digit code of the sub-district, ending in 000.")],
    sheet: Annotated[str | None, typer.Option(help="Name of its sheet; default: guessed.")] = None,
    columns: Annotated[
        Path | None, typer.Option(help="YAML: which column is which field; default: guessed.")
    ] = None,
    save_columns_to: Annotated[
        Path | None, typer.Option("--save-columns", help="Where to write that mapping.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Where rows that cannot be taken go, with the reason; people's data."),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write what the report says; else only look.")
    ] = False,
) -> None:
    """Read members who reported in; rows that cannot be taken stop none of the others."""
    mapping = load_columns(columns) if columns else None
    if columns and mapping and mapping.layer != "members":
        raise MappingError(columns, f"is of {mapping.layer}, not of members.")
    found = read_members(file, columns=mapping, sheet=sheet)
    if save_columns_to is not None:
        save_columns(found.mapping, save_columns_to)
    with (
        open_runtime(settings_module.load()) as runtime,
        runtime.job_session(street) as session,
    ):
        report = importing.examine(session, found, vault=runtime.vault)
        if apply:
            importing.apply(session, report, vault=runtime.vault)
            refresh_statistics(session)
    told = "applied" if apply else "nothing written: --apply writes it"
    print_table(f"{file.name} ({told})", _rows(report))
    for fault in report.faults:
        words.print(f"row {fault.row:,}: {fault.severity}: {fault.reason}", highlight=False)
    if report.counts["rejected"] and rejects is not None:
        _write_rejects(found, report, rejects)
        words.print(f"Rejected rows: {rejects}")


def _rows(report: Report) -> list[tuple[str, str]]:
    rows = [(f"column of {field}", column) for field, column in report.columns.items()]
    rows += [(name, f"{count:,}") for name, count in report.counts.items()]
    rows += [(f"  {kind}", f"{count:,}") for kind, count in report.fault_counts.items()]
    return rows + [(note, "") for note in report.notes]


def _write_rejects(found: MemberList, report: Report, path: Path) -> None:
    """Write the rejected rows as the list has them, and why; its owner alone may read it."""
    reasons = report.reasons()
    rows = [[row, " ".join(why), *found.cells[row]] for row, why in reasons.items()]
    table = DataFrame(rows, columns=["row", "reason", *found.headings])
    path.touch(mode=_OWNER_ONLY)
    path.chmod(_OWNER_ONLY)
    path.write_bytes(rejects_csv(table))

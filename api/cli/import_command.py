"""Bring real data in."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from api.cli.console import print_table, progress_bars, words
from api.cli.import_members import import_members
from api.cli.import_open311 import import_open311
from api.cli.incident_loading import account, load
from api.cli.runtime import Runtime, open_runtime
from api.cli.territory_report import (
    applied_rows,
    findings_rows,
    ground_of,
    outcome_rows,
    source_rows,
    write_report,
)
from geodata.codes import street_of
from geodata.columns import ColumnMapping, load_columns, save_columns
from geodata.errors import MappingError
from geodata.incidents import load_mapping, read_incidents
from geodata.osm import ImportReport, read_territory
from geodata.stairwells import MOST_STAIRWELLS
from gridsvc import settings as settings_module
from gridsvc.db import Interval, Scope, clear_connection_errors, refresh_statistics
from gridsvc.errors import ImportBlockedError
from gridsvc.incidents import service as incidents
from gridsvc.local_time import local_today
from gridsvc.territory import service as territory
from gridsvc.territory.importing import service as importing
from gridsvc.territory.importing.applying import require_kinds
from gridsvc.territory.importing.findings import Findings
from gridsvc.territory.importing.model import Decision, FileWish, Layer
from gridsvc.territory.importing.rejects import rejects_csv, rejects_table
from gridsvc.territory.importing.source import Source, read_source

app = typer.Typer(help="Import territory, members and incidents.", no_args_is_help=True)
app.command("members")(import_members)
app.command("open311")(import_open311)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and report; write nothing.")]


@app.command("osm")
def import_osm(
    file: Annotated[Path, typer.Argument(help="An OpenStreetMap extract (.osm.pbf).")],
    *,
    community: Annotated[int, typer.Option(help="12-digit code of the new community.")],
    name: Annotated[str, typer.Option(help="Its name.")],
    dry_run: DryRun = False,
) -> None:
    """Read buildings, compounds, stairwells and walkways of one community from OpenStreetMap."""
    settings = settings_module.load()
    with progress_bars() as progress:
        found = read_territory(
            file, community_code=community, community_name=name, progress=progress
        )
    rows = _report_rows(found.report)
    if not dry_run:
        with (
            open_runtime(settings) as runtime,
            runtime.job_session(street_of(community)) as session,
        ):
            incidents.apply_catalogue(session)
            loaded = territory.load(session, found.territory)
            refresh_statistics(session)
        rows += [(f"loaded: {layer}", f"{count:,}") for layer, count in loaded.items()]
    print_table(f"{file.name}{' (dry run: nothing written)' if dry_run else ''}", rows)


def _report_rows(report: ImportReport) -> list[tuple[str, str]]:
    rows = []
    for count in report.counts:
        rows.append((f"{count.kind} read", f"{count.read:,}"))
        rows.append(("  used", f"{count.used:,}"))
        rows += [(f"  left out: {why}", f"{many:,}") for why, many in count.left_out.items()]
    rows += [(f"{layer} made", f"{many:,}") for layer, many in report.made.items()]
    return rows + [(note, "") for note in report.notes]


@app.command("incidents")
def import_incidents(
    file: Annotated[Path, typer.Argument(help="Incident points: CSV or GeoJSON.")],
    *,
    mapping: Annotated[Path, typer.Option(help="YAML that names columns and categories.")],
    street: Annotated[int, typer.Option(help="12-digit code of the sub-district, ending in 000.")],
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that cannot be loaded go, with the reason.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Read incident points; rows that cannot be loaded go to a rejects file with the reason."""
    with progress_bars() as progress:
        table = read_incidents(file, load_mapping(mapping), progress=progress)
        added = None if dry_run else load(table, street=street, progress=progress)
    target = rejects or file.with_name(f"{file.stem}.rejects.csv")
    account(file.name, table, added, rejects=target)


@app.command("territory")
def import_territory(
    file: Annotated[
        Path, typer.Argument(help="Polygons of any form, or a register of households.")
    ],
    *,
    layer: Annotated[Layer, typer.Option(help="What its rows are.")],
    street: Annotated[int, typer.Option(help="12-digit code of the sub-district, ending in 000.")],
    crs: Annotated[
        str | None, typer.Option(help="What it is in, as EPSG:4526, gcj02 or bd09; never guessed.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of its text, as GB18030.")] = None,
    source_layer: Annotated[str | None, typer.Option(help="Which of its layers.")] = None,
    columns: Annotated[
        Path | None, typer.Option(help="YAML: which column is which field; default: guessed.")
    ] = None,
    save_columns_to: Annotated[
        Path | None, typer.Option("--save-columns", help="Where to write that mapping.")
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="A kind of warning to let through, or all.")
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Use the proposed repairs.")] = False,
    cut_stairwells: Annotated[
        bool, typer.Option("--cut-stairwells", help="Cut buildings that have no stairwells.")
    ] = False,
    entrances: Annotated[
        Path | None,
        typer.Option(help="Points where people go in, perhaps with a building's code: to cut by."),
    ] = None,
    entrances_crs: Annotated[
        str | None, typer.Option(help="What that file is in, as --crs says of the other.")
    ] = None,
    stairwells: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_STAIRWELLS,
            help="How many a building is cut into of which neither file says it.",
        ),
    ] = None,
    valid_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; default: today.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Folder to write the report to.")] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows go that do not go in, with the reason.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Bring a layer of territory in, all of it or nothing; what stands against it is told first."""
    wish = FileWish(
        file,
        layer,
        street,
        valid_from.date() if valid_from else local_today(),
        crs=crs,
        encoding=encoding,
        source_layer=source_layer,
        columns=_columns_of(columns, layer) if columns else None,
        entrances=entrances,
        entrances_crs=entrances_crs,
    )
    if not cut_stairwells and (entrances is not None or stairwells is not None):
        message = "--entrances and --stairwells say how --cut-stairwells cuts: give it too"
        raise typer.BadParameter(message)
    decision = Decision(frozenset(accept or ()), repair, cut_stairwells, stairwells)
    source = read_source(wish)
    if save_columns_to is not None:
        save_columns(ColumnMapping(layer, source.columns), save_columns_to)
    print_table(file.name, source_rows(wish, source))
    with open_runtime(settings_module.load()) as runtime:
        findings, outcome = _bring_in(runtime, wish, source, decision, dry_run=dry_run)
        if report is not None:
            with runtime.job_session(street) as session:
                ground = ground_of(session)
            write_report(wish, findings, ground, report)
            words.print(f"Report: {report}")
    is_refused = bool(findings.refused(decision.accepted))
    title = "nothing written" if is_refused or dry_run else "applied"
    print_table(title, findings_rows(findings) + outcome)
    left_out = findings.rejected(decision.accepted) if is_refused else findings.left_out()
    if len(left_out):
        target = rejects or file.with_name(f"{file.stem}.rejects.csv")
        target.write_bytes(rejects_csv(rejects_table(left_out, source.rows)))
        words.print(f"Rejected rows: {target}")
    if is_refused:
        kinds = ", ".join(findings.refused(decision.accepted))
        words.print(f"Nothing was written: {kinds}. Correct the file, or --accept warnings.")
        raise typer.Exit(1)


def _columns_of(path: Path, layer: Layer) -> dict[str, str]:
    """Return the columns of a mapping file, which must be of the layer."""
    mapping = load_columns(path)
    if mapping.layer != layer:
        raise MappingError(path, f"is of {mapping.layer}, not of {layer}.")
    return dict(mapping.columns)


def _bring_in(
    runtime: Runtime, wish: FileWish, source: Source, decision: Decision, *, dry_run: bool
) -> tuple[Findings, list[tuple[str, str]]]:
    """Stage and apply a file, or only look at it; return the report and what was done."""
    require_kinds(decision.accepted)
    if dry_run:
        with runtime.job_session(wish.street_code) as session:
            findings = importing.preview(session, wish, source)
        return findings, outcome_rows(findings)
    scope = Scope("job", (Interval.of(wish.street_code),))
    with clear_connection_errors(), progress_bars() as progress:
        found = importing.stage(runtime.loading, scope, wish, source=source, progress=progress)
    try:
        with runtime.job_session(wish.street_code) as session:
            done = importing.apply(session, found.id, decision, source=source)
            refresh_statistics(session)
    except ImportBlockedError as error:
        findings = cast(Findings, error.findings)
        return findings, outcome_rows(findings)
    return done.findings, applied_rows(done.applied)

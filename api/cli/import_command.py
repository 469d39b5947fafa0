"""Bring real data in."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import print_table, progress_bars, words
from api.cli.runtime import open_runtime
from geodata.codes import street_of
from geodata.incidents import load_mapping, read_incidents, write_rejects
from geodata.osm import ImportReport, read_territory
from gridsvc import settings as settings_module
from gridsvc.db import refresh_statistics
from gridsvc.incidents import service as incidents
from gridsvc.territory import service as territory

app = typer.Typer(help="Import territory and incidents.", no_args_is_help=True)
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
    settings = settings_module.load()
    with progress_bars() as progress:
        table = read_incidents(file, load_mapping(mapping), progress=progress)
        rows = [
            ("rows read", f"{table.row_count:,}"),
            ("incidents", f"{len(table.incidents):,}"),
            ("rejects", f"{len(table.rejects):,}"),
        ]
        rows += [(f"  {why}", f"{many:,}") for why, many in table.reject_counts().items()]
        if not dry_run:
            with open_runtime(settings) as runtime, runtime.job_session(street) as session:
                added = incidents.add_many(session, table.incidents, progress=progress)
                refresh_statistics(session)
                incidents.release_heat(session)
            rows.append(("loaded", f"{len(added):,}"))
            rows.append(("known already", f"{len(table.incidents) - len(added):,}"))
            for place, count in added["place"].value_counts().items():
                rows.append((f"  in {place}", f"{count:,}"))
    target = rejects or file.with_name(f"{file.stem}.rejects.csv")
    print_table(f"{file.name}{' (dry run: nothing written)' if dry_run else ''}", rows)
    if len(table.rejects) and not dry_run:
        write_rejects(table.rejects, target)
        words.print(f"Rejected rows: {target}")

"""Write a layer of a sub-district to a file, as planners get it."""

import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import print_table
from api.cli.runtime import open_runtime
from geodata.codes import COMPOUND_DIGITS
from geodata.errors import UnwritableFileError
from geodata.writers.formats import format_of
from geodata.writers.target import parse_target
from gridsvc import settings as settings_module
from gridsvc.overview import exports
from gridsvc.overview.export_layers import LAYERS, Selection, parse_box
from gridsvc.overview.exports import Export

app = typer.Typer(help="Write a layer to a file, as planners get it.")
_DAY = ["%Y-%m-%d"]


@app.command()
def export(
    layer: Annotated[str, typer.Argument(help=f"One of {', '.join(LAYERS)}.")],
    file: Annotated[Path, typer.Argument(help="Where to; its ending tells the format.")],
    *,
    street: Annotated[int, typer.Option(help="12-digit code of the sub-district, ending in 000.")],
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format", help="geojson, geojsons, csv, gpkg, fgb, parquet, shp (zipped) or xlsx."
        ),
    ] = None,
    crs: Annotated[str, typer.Option(help="An EPSG code, gcj02 or bd09.")] = "EPSG:4326",
    community: Annotated[int | None, typer.Option(help="Of this community only.")] = None,
    compound: Annotated[str | None, typer.Option(help="Of this compound only.")] = None,
    bbox: Annotated[
        str | None, typer.Option(help="west,south,east,north in degrees: whatever touches it.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=_DAY, help="Grids as they were at the end of this day."),
    ] = None,
    first_day: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="Incidents reported then …")
    ] = None,
    last_day: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="… to the end of this day.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Class of incidents.")] = None,
) -> None:
    """Write a layer to a file; a file that is there is replaced.

    Nobody's name, phone or words are in it, and household counts follow the small-count rule.
    """
    wanted = Export(
        layer,
        format_of(file, name=format_name),
        Selection(
            community_code=community,
            compound_code=_checked_code(compound),
            bbox=None if bbox is None else parse_box(bbox),
            on=as_of and as_of.date(),
            first_day=first_day and first_day.date(),
            last_day=last_day and last_day.date(),
            class_code=category,
        ),
        parse_target(crs),
    )
    settings = settings_module.load()
    with open_runtime(settings) as runtime, ExitStack() as opened:
        with runtime.job_session(street) as session:
            exports.check(session, wanted)
            made = Path(opened.enter_context(_beside(file))) / f"export{wanted.format.suffix}"
            written = exports.write_file(session, wanted, made)
            exports.note(session, wanted, way="write", rows=written)
        # In its place once it is in the audit trail.
        size_bytes = made.stat().st_size
        made.replace(file)
    rows = [("layer", layer), ("coordinates", wanted.target.name), ("bytes", f"{size_bytes:,}")]
    print_table(file.name, rows)


def _checked_code(compound: str | None) -> str | None:
    if compound is not None and not (len(compound) == COMPOUND_DIGITS and compound.isdigit()):
        raise typer.BadParameter("a compound has a code of 15 digits", param_hint="--compound")
    return compound


def _beside(file: Path) -> tempfile.TemporaryDirectory[str]:
    """Give a folder from which a file moves to its place at once.

    Raises
    ------
    UnwritableFileError
        There is no such folder, or it is not ours to write to.
    """
    try:
        return tempfile.TemporaryDirectory(prefix=".export-", dir=file.absolute().parent)
    except OSError as error:
        raise UnwritableFileError(file, error.strerror or str(error)) from error

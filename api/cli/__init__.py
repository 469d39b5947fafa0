"""The command line: as thin as routes; data to stdout, words to stderr."""

import sys

import typer

from api.cli import bench, db, demo, imports, serve
from geodata.errors import GeodataError
from gridsvc.errors import DatabaseDownError, DatabaseNotReadyError, GridsvcError

FAILED, UNAVAILABLE = 1, 69  # 69 is EX_UNAVAILABLE of sysexits.h

app = typer.Typer(
    help="Grid management of a sub-district: territory, contacts, incidents, patrols, maps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("bench")(bench.bench)
app.add_typer(db.app, name="db")
app.add_typer(imports.app, name="import")


def main() -> None:
    """Run a command; an error of ours is one sentence and a non-zero exit."""
    try:
        app()
    except (GridsvcError, GeodataError) as error:
        typer.echo(f"grid: {error}", err=True)
        is_absent = isinstance(error, DatabaseDownError | DatabaseNotReadyError)
        sys.exit(UNAVAILABLE if is_absent else FAILED)

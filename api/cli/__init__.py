"""The command line: as thin as routes; data to stdout, words to stderr."""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from geodata.errors import GeodataError
from gridsvc.errors import DatabaseDownError, DatabaseNotReadyError, GridsvcError

FAILED, UNAVAILABLE = 1, 69  # 69 is EX_UNAVAILABLE of sysexits.h
COMMANDS = {
    "demo": "Make the sample sub-district, do the day's work on it, and serve it.",
    "serve": "Serve at GRID_HOST and GRID_PORT, from DATABASE_URL or the embedded PostGIS.",
    "worker": "Do long work, such as plans, until stopped; several workers may run at once.",
    "template": "Write an empty Excel file with headings, an example and notes, in Chinese.",
    "import": "Import territory, members and incidents.",
    "export": "Write a layer to a file; a file that is there is replaced.",
    "db": "Set up and check a PostGIS of your own.",
    "account": "Invite people and help them back in.",
    "person": "Find, export or erase one person.",
    "retention": "Show how long what is kept; apply it.",
    "bench": "Run the benchmarks of tests/bench and print where the time goes.",
}
"""Each command in a line: to list them, none is imported."""


class OnDemand(TyperGroup):
    """Commands whose modules are imported when they run: maps and solvers take seconds."""

    _is_listing = False

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; it lists commands by name and line."""
        self._is_listing = True
        super().format_help(ctx, formatter)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (Typer's form)
        """Return the commands in the order of a newcomer's day."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  (Typer's form)
        """Import a command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        if self._is_listing:
            return TyperCommand(cmd_name, help=COMMANDS[cmd_name])
        module = importlib.import_module(f"api.cli.{cmd_name}_command")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=OnDemand,
    help="Grid management of a sub-district: territory, contacts, incidents, patrols, maps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def grid() -> None:
    """Grid management of a sub-district: territory, contacts, incidents, patrols, maps."""


def main() -> None:
    """Run a command; an error of ours is one sentence and a non-zero exit."""
    try:
        app()
    except (GridsvcError, GeodataError) as error:
        typer.echo(f"grid: {error}", err=True)
        is_absent = isinstance(error, DatabaseDownError | DatabaseNotReadyError)
        sys.exit(UNAVAILABLE if is_absent else FAILED)

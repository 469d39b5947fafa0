"""The command line: as thin as routes; data to stdout, words to stderr."""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from geodata.errors import GeodataError
from gridsvc.errors import DatabaseDownError, DatabaseNotReadyError, GridsvcError

FAILED, UNAVAILABLE = 1, 69  # 69 is EX_UNAVAILABLE of sysexits.h
COMMANDS = (
    "demo",
    "serve",
    "template",
    "import",
    "export",
    "db",
    "account",
    "person",
    "retention",
    "bench",
)


class OnDemand(TyperGroup):
    """Commands whose modules are imported when they run: maps and solvers take seconds."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (Typer's form)
        """Return the commands in the order of a newcomer's day."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  (Typer's form)
        """Import a command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
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

"""Write an empty Excel file for an office to fill in."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import words
from geodata.templates import write_template

app = typer.Typer(help="Write an empty Excel file to fill in.")


class Kind(StrEnum):
    """What a file is for."""

    HOUSEHOLDS = "households"
    MEMBERS = "members"
    INCIDENTS = "incidents"


@app.command()
def template(
    kind: Annotated[Kind, typer.Argument(help="What the file is for.")],
    file: Annotated[Path, typer.Argument(help="Where to write it (.xlsx).")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Write an empty Excel file with headings, an example and notes, in Chinese."""
    write_template(kind, file, is_replacing=force)
    words.print(f"Written: {file}. The example in row 2 is to be deleted.")

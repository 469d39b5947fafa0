"""Run benchmarks: ratios against a peer in the same run."""

import importlib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from api.cli.console import data, words
from api.cli.runtime import CHECKOUT
from gridsvc.errors import NotFoundError

_MOST_COLUMNS, _SIDE_BY_SIDE = 8, 4
FOLDER = CHECKOUT / "tests" / "bench"


app = typer.Typer()


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(help="One benchmark; default: all.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    instances: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="contacts: public files to solve."),
    ] = None,
    cpu_s: Annotated[
        float | None, typer.Option("--cpu-s", min=1, help="contacts: seconds for each file.")
    ] = None,
) -> None:
    """Run the benchmarks of tests/bench and print where the time goes."""
    known = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    if name is not None and name not in known:
        raise NotFoundError("benchmark", f"{name} (there are: {', '.join(known)})")
    given = {"instances": instances, "cpu_s": cpu_s}
    options = {option: value for option, value in given.items() if value is not None}
    if options and name != "contacts":
        raise typer.BadParameter("--instances and --cpu-s belong to: bench contacts")
    for each in [name] if name else known:
        words.print(f"bench {each} …")
        rows = importlib.import_module(f"tests.bench.bench_{each}").run(**options)
        if json:
            for row in rows:
                typer.echo(orjson.dumps({"bench": each} | row, option=orjson.OPT_SERIALIZE_NUMPY))
        else:
            _print(each, list(rows))


def _print(name: str, rows: list[dict[str, Any]]) -> None:
    """Print rows of the same figures as a table; where these are many, the rows side by side."""
    for columns, alike in groupby(rows, key=tuple):
        found = [[_text(value) for value in row.values()] for row in alike]
        if len(columns) <= _MOST_COLUMNS:
            _print_table(name, [columns, *found])
            continue
        for start in range(0, len(found), _SIDE_BY_SIDE):
            beside = found[start : start + _SIDE_BY_SIDE]
            _print_table(name, list(zip(columns, *beside, strict=True)))


def _print_table(name: str, lines: Sequence[Sequence[str]]) -> None:
    table = Table(title=name, title_justify="left")
    for heading in lines[0]:
        table.add_column(heading, overflow="fold")
    for line in lines[1:]:
        table.add_row(*line)
    data.print(table)


def _text(value: object) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else str(value)

"""Run benchmarks: ratios against a peer in the same run."""

import importlib
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from api.cli.console import data, words
from api.cli.runtime import CHECKOUT
from gridsvc.errors import NotFoundError

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
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(title=name, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_text(row.get(column, "")) for column in columns))
    data.print(table)


def _text(value: object) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else str(value)

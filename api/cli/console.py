"""What the command line shows: progress on stderr, tables on stdout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from geodata.progress import Progress as ProgressListener

_WIDE = 160

words = Console(stderr=True, highlight=False)
# In a pipe or a file nobody's terminal is too narrow for an id.
data = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


@contextmanager
def progress_bars() -> Iterator[ProgressListener]:
    """Show a bar for each stage that reports; finished ones stay, with the time they took."""
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=words) as bars:
        tasks = {}

        def listen(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield listen


def print_table(title: str, rows: list[tuple[str, str]]) -> None:
    """Print a table of two columns to stdout."""
    table = Table(title=title, title_justify="left", show_header=False, min_width=60)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", justify="right")
    for label, figure in rows:
        table.add_row(label, figure)
    data.print(table)

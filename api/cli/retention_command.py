"""How long what is kept, and letting go what is over."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from api.cli.console import data, progress_bars
from api.cli.runtime import EVERYWHERE, open_runtime
from gridsvc import settings as settings_module
from gridsvc.db import clear_connection_errors
from gridsvc.retention import applying, service
from gridsvc.retention.model import Applied, Rule
from gridsvc.retention.rules import RULES

app = typer.Typer(help="Show how long what is kept; apply it.", invoke_without_command=True)


@app.callback()
def show(context: typer.Context) -> None:
    """Show how long the rows of each table are kept; ``apply`` lets go what is over."""
    if context.invoked_subcommand is None:
        table = Table("table", "kept for", "after", "why")
        for rule in RULES.values():
            table.add_row(rule.table, _lasts(rule), rule.since, rule.why)
        data.print(table)


def _lasts(rule: Rule) -> str:
    if rule.days is None:
        return "kept"
    days = "1 day" if rule.days == 1 else f"{rule.days} days"
    return days if rule.clears is None else f"{rule.clears}: {days}"


@app.command("apply")
def apply_rules(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count; delete nothing.")] = False,
) -> None:
    """Delete what is over; repeat it daily, for example by cron."""
    now = datetime.now(UTC)
    with open_runtime(settings_module.load()) as runtime:
        if dry_run:
            with runtime.job_session() as session:
                _print(service.count(session, now=now), "over (dry run: nothing deleted)")
            return
        with clear_connection_errors(), progress_bars() as progress:
            applied = applying.apply(runtime.loading, EVERYWHERE, now=now, progress=progress)
        _print(applied, "deleted or cleared")


def _print(applied: list[Applied], heading: str) -> None:
    table = Table("table", heading, title="retention", title_justify="left")
    for one in applied:
        table.add_row(one.rule.table, f"{one.count:,}")
    data.print(table)

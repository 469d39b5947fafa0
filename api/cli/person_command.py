"""What is stored about one person: find, export, erase; and the key that hides phones."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer
from rich.table import Table

from api.cli.console import data, print_table, progress_bars, words
from api.cli.key_file import KeyFile
from api.cli.runtime import EVERYWHERE, Runtime, open_runtime
from gridsvc import settings as settings_module
from gridsvc.db import clear_connection_errors
from gridsvc.errors import OneDataKeyError, RotationUnfinishedError
from gridsvc.retention.ciphers import rotation
from gridsvc.retention.persons import service
from gridsvc.retention.persons.model import Erased, FoundPerson
from gridsvc.vault import new_key

app = typer.Typer(help="Find, export or erase one person.", no_args_is_help=True)
PersonId = Annotated[UUID, typer.Argument(metavar="ID", help="Of a member or an account.")]
_ROUNDS = 5  # of looking for what was encrypted with the old key meanwhile


@app.command()
def find(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Part of a name or login, or a masked phone: 138****1234."
        ),
    ],
) -> None:
    """List members and accounts, phones masked."""
    with open_runtime(settings_module.load()) as runtime, runtime.job_session() as session:
        found = service.search(session, what.strip()) if what.strip() else []
    if not found:
        words.print("Nobody is called so.")
        raise typer.Exit(1)
    _print_people(found)


def _print_people(found: list[FoundPerson]) -> None:
    table = Table()
    table.add_column("ID", no_wrap=True)  # the next command needs all of it
    for heading in ("", "community", "name", "phone", "home", "login"):
        table.add_column(heading, overflow="fold")
    for one in found:
        cells = (one.phone_masked, one.home_stairwell_code, one.login)
        table.add_row(
            str(one.id),
            one.kind,
            str(one.community_code),
            one.name,
            *(cell or "" for cell in cells),
        )
    data.print(table)


@app.command()
def export(
    person_id: PersonId,
    *,
    out: Annotated[Path | None, typer.Option(help="File to write; default: stdout.")] = None,
) -> None:
    """Write everything that is stored about a person as JSON; the trail notes that."""
    if out is not None and (out.exists() or not out.parent.is_dir()):
        raise typer.BadParameter(f"{out} is there, or its folder is not.", param_hint="--out")
    with open_runtime(settings_module.load()) as runtime, runtime.job_session() as session:
        stored = service.export(session, person_id, vault=runtime.vault)
    text = orjson.dumps(stored, option=orjson.OPT_INDENT_2).decode()
    if out is None:
        typer.echo(text)
        return
    _write_private(out, text)
    words.print(f"Written: {out}. It holds personal data: hand it over, then delete it.")


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; one that is there is not written over."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")


@app.command()
def erase(
    person_id: PersonId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a person out of every table: name, phone, home, posts, account; also their consent."""
    with open_runtime(settings_module.load()) as runtime:
        with runtime.job_session() as session:
            person = service.get(session, person_id)
        accounts = len(person.account_ids)
        words.print(f"{person.kind} {person.id} of {person.community_code}; accounts: {accounts}")
        if not yes:
            typer.confirm("Erase for good?", abort=True, err=True)
        with runtime.job_session() as session:
            erased = service.erase(session, person_id)
    _print_erased(erased)


def _print_erased(erased: Erased) -> None:
    rows = [(name.replace("_", " "), str(count)) for name, count in erased.counts.items()]
    rows += [("without a lead contact from today", code) for code in erased.uncovered]
    print_table(f"erased: {erased.person.kind} {erased.person.id}", rows)


@app.command("new-key")
def make_key() -> None:
    """Print a fresh key for GRID_DATA_KEY."""
    typer.echo(new_key())


@app.command("rotate-key")
def rotate_key() -> None:
    """Encrypt phones and authenticators anew with a new key; the service may run meanwhile."""
    settings = settings_module.load()
    if settings.data_key is not None:
        keys = [key.strip() for key in settings.data_key.get_secret_value().split(",")]
        if len(keys) == 1:
            raise OneDataKeyError
        with open_runtime(settings) as runtime:
            _reencrypt(runtime, keys, drop=lambda: None)
        words.print(
            "All is encrypted with the first key: keep that one alone in GRID_DATA_KEY, and "
            "restart the service."
        )
        return
    with open_runtime(settings) as runtime:
        file = KeyFile(runtime.home)
        with file.alone():
            keys = _prepare(file)
            _reencrypt(runtime, keys, drop=lambda: file.write(keys[:1]))
        words.print(f"All is encrypted with the new key in {file.path}; the old one is gone.")


def _prepare(file: KeyFile) -> list[str]:
    """Put a new key before the old one, unless a rotation that was interrupted did so."""
    keys = file.read()
    if len(keys) > 1:
        words.print("Finishing the rotation that was interrupted.")
        return keys
    keys = [new_key(), *keys]
    file.write(keys)
    return keys


def _reencrypt(runtime: Runtime, keys: list[str], *, drop: Callable[[], None]) -> None:
    """Re-encrypt until nothing is left of the old keys, and drop them while nobody can write."""
    totals: dict[str, int] = {}
    with clear_connection_errors():
        for _ in range(_ROUNDS):
            with progress_bars() as progress:
                changed = rotation.reencrypt(runtime.loading, EVERYWHERE, keys, progress=progress)
            totals = {name: totals.get(name, 0) + count for name, count in changed.items()}
            with rotation.finished(runtime.loading, EVERYWHERE, keys) as is_finished:
                if is_finished:
                    drop()
                    break
        else:
            raise RotationUnfinishedError
    print_table("re-encrypted", [(name, f"{count:,}") for name, count in totals.items()])

"""Accounts from the command line: the first administrator, a lock-out, a list of people."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from api.cli.console import words
from api.cli.runtime import open_runtime
from api.deps import Language
from api.pages.cards import cards_page
from api.pages.text import exactly
from api.schemas.accounts import link_of
from geodata.errors import UnreadableFileError
from gridsvc import settings as settings_module
from gridsvc.access.accounts import service as accounts
from gridsvc.access.accounts.model import Invited, NewAccount
from gridsvc.access.accounts.sheets import MAX_BYTES
from gridsvc.settings import Settings

app = typer.Typer(help="Invite people and help them back in.", no_args_is_help=True)


@app.command("create-administrator")
def create_administrator(
    login: Annotated[str, typer.Option(help="3 to 40 of a-z, 0-9, and . _ @ -")],
    name: Annotated[str, typer.Option(help="Of the person.")],
    territory: Annotated[int, typer.Option(help="12-digit code of the sub-district.")],
) -> None:
    """Make an administrator, and print the one-time link for choosing a password."""
    settings = settings_module.load()
    new = NewAccount(name, "administrator", (territory,), login)
    with open_runtime(settings) as runtime, runtime.job_session() as session:
        invited = accounts.invite(session, new)
    _print_link(settings, invited)


@app.command("reset")
def reset(login: Annotated[str, typer.Argument(help="Of the account.")]) -> None:
    """Give somebody who is locked out a new one-time link; the authenticator is taken off too."""
    settings = settings_module.load()
    with open_runtime(settings) as runtime, runtime.job_session() as session:
        account = accounts.get_by_login(session, login)
        accounts.reset_second_factor(session, account.id)
        invited = accounts.invite_again(session, account.id)
    if account.is_disabled:
        words.print("The account is disabled: an administrator must enable it first.")
    _print_link(settings, invited)


def _print_link(settings: Settings, invited: Invited) -> None:
    words.print(f"For {invited.account.login}, once, until {exactly(invited.expires_at)}:")
    typer.echo(link_of(invited.code, origin=settings.public_origin))


@app.command("invite-list")
def invite_list(
    file: Annotated[Path, typer.Argument(help="List of people, .xlsx or .csv.")],
    *,
    out: Annotated[Path, typer.Option(help="Cards to print: a new .html file.")],
    language: Annotated[
        Language | None, typer.Option(help="What stands first on the cards.")
    ] = None,
) -> None:
    """Invite everybody in a list, or nobody, and write the cards to hand out."""
    settings = settings_module.load()
    content = _read(file)
    with (
        open_runtime(settings) as runtime,
        _new_file(out) as cards,
        runtime.job_session() as session,
    ):
        invited = accounts.invite_list(session, content)
        # On the disk before the commit: the codes are nowhere else.
        cards.write(cards_page(invited, settings.public_origin, language or settings.language))
        cards.flush()
        os.fsync(cards.fileno())
    words.print(f"{len(invited)} invited; the cards are in {out}, for you alone to read.")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFileError(file, error.strerror or "it cannot be opened") from error


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """Open a new file that only its owner may read; on an error it goes again."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        # Perhaps it holds codes that are nowhere else.
        raise UnreadableFileError(path, "exists already: choose another name.") from error
    except OSError as error:
        raise UnreadableFileError(path, error.strerror or "it cannot be made") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            yield opened
    except BaseException:
        path.unlink(missing_ok=True)
        raise

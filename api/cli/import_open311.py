"""Requests of another Open311 server, from a file or its address."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from api.cli.console import progress_bars
from api.cli.incident_loading import account, load
from api.cli.open311_feed import FeedServer
from geodata.errors import UnreadableFileError
from geodata.incident_mapping import load_feed_mapping
from geodata.open311 import read_feed, read_requests
from geodata.progress import Progress

_LARGEST_FILE_BYTES = 500_000_000


class FeedForm(StrEnum):
    """In which form a server is asked."""

    xml = "xml"
    json = "json"


def import_open311(
    source: Annotated[
        str,
        typer.Argument(help="A file (XML or JSON), or an address such as https://…/open311/v2."),
    ],
    *,
    categories: Annotated[Path, typer.Option(help="YAML: which of its kinds is which of ours.")],
    street: Annotated[int, typer.Option(help="12-digit code of the sub-district, ending in 000.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Of an address: the first day (UTC)."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Of an address: the day after the last; now."),
    ] = None,
    jurisdiction: Annotated[
        str | None, typer.Option(help="Of an address: its jurisdiction_id, where it needs one.")
    ] = None,
    form: Annotated[
        FeedForm, typer.Option(help="Of an address: what to ask for; every server has xml.")
    ] = FeedForm.xml,
    pause: Annotated[
        float, typer.Option(min=0, help="Of an address: seconds between two questions.")
    ] = 1.0,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that cannot be loaded go, with the reason.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and report; write nothing.")
    ] = False,
) -> None:
    """Read requests of another Open311 server; what cannot be loaded goes to a rejects file."""
    mapping = load_feed_mapping(categories)
    is_address = urlsplit(source).scheme in {"http", "https"}
    if is_address and since is None:
        raise typer.BadParameter("an address needs --since: the first day to ask for")
    with progress_bars() as progress:
        if is_address and since is not None:
            server = FeedServer(source, form.value, jurisdiction, pause)
            name, target = server.name, Path(f"{server.name}.rejects.csv")
            ends = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
            requests = server.read(since.replace(tzinfo=UTC), ends, progress)
        else:
            path = Path(source)
            name, target = path.name, path.with_name(f"{path.stem}.rejects.csv")
            requests = _read_file(path, progress)
        table = read_requests(requests, mapping, progress=progress)
        added = None if dry_run else load(table, street=street, progress=progress)
    account(name, table, added, rejects=rejects or target)


def _read_file(path: Path, progress: Progress) -> list[Any]:
    if not path.is_file():
        raise UnreadableFileError(path, "there is no such file.")
    if path.stat().st_size > _LARGEST_FILE_BYTES:
        raise UnreadableFileError(path, f"is larger than {_LARGEST_FILE_BYTES:,} bytes.")
    requests = read_feed(path.read_bytes(), path=path)
    progress("feed", len(requests), len(requests))
    return requests

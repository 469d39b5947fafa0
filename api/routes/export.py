"""Whole layers, or parts of them, as files."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from http import HTTPStatus
from itertools import chain, islice
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from anyio import CancelScope
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

import api
from api.deps import DatabaseDep, PrincipalDep, SettingsDep
from api.errors import responses
from api.ranges import file_answer
from api.routes.incidents import ClassCode
from api.schemas.territory import AsOf, CommunityCode
from geodata.writers.formats import FORMATS
from geodata.writers.target import parse_target
from gridsvc.access.model import Principal
from gridsvc.db import Database, ScopedSession, clear_connection_errors
from gridsvc.embedded import choose_home
from gridsvc.overview import exports
from gridsvc.overview.export_folder import ExportFolder
from gridsvc.overview.export_layers import Selection, parse_box
from gridsvc.overview.exports import Export

router = APIRouter(tags=["export"])
CHECKOUT = FilePath(api.__file__).resolve().parent.parent
PATH = "/api/v1/export/{layer}.{format}"
BUILT_TYPES = tuple(made.media_type for made in FORMATS.values() if made.write)
"""Media types of files that are kept for a while: they are sent as they are, never compressed."""

LayerName = Annotated[str, Path(pattern="^[a-z_]{1,40}$")]
FormatName = Annotated[
    Literal["geojson", "geojsons", "csv", "gpkg", "fgb", "parquet", "shp", "xlsx"],
    Path(alias="format", description="`geojsons`: a text sequence, RFC 8142. `shp`: zipped."),
]
CRSName = Annotated[
    str,
    Query(
        pattern=r"^(([Ee][Pp][Ss][Gg]:)?[0-9]{4,6}|gcj02|bd09)$",
        description="EPSG code, or the shift of Chinese map services: `gcj02`, `bd09`.",
    ),
]
Compound = Annotated[
    str | None, Query(pattern="^[0-9]{15}$", description="Of this compound only: 15 digits.")
]
Bbox = Annotated[
    str | None,
    Query(
        pattern=r"^-?[0-9]{1,3}(\.[0-9]{1,15})?(,-?[0-9]{1,3}(\.[0-9]{1,15})?){3}$",
        description="west,south,east,north: whatever touches it; degrees, EPSG:4326.",
    ),
]
FirstDay = Annotated[date | None, Query(alias="from", description="Incidents: reported then …")]
LastDay = Annotated[date | None, Query(alias="to", description="… to the end of this day.")]


def find_selection(
    community: Annotated[CommunityCode | None, Query()] = None,
    compound: Compound = None,
    bbox: Bbox = None,
    as_of: AsOf = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    class_code: ClassCode = None,
) -> Selection:
    """Return what part of a layer is asked for."""
    box = None if bbox is None else parse_box(bbox)
    return Selection(community, compound, box, as_of, first_day, last_day, class_code)


def find_export(
    layer: LayerName,
    format_name: FormatName,
    selection: Annotated[Selection, Depends(find_selection)],
    crs: CRSName = "EPSG:4326",
) -> Export:
    """Return what is asked for."""
    return Export(layer, FORMATS[format_name], selection, parse_target(crs))


def find_folder(settings: SettingsDep) -> ExportFolder:
    """Return where files are kept for a while."""
    home, _ = choose_home(CHECKOUT, settings.home, os_user=settings.pg_osuser)
    return ExportFolder(home / "exports")


ExportDep = Annotated[Export, Depends(find_export)]
FolderDep = Annotated[ExportFolder, Depends(find_folder)]


def _content(*media_types: str) -> dict[str, Any]:
    return {"content": {media_type: {} for media_type in media_types}}


@router.head(PATH, include_in_schema=False)
@router.get(
    PATH,
    response_class=Response,
    responses={
        200: {
            **_content(*(made.media_type for made in FORMATS.values())),
            "description": "The layer as a file.",
        },
        206: {**_content(*BUILT_TYPES), "description": "The part that `Range` asks for."},
        **responses(401, 403, 404, 416, 422, 503),
    },
)
def export_layer(
    request: Request,
    database: DatabaseDep,
    principal: PrincipalDep,
    export: ExportDep,
    folder: FolderDep,
) -> Response:
    """Return a layer of the caller's territory.

    GeoJSON and CSV are streamed from one statement. The other formats are built first and kept for
    an hour: a download that broke off goes on with `Range` and `If-Range`. Each download is in the
    audit trail: by whom, which layer, and by what it was filtered.
    """
    if export.format.write is None:
        return _streamed(request, database, principal, export)
    return _built(request, database, principal, export, folder)


def _headers(export: Export) -> dict[str, str]:
    media_type = export.format.media_type
    is_text = media_type.startswith("text/")
    return {
        "Content-Disposition": f'attachment; filename="{export.file_name}"',
        "Content-Type": f"{media_type}; charset=utf-8" if is_text else media_type,
        "Cache-Control": "private, no-store",
    }


def _built(
    request: Request,
    database: Database,
    principal: Principal,
    export: Export,
    folder: ExportFolder,
) -> Response:
    with _reading(database, principal) as session:
        exports.check(session, export)
        key = exports.key_of(session, export)

    def build(path: FilePath) -> int | None:
        with _reading(database, principal) as session:
            return exports.write_file(session, export, path)

    file = folder.open(key, export.format.suffix, build)
    kept = os.fstat(file.fileno())
    etag = f'"{key[:32]}-{kept.st_mtime_ns:x}"'
    answer = file_answer(request, file, size=kept.st_size, etag=etag, headers=_headers(export))
    if request.method == "GET" and _begins(answer, folder, key, principal):
        try:
            _note(database, principal, export, rows=folder.rows_of(key))
        except BaseException:
            file.close()
            raise
    return answer


def _begins(answer: Response, folder: ExportFolder, key: str, principal: Principal) -> bool:
    """Tell whether an answer begins a download, and is none of its later pieces.

    A piece from the middle counts where the caller has had none yet, or the trail could be gone
    round by leaving the first byte out.
    """
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        return False
    is_first_piece = answer.headers.get("Content-Range", "bytes 0-").startswith("bytes 0-")
    return folder.mark(key, str(principal.account_id)) or is_first_piece


def _note(database: Database, principal: Principal, export: Export, *, rows: int | None) -> None:
    """Note a download before its first byte, in a transaction of its own: the other only reads."""
    with (
        clear_connection_errors(),
        database.session(principal.scope) as session,
        session.begin(),
    ):
        exports.note(session, export, way="download", rows=rows)


@contextmanager
def _reading(database: Database, principal: Principal) -> Iterator[ScopedSession]:
    """Give a session of the caller that only reads."""
    with clear_connection_errors(), database.session(principal.scope, read_only=True) as session:
        yield session


def _streamed(
    request: Request, database: Database, principal: Principal, export: Export
) -> Response:
    # The answer outlives this call, so it owns its session until the last byte.
    with ExitStack() as opened:
        opened.enter_context(clear_connection_errors())
        session = opened.enter_context(database.session(principal.scope, read_only=True))
        exports.check(session, export)
        if request.method == "HEAD":
            return StreamingResponse(iter(()), headers=_headers(export))
        pieces = exports.stream_text(session, export)
        first = list(islice(pieces, 2))  # what frames the rows, and the first of them
        _note(database, principal, export, rows=None)
        opened.pop_all()
    return _SessionStream(
        chain(first, pieces), pieces=pieces, session=session, headers=_headers(export)
    )


class _SessionStream(StreamingResponse):
    """A streamed answer that gives back its session at its end, whatever ends it."""

    def __init__(
        self,
        body: Iterator[str],
        *,
        pieces: Generator[str, None, None],
        session: ScopedSession,
        headers: dict[str, str],
    ) -> None:
        super().__init__(body, headers=headers)
        self._pieces = pieces
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body; a reader who goes away cancels this, but not the closing."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._close)

    def _close(self) -> None:
        self._pieces.close()
        self._session.close()

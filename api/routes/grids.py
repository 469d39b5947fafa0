"""Grids of every kind: how they are, what they were, and their corrections."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from api.deps import SessionDep
from api.errors import responses
from api.idempotency import IdempotencyKey, once
from api.schemas.grids import (
    DescentOut,
    EditOut,
    FormerGridOut,
    GridCode,
    GridOut,
    HistoryOut,
    MergeIn,
    RedrawIn,
    SplitIn,
    VoidIn,
    to_shape,
)
from api.schemas.territory import AsOf
from api.versions import IfMatch, IfNoneMatch, etag_of, seen_version
from gridsvc.db import ScopedSession
from gridsvc.errors import InvalidEditError
from gridsvc.overview import editing as overview
from gridsvc.territory.editing import service
from gridsvc.territory.editing.model import Edit, Piece

router = APIRouter(prefix="/api/v1/grids", tags=["grids"])
_READ = responses(401, 403, 404, 422, 503)
_CHANGE = responses(401, 403, 404, 409, 412, 422, 428, 503)
_MERGE = responses(401, 403, 404, 409, 412, 422, 503)
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": EditOut, "description": "Known already: the first answer again."}
}


@router.get(
    "/{code}",
    response_model=GridOut,
    responses={304: {"description": "Unchanged."}, **_READ},
)
def get_grid(
    session: SessionDep,
    response: Response,
    code: GridCode,
    as_of: AsOf = None,
    if_none_match: IfNoneMatch = None,
) -> object:
    """Return a grid with its outline, also one that has ended; its ETag is its version."""
    grid = service.get(session, code, on=as_of)
    etag = etag_of(grid.version)
    if if_none_match == etag and grid.retired_on is None:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return GridOut.of(grid)


@router.get("/{code}/history", response_model=HistoryOut, responses=_READ)
def get_grid_history(session: SessionDep, code: GridCode) -> HistoryOut:
    """Return what a grid was, what it came from, and what became of it."""
    history = service.get_history(session, code)
    return HistoryOut(
        grid=GridOut.of(history.grid),
        former=[FormerGridOut.of(one) for one in history.former],
        predecessors=[DescentOut.of(one) for one in history.predecessors],
        successors=[DescentOut.of(one) for one in history.successors],
    )


@router.patch("/{code}", response_model=GridOut, responses=_CHANGE)
def redraw_grid(
    session: SessionDep,
    response: Response,
    code: GridCode,
    body: RedrawIn,
    if_match: IfMatch = None,
) -> GridOut:
    """Change name, outline or facts of a grid; it keeps its code, and its history what it was."""
    edit = service.redraw(
        session,
        code,
        service.Change(
            name=body.name,
            geometry=to_shape(body.geometry) if body.geometry else None,
            fields=body.fields(),
        ),
        version=seen_version(if_match),
        reason=body.reason,
        on=body.on,
    )
    (grid,) = edit.grids
    response.headers["ETag"] = etag_of(grid.version)
    return GridOut.of(grid)


@router.post(
    "/{code}/split", response_model=EditOut, status_code=201, responses={**_KNOWN, **_CHANGE}
)
def split_grid(
    session: SessionDep,
    code: GridCode,
    body: SplitIn,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Let a grid end and its pieces begin; what lies in it, and its contacts, follow."""
    pieces = [
        Piece(to_shape(piece.geometry), piece.name, piece.household_count) for piece in body.pieces
    ]

    def act() -> Edit:
        version = seen_version(if_match)
        return overview.split(
            session, code, pieces, version=version, reason=body.reason, on=body.on
        )

    return _edit_once(session, idempotency_key, f"split {code}", body, act)


@router.post("/merge", response_model=EditOut, status_code=201, responses={**_KNOWN, **_MERGE})
def merge_grids(
    session: SessionDep, body: MergeIn, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Let grids end and one in their place begin; each with the version that was seen."""
    versions = {one.code: one.version for one in body.grids}
    if len(versions) < len(body.grids):
        raise InvalidEditError("A grid is named twice.")

    def act() -> Edit:
        return overview.merge(session, versions, name=body.name, reason=body.reason, on=body.on)

    return _edit_once(session, idempotency_key, "merge", body, act)


@router.post(
    "/{code}/void", response_model=EditOut, status_code=201, responses={**_KNOWN, **_CHANGE}
)
def void_grid(
    session: SessionDep,
    code: GridCode,
    body: VoidIn,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Let a grid end, with all that lies in it; its code is never used again."""

    def act() -> Edit:
        version = seen_version(if_match)
        return overview.void(session, code, version=version, reason=body.reason, on=body.on)

    return _edit_once(session, idempotency_key, f"void {code}", body, act)


def _edit_once(
    session: ScopedSession, key: str | None, deed: str, body: BaseModel, act: Callable[[], Edit]
) -> JSONResponse:
    """Do an edit once for a key, and tell what became of the grids."""
    content = f"{deed} {body.model_dump_json()}".encode()
    return once(session, key, content, status=201, act=lambda: _told(act()))


def _told(edit: Edit) -> EditOut:
    return EditOut(
        on=edit.on,
        grids=[GridOut.of(grid) for grid in edit.grids],
        retired=list(edit.retired),
        descents=[DescentOut.of(one) for one in edit.descents],
    )

"""Whole layers as GeoJSON, and vector tiles."""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import Annotated

from anyio import CancelScope
from fastapi import APIRouter, Header, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.deps import DatabaseDep, PrincipalDep, SessionDep
from api.errors import responses
from gridsvc.db import ScopedSession, clear_connection_errors
from gridsvc.overview import service

router = APIRouter(tags=["export"])
LayerName = Annotated[str, Path(pattern="^[a-z_]{1,40}$")]
GEOJSON = "application/geo+json"
MVT = "application/vnd.mapbox-vector-tile"
_FEATURES_A_CHUNK = 500


@router.get(
    "/api/v1/export/{layer}.geojson",
    response_class=StreamingResponse,
    responses={
        200: {"content": {GEOJSON: {}}, "description": "A FeatureCollection, RFC 7946."},
        **responses(401, 403, 404, 422, 503),
    },
)
def export_layer(
    database: DatabaseDep, principal: PrincipalDep, layer: LayerName
) -> StreamingResponse:
    """Return a layer of the caller's territory, streamed from one statement."""
    # The answer outlives this call, so it owns its session until the last byte.
    with ExitStack() as opened:
        opened.enter_context(clear_connection_errors())
        session = opened.enter_context(database.session(principal.scope, read_only=True))
        features = service.stream_features(session, layer)
        first = list(islice(features, 1))
        opened.pop_all()
    return _SessionStream(
        _collection(chain(first, features)),
        features=features,
        session=session,
        media_type=GEOJSON,
        headers={
            "Content-Disposition": f'attachment; filename="{layer}.geojson"',
            "Cache-Control": "private, no-store",
        },
    )


class _SessionStream(StreamingResponse):
    """A streamed answer that gives back its session at its end, whatever ends it."""

    def __init__(
        self,
        body: Iterator[str],
        *,
        features: Generator[str, None, None],
        session: ScopedSession,
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        super().__init__(body, media_type=media_type, headers=headers)
        self._features = features
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body; a reader who goes away cancels this, but not the closing."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._close)

    def _close(self) -> None:
        self._features.close()
        self._session.close()


def _collection(features: Iterator[str]) -> Iterator[str]:
    yield '{"type":"FeatureCollection","features":['
    separator = ""
    while chunk := ",".join(islice(features, _FEATURES_A_CHUNK)):
        yield separator + chunk
        separator = ","
    yield "]}"


@router.get(
    "/tiles/{layer}/{z}/{x}/{y}.mvt",
    response_class=Response,
    responses={
        200: {"content": {MVT: {}}, "description": "A Mapbox vector tile."},
        304: {"description": "Unchanged."},
        **responses(401, 403, 404, 422, 503),
    },
)
def get_tile(
    session: SessionDep,
    layer: LayerName,
    z: Annotated[int, Path(ge=0, le=22)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return one layer of a tile; `coverage` is stairwells with their contact's state."""
    tile = service.read_tile(session, layer=layer, zoom=z, x=x, y=y)
    etag = f'"{hashlib.sha256(tile).hexdigest()[:32]}"'
    # Browsers may keep it, but must ask: the next reader may be of another territory.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(tile, media_type=MVT, headers=headers)

"""Vector tiles of the map."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Path
from fastapi.responses import Response

from api.deps import SessionDep
from api.errors import responses
from api.schemas.territory import AsOf
from gridsvc.overview import service

router = APIRouter(tags=["tiles"])
LayerNames = Annotated[
    str,
    Path(
        pattern="^[a-z_]{1,40}(,[a-z_]{1,40}){0,7}$",
        description="Layers, with commas between: each is in the tile by its own name.",
        examples=["stairwells", "compounds,buildings,stairwells"],
    ),
]
MVT = "application/vnd.mapbox-vector-tile"


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
    layer: LayerNames,
    z: Annotated[int, Path(ge=0, le=22)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
    as_of: AsOf = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return layers of a tile; staff get stairwells with their contact's state.

    Each begins at the zoom where it can be seen: compounds at 8, walkways at 11, buildings and
    stairwells at 12. Before, and where nothing is, the tile is empty. On a day (`as_of`) grids are
    as they were at its end, and without the state of contacts.
    """
    tile = service.read_tile(session, layer=layer, zoom=z, x=x, y=y, on=as_of)
    # What a client keeps of one day never answers for another, also where both look the same.
    day = "" if as_of is None else as_of.isoformat()
    etag = f'"{hashlib.sha256(day.encode() + tile).hexdigest()[:32]}"'
    # Browsers may keep it, but must ask: the next reader may be of another territory.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    if if_none_match is not None and _names(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(tile, media_type=MVT, headers=headers)


def _names(header: str, etag: str) -> bool:
    """Tell whether If-None-Match names an ETag; one that a proxy has made weak is the same.

    References
    ----------
    RFC 9110, section 13.1.2.
    """
    return any(one.strip().removeprefix("W/") in {etag, "*"} for one in header.split(","))

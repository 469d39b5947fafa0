"""Serves the files that pages load: a fixed list, from memory."""

from typing import Annotated

from fastapi import APIRouter, FastAPI, Header
from fastapi.responses import Response

from api.pages import errors
from api.pages.files import BASE, load_assets
from gridsvc.errors import NotFoundError
from maps.assets import localize

_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"

router = APIRouter(include_in_schema=False)


@router.get(BASE + "{name:path}")
def get_asset(name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Return a file of the list, and no other."""
    assets = load_assets()
    bare = name.removeprefix(f"{assets.version}/")
    asset = assets.files.get(bare)
    if asset is None:
        raise NotFoundError("file", name)
    headers = {"ETag": asset.etag, "Cache-Control": _ASK_AGAIN if bare == name else _FOREVER}
    if if_none_match == asset.etag:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def mount_assets(app: FastAPI) -> None:
    """Serve what pages load, make maps load it from here, and show browsers errors as pages."""
    load_assets()
    localize(BASE)
    app.include_router(router)
    errors.install(app)

"""OGC API at /ogc: puts the library's routes into the application."""

from typing import Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tipg import errors as library

from api.errors import RequestRefusedError, answer_to
from api.ogc.catalogue import Catalogue
from api.ogc.collections import NoRowsError
from api.ogc.document import describe
from api.ogc.endpoints import OPENAPI, PREFIX, base_url, make_endpoints
from api.ogc.parameters import bound_parameters, overrides
from api.ogc.pool import ScopedPool, carry_principal
from gridsvc.db import Database
from gridsvc.errors import NotFoundError
from gridsvc.settings import Settings

# What clients of a territory hold at once of a process's connections; pages need the others.
_SHARE = 2
_WORDS: dict[type[Exception], str] = {
    library.InvalidPropertyName: "No such property.",
    library.InvalidGeometryColumnName: "geom-column: no such geometry.",
    library.InvalidLimit: "limit: more than a tile may hold.",
}


def install_ogc(app: FastAPI, settings: Settings, database: Database) -> None:
    """Serve OGC API Features and Tiles at /ogc; nothing is opened before the first request."""
    router = APIRouter()
    make_endpoints(router)
    _add_definition(router)
    app.state.pool = ScopedPool(
        database,
        most_at_once=max(1, settings.pool_size // _SHARE),
        statement_timeout_s=settings.statement_timeout_s,
    )
    app.state.catalogue = Catalogue(database)
    app.dependency_overrides |= overrides()
    app.include_router(
        router,
        prefix=PREFIX,
        dependencies=[Depends(bound_parameters), Depends(carry_principal)],
        include_in_schema=False,
    )
    app.add_middleware(Varying)
    _install_errors(app)


class Varying:
    """Middleware that says of every answer here that it is for its caller only.

    `api.headers` says that none is to be kept; this is for caches that keep it all the same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Mark the answer."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{PREFIX}/"):
            await self.app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Cookie")
                headers.add_vary_header("Authorization")
            await send(message)

        await self.app(scope, receive, marked)


def _add_definition(router: APIRouter) -> None:
    made: dict[str, dict[str, Any]] = {}

    def definition(request: Request) -> Response:
        """Return the API definition, OpenAPI 3.0."""
        if not made:
            made["document"] = describe(router, server="")
        document = made["document"] | {"servers": [{"url": f"{base_url(request)}{PREFIX}"}]}
        return Response(orjson.dumps(document), media_type=OPENAPI)

    router.add_api_route("/api", definition, name="definition")


def _install_errors(app: FastAPI) -> None:
    """Answer the library's errors as problems; what it quotes of a request is not sent back."""

    @app.exception_handler(library.TiPgError)
    def refused(request: Request, error: library.TiPgError) -> Response:
        if isinstance(error, library.NotFound):
            return answer_to(request.scope, NotFoundError("item", "of this id"))
        words = _WORDS.get(type(error), "The parameters do not fit the collection.")
        return answer_to(request.scope, RequestRefusedError(400, "invalid-query", words))

    @app.exception_handler(NoRowsError)
    def no_rows(_: Request, error: NoRowsError) -> Response:
        heading = ",".join(["collectionId", "itemId", *error.names])
        return Response(f"{heading}\r\n", media_type="text/csv")

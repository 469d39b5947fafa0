"""The HTTP application: a factory, so that importing it opens nothing."""

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api import errors
from api.headers import SecurityHeaders
from api.pages import routes as pages
from api.pages.assets import mount_assets
from api.routes import access, contacts, export, incidents, operation, overview, patrols, territory
from gridsvc.db import Database
from gridsvc.settings import Settings

ROUTERS = (
    operation.router,
    access.router,
    territory.router,
    contacts.router,
    incidents.router,
    patrols.router,
    overview.router,
    export.router,
    pages.router,
)


def create_app(settings: Settings, database: Database) -> FastAPI:
    """Return the application that serves from a database.

    Parameters
    ----------
    database
        Connected as the API role; `gridsvc.setup.check` says whether that is so.
    """
    app = FastAPI(
        title="gridsvc",
        summary="Grid management of a sub-district: territory, contacts, incidents, patrols, maps.",
        version="0.1.0",
        docs_url=None,  # the documentation page would load scripts from another host
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.settings = settings
    app.state.database = database
    errors.install(app)
    # Level 9, the default, takes five times as long for a tenth less.
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=3)
    app.add_middleware(SecurityHeaders)
    for router in ROUTERS:
        app.include_router(router)
    mount_assets(app)
    return app

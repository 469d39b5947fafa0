"""The HTTP application: a factory, so that importing it opens nothing."""

from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp

from api import errors
from api.deps import enforce
from api.gate import Gate
from api.headers import SecurityHeaders
from api.limits import MAX_FORM_FIELDS, MAX_FORM_FILES, RequestLimits, document
from api.logs import RequestLog
from api.ogc.routes import install_ogc
from api.open311.routes import install_open311
from api.pages import routes as pages
from api.pages import sso
from api.pages.assets import mount_assets
from api.routes import (
    access,
    accounts,
    audit,
    contact_plans,
    contacts,
    devices,
    export,
    grids,
    imports,
    inbox,
    incident_life,
    incidents,
    invitations,
    jobs,
    keys,
    live,
    members,
    notices,
    operation,
    overview,
    patrols,
    people,
    reports,
    territory,
    tiles,
)
from gridsvc.db import Database
from gridsvc.notices.live import Live
from gridsvc.settings import Settings
from gridsvc.vault import Vault

ROUTERS = (
    operation.router,
    access.router,
    devices.router,
    keys.router,
    accounts.router,
    invitations.router,
    territory.router,
    grids.router,
    imports.router,
    jobs.router,
    contact_plans.router,
    contacts.router,
    incident_life.router,
    incidents.router,
    reports.router,
    patrols.router,
    overview.router,
    export.router,
    tiles.router,
    members.router,
    people.router,
    audit.router,
    notices.router,
    inbox.router,
    live.router,
    pages.router,
    sso.router,
)


class Application(FastAPI):
    """An application whose last resort, the answer to a fault of ours, is marked and logged too.

    The framework puts added middleware inside that last resort; these stand outside.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """Return the application from the outermost layer on."""
        stack = RequestLimits(Gate(super().build_middleware_stack()))
        public_url = self.state.settings.public_url
        return RequestLog(SecurityHeaders(stack, public_url=public_url))

    def openapi(self) -> dict[str, Any]:
        """Return the document, with what may be answered before any route is asked."""
        found = super().openapi()
        document(found)
        return found


def create_app(settings: Settings, database: Database, vault: Vault) -> FastAPI:
    """Return the application that serves from a database.

    Parameters
    ----------
    database
        Connected as the API role; `gridsvc.setup.check` says whether that is so.
    vault
        Hides phones and the secrets of authenticators.
    """
    app = Application(
        title="gridsvc",
        summary="Grid management of a sub-district: territory, contacts, incidents, patrols, maps.",
        version="0.1.0",
        docs_url=None,  # the documentation page would load scripts from another host
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        dependencies=[Depends(enforce)],
        form_limits={"max_fields": MAX_FORM_FIELDS, "max_files": MAX_FORM_FILES},
    )
    app.state.settings = settings
    app.state.database = database
    app.state.vault = vault
    app.state.live = Live(database.engine.url, at_most=settings.live_connections)
    errors.install(app)
    # Level 9, the default, takes five times as long for a tenth less.
    app.add_middleware(
        GZipMiddleware,
        minimum_size=1000,
        compresslevel=3,
        # Compressed, a file would have neither its size nor parts to go on with.
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *export.BUILT_TYPES),
    )
    for router in ROUTERS:
        app.include_router(router)
    install_ogc(app, settings, database)
    install_open311(app)
    mount_assets(app)
    return app

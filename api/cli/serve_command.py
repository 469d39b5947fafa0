"""Serve the application."""

import signal
import socket

import typer
import uvicorn
from starlette.types import ASGIApp

from api import logs
from api.app import create_app
from api.cli.console import words
from api.cli.runtime import Runtime, open_runtime
from api.cli.worker_process import worker_beside
from gridsvc import settings as settings_module
from gridsvc.errors import AddressInUseError
from gridsvc.notices.live import Live
from gridsvc.settings import Settings

app = typer.Typer()


@app.command()
def serve() -> None:
    """Serve at GRID_HOST and GRID_PORT, from DATABASE_URL or the embedded PostGIS."""
    settings = settings_module.load()
    refuse_taken_port(settings)
    with open_runtime(settings) as runtime:
        run(runtime)


def refuse_taken_port(settings: Settings) -> None:
    """Say that the port is taken before any work is done.

    Raises
    ------
    AddressInUseError
        Another program listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise AddressInUseError(settings.host, settings.port) from error


def run(runtime: Runtime) -> None:
    """Serve until interrupted; that ends requests first, then the worker, then the database."""
    settings = runtime.settings
    app = create_app(settings, runtime.served, runtime.vault)
    logs.configure()
    words.print(f"Serving at http://{settings.host}:{settings.port} (Ctrl-C stops)")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, and as orderly
    try:
        with worker_beside(runtime):
            server_of(app, settings).run()
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def server_of(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    """Return the server of an application: it believes no proxy but ours, and logs by our rules."""
    proxies = [str(network) for network in settings.trusted_proxies or ()]
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # it would write paths, which may hold codes
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """A server that lets pages go which listen for live updates: it would wait for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        live = getattr(getattr(self.config.app, "state", None), "live", None)
        if isinstance(live, Live):
            live.close()
        await super().shutdown(sockets)

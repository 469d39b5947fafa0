"""Serve the application."""

import socket

import typer
import uvicorn

from api.app import create_app
from api.cli.console import words
from api.cli.runtime import Runtime, open_runtime
from gridsvc import settings as settings_module
from gridsvc.errors import AddressInUseError
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
    """Serve until interrupted; Ctrl-C ends requests first, then the database."""
    settings = runtime.settings
    app = create_app(settings, runtime.served)
    words.print(f"Serving at http://{settings.host}:{settings.port} (Ctrl-C stops)")
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=settings.host, port=settings.port, log_level="warning", access_log=False
        )
    )
    try:
        server.run()
    except KeyboardInterrupt:
        raise typer.Exit(0) from None

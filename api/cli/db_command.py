"""Set up a database of your own."""

import typer

from api.cli.console import words
from gridsvc import settings as settings_module
from gridsvc import setup
from gridsvc.db import make_engine
from gridsvc.errors import DatabaseNotReadyError

app = typer.Typer(help="Set up and check a PostGIS of your own.", no_args_is_help=True)


@app.command("setup")
def set_up() -> None:
    """Make roles, extensions and schema as GRID_ADMIN_URL; repeat it at will."""
    settings = settings_module.load()
    if settings.admin_url is None:
        raise DatabaseNotReadyError("GRID_ADMIN_URL, a connection of a superuser, is not set")
    urls = (settings.database_url, settings.job_url)
    setup.set_up(
        settings.admin_url.get_secret_value(),
        role_urls=tuple(url.get_secret_value() for url in urls if url),
    )
    words.print("The database is set up.")


@app.command("check")
def check() -> None:
    """Check that DATABASE_URL can be served from."""
    settings = settings_module.load()
    if settings.database_url is None:
        raise DatabaseNotReadyError("DATABASE_URL is not set")
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=1)
    try:
        readiness = setup.check(engine)
    finally:
        engine.dispose()
    index = "spatial index" if readiness.is_leakproof else "tile key (not LEAKPROOF)"
    words.print(f"Ready: revision {readiness.revision}, map queries by {index}.")

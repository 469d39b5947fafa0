"""Every setting of the service, read from the environment once and handed on.

Importing this module reads nothing; `load` does.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator can set; docs/SETTINGS.md lists each with its meaning."""

    model_config = SettingsConfigDict(env_prefix="GRID_", frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    """Connection of the API role; absent: the embedded PostGIS."""

    job_url: SecretStr | None = None
    """Connection of the job role, for imports and aggregation on a database of your own."""

    admin_url: SecretStr | None = None
    """Connection of a superuser, used by ``./grid db setup`` only."""

    home: Path | None = None
    """The data folder; absent: ``.grid`` in the checkout, or a folder in the state directory."""

    pg_bindir: Path | None = None
    """Folder of the PostgreSQL programs, where they are not found by themselves."""

    pg_osuser: str = "postgres"
    """Operating-system user that runs the embedded server when the service runs as root."""

    host: str = "127.0.0.1"
    """Address to serve at."""

    port: int = Field(default=8000, ge=1, le=65535)
    """Port to serve at."""

    language: Literal["zh", "en"] = "zh"
    """Language of pages before a visitor switches."""

    development_login: bool = False
    """Accept the login codes that ``./grid demo`` prints; never on a public address."""

    phone_key: SecretStr | None = None
    """Key that encrypts phones (44 characters, base64); absent: a file in the data folder."""

    pool_size: int = Field(default=8, ge=1)
    """Connections that one process keeps to the database."""

    statement_timeout_s: int = Field(default=30, ge=1)
    """Longest time, in seconds, that one statement of a request may take."""


def load() -> Settings:
    """Read the settings from the environment."""
    return Settings()

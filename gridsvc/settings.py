"""Every setting of the service, read from the environment once and handed on.

Importing this module reads nothing; `load` does.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _split(value: object) -> object:
    """Return the parts of a text between commas; anything else as it is."""
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


# Without TLS only on this machine: whoever could answer in its place would sign anybody in.
_ISSUER = r"^(https://[^/\s?#@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?)(/[^\s?#]*)?$"
_ORIGIN_OF_MAIL = r"^[^@\s<>]+@[^@\s<>]+$"
Proxies = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)]


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

    data_key: SecretStr | None = None
    """Keys that encrypt phones and authenticators, newest first; absent: a file, made once."""

    pool_size: int = Field(default=8, ge=1)
    """Connections that one process keeps to the database."""

    statement_timeout_s: int = Field(default=30, ge=1)
    """Longest time, in seconds, that one statement of a request may take."""

    worker: bool = True
    """Run a worker beside the server; otherwise long work waits for ``./grid worker``."""

    jobs_at_once: int = Field(default=2, ge=1, le=32)
    """How many jobs one worker runs at the same time."""

    job_stalled_s: int = Field(default=60, ge=2)
    """After how many seconds without a sign of life a worker's jobs are begun again."""

    contact_households: int = Field(default=15, ge=1)
    """Households that one contact should carry: beyond them a stairwell gets supporting ones."""

    contact_supporting: int = Field(default=4, ge=1)
    """Supporting contacts that a stairwell gets at most."""

    public_url: str | None = Field(default=None, pattern=r"^https?://[^/\s?#@]+$")
    """Origin under which people reach the service, such as ``https://grid.example``."""

    trusted_proxies: Proxies | None = None
    """Addresses and networks whose ``X-Forwarded-For`` and ``-Proto`` are believed."""

    oidc_issuer: str | None = Field(default=None, pattern=_ISSUER)
    """Provider of single sign-on, as its discovery document names itself; absent: none."""

    oidc_client_id: str | None = Field(default=None, min_length=1)
    """What the provider calls this service."""

    oidc_client_secret: SecretStr | None = None
    """Secret that the provider gave this service; absent: it is a public client there."""

    oidc_name: str | None = Field(default=None, min_length=1, max_length=40)
    """What the button on the login page calls the provider."""

    notice_networks: Proxies | None = None
    """Private networks that notices may go to; absent: public addresses only."""

    notice_wait_s: float = Field(default=10.0, ge=0.1, le=60)
    """Longest time that a robot, a webhook or the mail server is waited for, seconds."""

    smtp_host: str | None = Field(default=None, min_length=1)
    """Mail server; absent: no e-mails."""

    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Its port."""

    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """Whether the connection to it is encrypted, and from when on."""

    smtp_user: str | None = Field(default=None, min_length=1)
    """Who signs in there; absent: nobody has to."""

    smtp_password: SecretStr | None = None
    """With what."""

    smtp_from: str | None = Field(default=None, pattern=_ORIGIN_OF_MAIL)
    """Who writes the e-mails; needed with `smtp_host`."""

    live_connections: int = Field(default=200, ge=1, le=10_000)
    """How many pages may listen for live updates in one process."""

    @model_validator(mode="after")
    def _has_sender(self) -> Self:
        if self.smtp_host and not self.smtp_from:
            raise ValueError("GRID_SMTP_HOST needs GRID_SMTP_FROM")
        return self

    @model_validator(mode="after")
    def _has_client_id(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("GRID_OIDC_ISSUER needs GRID_OIDC_CLIENT_ID")
        return self

    @property
    def public_origin(self) -> str:
        """The origin for links that leave the service: `public_url`, else where we serve."""
        return self.public_url or f"http://{self.host}:{self.port}"


def load() -> Settings:
    """Read the settings from the environment."""
    return Settings()

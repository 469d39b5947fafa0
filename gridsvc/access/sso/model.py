"""The provider of single sign-on, and what comes back from it: plain Python."""

from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from gridsvc.access.model import Started
from gridsvc.settings import Settings

CALLBACK = "/sso/callback"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Provider:
    """Who proves for us that people are who they say.

    Attributes
    ----------
    issuer
        Letter for letter as its discovery document and its tokens name it.
    client_id, client_secret
        What it knows this service by; without a secret we are a public client there.
    redirect_uri
        Where it sends browsers back to; registered there, and the same for every attempt.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str

    @classmethod
    def of(cls, settings: Settings) -> "Provider | None":
        """Return the provider that the settings name, if any."""
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            return None
        secret = settings.oidc_client_secret
        return cls(
            settings.oidc_issuer,
            settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            settings.public_origin + CALLBACK,
        )

    def is_trusted_address(self, address: object) -> bool:
        """Tell whether an address of the discovery document may be used: by TLS, or on loopback.

        Examples
        --------
        >>> here = Provider("http://127.0.0.1:9000", "grid", None, "http://127.0.0.1:8000/")
        >>> far = Provider("https://login.example", "grid", None, "https://grid.example/")
        >>> [one.is_trusted_address("http://127.0.0.1:9000/token") for one in (here, far)]
        [True, False]
        >>> [far.is_trusted_address(one) for one in ("https://keys.example/", "file:///etc", None)]
        [True, False, False]
        """
        if not isinstance(address, str):
            return False
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        is_near = parts.scheme == "http" and parts.hostname in _LOOPBACK
        may_be_near = self.issuer.startswith("http://")
        return bool(parts.hostname) and (parts.scheme == "https" or (is_near and may_be_near))


@dataclass(frozen=True)
class Returned:
    """What a browser brings back from the provider; none of it is believed yet.

    Attributes
    ----------
    issuer
        Who says so, where the provider names itself (RFC 9207).
    is_error
        Whether the provider, or the person there, declined.
    """

    state: str | None
    code: str | None
    issuer: str | None = None
    is_error: bool = False


@dataclass(frozen=True)
class Attempt:
    """A browser that we sent to the provider, as it was remembered.

    Attributes
    ----------
    is_expired
        Whether it took longer than ten minutes.
    """

    browser_hash: bytes
    nonce: str
    code_verifier: str
    goal: str
    invitation_hash: bytes | None
    is_expired: bool


class Finished(NamedTuple):
    """How an attempt ended well: the sign-in, and the page to go on to.

    ``started`` is absent where a signed-in account was linked: its sign-in goes on.
    """

    started: Started | None
    goal: str


@dataclass(frozen=True)
class Identity:
    """Who somebody is at a provider; a name or an address may pass to somebody else, this not.

    References
    ----------
    .. [1] OpenID Connect Core 1.0, section 5.7: claim stability and uniqueness.
    """

    issuer: str
    subject: str
    account_id: UUID

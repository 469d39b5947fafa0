"""Asking the provider: where its doors are, which keys it signs with, what a code is worth.

References
----------
.. [1] OpenID Connect Discovery 1.0, sections 3 and 4.
.. [2] RFC 6749, section 2.3.1; RFC 7636 (PKCE); RFC 9207 (issuer of the answer).
"""

import base64
import ssl
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import quote_plus

import httpx2
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from joserfc.jwk import KeySet

from gridsvc.access.sso.id_token import UnknownKeyError, read_keys, read_subject
from gridsvc.access.sso.model import Provider
from gridsvc.access.sso.transport import WAIT_S, BoundedTransport
from gridsvc.errors import SsoRefusedError, SsoUnavailableError

KNOWN_FOR_S = 3600.0
_AT_ONCE = 8
"""Of the forty requests that one process answers at a time, so many may wait for the provider."""


@dataclass(frozen=True)
class _Doors:
    """What the discovery document says."""

    authorization: str
    token: str
    keys: str
    secret_goes_into_body: bool
    names_itself: bool
    read_at_s: float


class Client:
    """What one process knows of a provider; safe to share between threads."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._slots = BoundedSemaphore(_AT_ONCE)
        self._reading = Lock()
        self._doors: _Doors | None = None
        self._keys: KeySet | None = None
        self._tls: ssl.SSLContext | None = None

    def address(self, *, state: str, nonce: str, code_verifier: str) -> str:
        """Return where to send a browser, so that it comes back with a code.

        Raises
        ------
        SsoUnavailableError
            The provider does not answer, or not as it should.
        """
        with self._slot():
            doors = self._find_doors()
        with self._oauth(doors) as oauth:
            address, _ = oauth.create_authorization_url(
                doors.authorization, state=state, nonce=nonce, code_verifier=code_verifier
            )
        return str(address)

    def names_itself(self) -> bool:
        """Tell whether the provider says who it is whenever it sends a browser back (RFC 9207).

        Raises
        ------
        SsoUnavailableError
            The provider does not answer, or not as it should.
        """
        with self._slot():
            return self._find_doors().names_itself

    def redeem(self, *, code: str, code_verifier: str, nonce: str) -> str:
        """Return whom a code stands for: the subject of the ID token that it is exchanged for.

        Raises
        ------
        SsoUnavailableError
            The provider does not answer, or not as it should.
        SsoRefusedError
            It does not know the code, or its token is not what it has to be.
        """
        with self._slot():
            doors = self._find_doors()
            id_token = self._exchange(doors, code=code, code_verifier=code_verifier)
            keys = self._keys or self._read_keys(doors)
            try:
                return read_subject(id_token, keys, provider=self.provider, nonce=nonce)
            except UnknownKeyError:
                keys = self._read_keys(doors)
            try:
                return read_subject(id_token, keys, provider=self.provider, nonce=nonce)
            except UnknownKeyError as error:
                raise SsoRefusedError("unknown-key") from error

    def _exchange(self, doors: _Doors, *, code: str, code_verifier: str) -> str:
        with _clear_errors(), self._oauth(doors) as oauth:
            try:
                token = oauth.fetch_token(doors.token, code=code, code_verifier=code_verifier)
            except OAuthError as error:
                # The code's fault is theirs who brought it; any other is one of the set-up.
                if error.error == "invalid_grant":
                    raise SsoRefusedError("grant") from error
                raise SsoUnavailableError("not-our-client") from error
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise SsoRefusedError("no-id-token")
        return id_token

    def _find_doors(self) -> _Doors:
        """Return what was read in the last hour, or read it: one thread does, others wait."""
        doors = self._doors
        if doors is not None and doors.read_at_s + KNOWN_FOR_S > time.monotonic():
            return doors
        if not self._reading.acquire(timeout=WAIT_S):
            raise SsoUnavailableError("timeout")
        try:
            if self._doors is doors:
                self._keys = None
                self._doors = self._read_doors()
            assert self._doors is not None  # noqa: S101  (nobody ever takes it away)
            return self._doors
        finally:
            self._reading.release()

    def _read_doors(self) -> _Doors:
        issuer = self.provider.issuer
        found = self._read(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise SsoUnavailableError("another-issuer")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        authorization, token, keys = (found.get(name) for name in names)
        if not all(map(self.provider.is_trusted_address, (authorization, token, keys))):
            raise SsoUnavailableError("untrusted-address")
        ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return _Doors(
            authorization=str(authorization),
            token=str(token),
            keys=str(keys),
            secret_goes_into_body="client_secret_basic" not in ways,
            names_itself=found.get("authorization_response_iss_parameter_supported") is True,
            read_at_s=time.monotonic(),
        )

    def _read_keys(self, doors: _Doors) -> KeySet:
        self._keys = read_keys(self._read(doors.keys))
        return self._keys

    def _read(self, address: str) -> dict[str, Any]:
        """Return a JSON object of the provider's."""
        with _clear_errors(), httpx2.Client(transport=self._transport()) as http:
            document = http.get(address).raise_for_status().json()
        if not isinstance(document, dict):
            raise SsoUnavailableError("garbage")
        return document

    def _oauth(self, doors: _Doors) -> Any:
        provider = self.provider
        way = "client_secret_post" if doors.secret_goes_into_body else "client_secret_basic"
        client = OAuth2Client(
            provider.client_id,
            provider.client_secret,
            token_endpoint_auth_method=way if provider.client_secret else "none",
            scope="openid",
            redirect_uri=provider.redirect_uri,
            code_challenge_method="S256",
            transport=self._transport(),
        )
        client.register_client_auth_method(("client_secret_basic", _send_secret))
        return client

    def _transport(self) -> BoundedTransport:
        # Loading the certificates of authorities takes longer than all the rest.
        self._tls = self._tls or httpx2.create_ssl_context()
        return BoundedTransport(httpx2.HTTPTransport(verify=self._tls))

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Let few wait for the provider: where it is slow, the others answer as before."""
        if not self._slots.acquire(blocking=False):
            raise SsoUnavailableError("busy")
        try:
            yield
        finally:
            self._slots.release()


@lru_cache(maxsize=8)
def client_of(provider: Provider) -> Client:
    """Return what this process knows of a provider."""
    return Client(provider)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Say in one word why there is no answer that can be used."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise SsoUnavailableError("timeout") from error
    except httpx2.HTTPStatusError as error:
        raise SsoUnavailableError("status") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SsoUnavailableError("connection") from error
    except (ValueError, TypeError, RecursionError) as error:  # what is no JSON, or no token
        raise SsoUnavailableError("garbage") from error


def _send_secret(
    client: Any, _method: str, address: str, headers: MutableMapping[str, str], body: str
) -> tuple[str, MutableMapping[str, str], str]:
    """Put the secret into the header as RFC 6749 wants it: form-encoded first; Authlib does not."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return address, headers, body

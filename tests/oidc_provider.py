"""An OpenID provider, small but real: it refuses what a provider has to refuse.

It runs behind a free loopback port, and can be told to misbehave.

References
----------
.. [1] OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (issuer of the answer).
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlencode

import uvicorn
from joserfc import jwk, jws
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

CLIENT_ID, CLIENT_SECRET = "gridsvc-test", "a secret: with 100% of +/& in it"
CODE_LASTS_S = 60
_ANSWERS: dict[str, Callable[[], Response]] = {
    "garbage": lambda: PlainTextResponse("<html>please wait</html>"),
    "list": lambda: JSONResponse([1, 2]),
    "deep": lambda: PlainTextResponse("[" * 100_000),
    "huge": lambda: JSONResponse({"padding": "x" * 1_000_000}),
    "error": lambda: PlainTextResponse("overloaded", status_code=500),
    "redirect": lambda: RedirectResponse("/elsewhere", status_code=307),
    "packed": lambda: Response(b"", headers={"Content-Encoding": "gzip"}),
}


@dataclass
class Grant:
    """What a code stands for."""

    redirect_uri: str
    challenge: str
    nonce: str | None
    subject: str
    made_at_s: float


@dataclass
class OpenIdProvider:
    """A provider, who is signed in there, and how it misbehaves.

    Attributes
    ----------
    subject
        Who comes to its door next: they are known there already, so it asks nothing.
    declines
        They press "cancel".
    claims
        Written over those of ID tokens; None takes a claim away.
    sign
        Makes an ID token from claims; default the honest way.
    answers
        By path: what to answer instead, one of `_ANSWERS`; ``slow``: nothing for long;
        ``dripping``: a byte at a time, for long.
    document
        Written over the discovery document.
    named
        The issuer that it sends browsers back with (RFC 9207); None leaves it out.
    seen
        How often each path was asked for.
    """

    issuer: str
    redirect_uri: str
    subject: str = "person-1"
    declines: bool = False
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    answers: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    named: str | None = None
    seen: Counter[str] = field(default_factory=Counter)
    key: jwk.Key = field(default_factory=lambda: new_key("RS256"))
    grants: dict[str, Grant] = field(default_factory=dict)
    slow_s: float = 30.0
    _closing: threading.Event = field(default_factory=threading.Event)

    def app(self) -> ASGIApp:
        """Return its pages."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discover),
                Route("/keys", self._list_keys),
                Route("/authorize", self._authorize),
                Route("/token", self._exchange, methods=["POST"]),
                Route("/elsewhere", self._elsewhere, methods=["GET", "POST"]),
            ]
        )

    def behave(self) -> None:
        """Behave from now on as at first."""
        self.hurry()
        key = self.key if self.key.alg == "RS256" else new_key("RS256")
        fresh = OpenIdProvider(self.issuer, self.redirect_uri, key=key)
        vars(self).update(vars(fresh))

    def hurry(self) -> None:
        """Answer at once whatever is being answered slowly."""
        self._closing.set()

    def rotate(self, algorithm: str = "RS256") -> None:
        """Sign with a new key from now on; the old one is withdrawn."""
        self.key = new_key(algorithm)

    def _instead(self, request: Request) -> Response | None:
        path = request.url.path
        self.seen[path] += 1
        kind = self.answers.get(path)
        if kind == "slow":
            self._closing.wait(self.slow_s)
            return PlainTextResponse("at last")
        if kind == "dripping":
            return StreamingResponse(self._drip(), media_type="application/json")
        return _ANSWERS[kind]() if kind else None

    def _drip(self) -> Iterator[str]:
        for _ in range(int(self.slow_s * 10)):
            yield " "
            if self._closing.wait(0.1):
                return

    def _discover(self, request: Request) -> Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.named is not None,
        }
        return self._instead(request) or JSONResponse(document | self.document)

    def _list_keys(self, request: Request) -> Response:
        strange = {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "strange"}
        listed = [strange, self.key.as_dict(private=False)]
        return self._instead(request) or JSONResponse({"keys": listed})

    def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        self.seen["/authorize"] += 1
        if (asked.get("client_id"), asked.get("redirect_uri")) != (CLIENT_ID, self.redirect_uri):
            return PlainTextResponse("Who are you?", status_code=400)
        fault = _fault_of(asked)
        if fault or self.declines:
            return self._back(asked.get("state"), error=fault or "access_denied")
        code = secrets.token_urlsafe(16)
        self.grants[code] = Grant(
            asked["redirect_uri"],
            asked["code_challenge"],
            asked.get("nonce"),
            self.subject,
            time.monotonic(),
        )
        return self._back(asked.get("state"), code=code)

    def _back(self, state: str | None, **answer: str) -> Response:
        words = {**answer, "state": state, "iss": self.named}
        query = urlencode({name: word for name, word in words.items() if word is not None})
        return RedirectResponse(f"{self.redirect_uri}?{query}", status_code=302)

    async def _exchange(self, request: Request) -> Response:
        form = await request.form()
        sent = {name: str(value) for name, value in form.items()}
        ways = self.document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if _credentials_of(request, sent, ways) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        # A code is good once, whoever comes with it.
        grant = self.grants.pop(sent.get("code", ""), None)
        if grant is None or not _is_redeemed(grant, sent):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        instead = await run_in_threadpool(self._instead, request)
        tokens = {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self._id_token(grant),
        }
        # Escaped, also what is no text at all.
        return instead or Response(json.dumps(tokens), media_type="application/json")

    def _id_token(self, grant: Grant) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": grant.nonce,
            "name": "甲某",
        } | self.claims
        claims = {name: claim for name, claim in claims.items() if claim is not None}
        return (self.sign or self.sign_honestly)(claims)

    def sign_honestly(self, claims: dict[str, Any]) -> str:
        """Return claims signed with the present key."""
        header = {"alg": str(self.key.alg), "kid": str(self.key.kid)}
        return signed(header, claims, self.key)

    def _elsewhere(self, request: Request) -> Response:
        self.seen[request.url.path] += 1
        return JSONResponse({"id_token": self._id_token(Grant("", "", None, self.subject, 0))})


def new_key(algorithm: str) -> jwk.Key:
    """Return a key to sign with by an algorithm."""
    named: Any = {"alg": algorithm, "use": "sig", "kid": secrets.token_urlsafe(8)}
    if algorithm.startswith("ES"):
        return jwk.ECKey.generate_key("P-256", named)
    return jwk.RSAKey.generate_key(2048, named)


def signed(header: dict[str, Any], claims: dict[str, Any], key: jwk.Key) -> str:
    """Return a token of any kind, also of those that nobody should believe."""
    allowed = ["RS256", "ES256", "PS256", "HS256", "RS512", "none"]
    registry = jws.JWSRegistry(algorithms=allowed)
    return jws.serialize_compact(header, json.dumps(claims), key, registry=registry)


def _fault_of(asked: Any) -> str | None:
    if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
        return "invalid_request"
    if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
        return "invalid_request"
    return None if asked.get("state") else "invalid_request"


def _credentials_of(
    request: Request, sent: dict[str, str], ways: list[str]
) -> tuple[str | None, str | None]:
    """Return the name and secret of a client, from where they are taken."""
    if "client_secret_post" in ways:
        return sent.get("client_id"), sent.get("client_secret")
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return None, None
    name, _, secret = base64.b64decode(value).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _is_redeemed(grant: Grant, sent: dict[str, str]) -> bool:
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return (
        sent.get("grant_type") == "authorization_code"
        and sent.get("redirect_uri") == grant.redirect_uri
        and hmac.compare_digest(challenge, grant.challenge)
        and grant.made_at_s + CODE_LASTS_S > time.monotonic()
    )


@contextmanager
def listening(app: ASGIApp, listener: socket.socket) -> Iterator[uvicorn.Server]:
    """Serve an application from a socket, in a thread."""
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


@contextmanager
def running_provider(redirect_uri: str) -> Iterator[OpenIdProvider]:
    """Run a provider that knows one client, and sends browsers back to one address."""
    listener = socket.create_server(("127.0.0.1", 0))
    provider = OpenIdProvider(f"http://127.0.0.1:{listener.getsockname()[1]}", redirect_uri)
    with listening(provider.app(), listener):
        try:
            yield provider
        finally:
            provider.hurry()

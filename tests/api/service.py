"""The application over a clone, callers signed in to it, and a witness of every answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from gridsvc.access import service as access
from gridsvc.access.model import DevelopmentAccount
from gridsvc.access.tokens import new_token
from gridsvc.db import Database, make_engine
from gridsvc.settings import Settings
from tests import town
from tests.databases import Clone

PROBLEM = "application/problem+json"


class Witness:
    """ASGI middleware that holds each answer against the OpenAPI document of the app.

    Attributes
    ----------
    seen
        Method, path template and status of every answer of a documented operation.
    faults
        Answers that the document does not promise, and errors that are no problem documents.
    """

    def __init__(self, app: ASGIApp, document: dict[str, Any]) -> None:
        self.app = app
        self.paths: dict[str, Any] = document["paths"]
        self.seen: set[tuple[str, str, int]] = set()
        self.faults: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, message)
            await send(message)

        await self.app(scope, receive, noting if scope["type"] == "http" else send)

    def _note(self, scope: Scope, message: Message) -> None:
        status = int(message["status"])
        media_type = Headers(raw=message["headers"]).get("content-type", "").partition(";")[0]
        template = getattr(scope.get("route"), "path", "") or self._template_of(scope["path"])
        operation = self.paths.get(template, {}).get(scope["method"].lower())
        if operation is None:
            is_page = status < 400 or not scope["path"].startswith(("/api/", "/tiles/"))
            if not is_page and media_type != PROBLEM:
                self.faults.append(f"{scope['method']} {scope['path']}: {status} as {media_type}")
            return
        self.seen.add((scope["method"], template, status))
        answer = operation["responses"].get(str(status))
        if answer is None:
            self.faults.append(f"{scope['method']} {template}: {status} is not documented")
        elif status in {204, 304}:
            pass  # no content, so no type either
        elif media_type not in answer.get("content", {}):
            self.faults.append(f"{scope['method']} {template}: {status} as {media_type}")

    def _template_of(self, path: str) -> str:
        """Return the path template of a request that was answered before it was routed."""
        parts = path.split("/")
        for template in self.paths:
            wanted = template.split("/")
            if len(wanted) == len(parts) and all(
                "{" in want or want == part for want, part in zip(wanted, parts, strict=True)
            ):
                return template
        return path


@dataclass
class Service:
    """The application over one database."""

    clone: Clone
    app: FastAPI
    witness: Witness
    portal: BlockingPortal | None = None
    _callers: dict[tuple[str, tuple[int, ...]], TestClient] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        return self.app.openapi()

    def account(self, role: str, codes: tuple[int, ...]) -> DevelopmentAccount:
        """Make an account, with its login code."""
        account = DevelopmentAccount(uuid4(), f"{role} {codes}", role, codes, new_token())
        with town.job_session(self.clone.job) as session, session.begin():
            access.make_development_accounts(session, [account])
        return account

    def visitor(self) -> TestClient:
        """Return somebody who has not signed in, in a browser or a program."""
        return self._client(headers={"Origin": "http://testserver"})

    def caller(self, role: str, *codes: int) -> TestClient:
        """Return somebody of a role and territory, signed in by token."""
        key = (role, codes)
        if key not in self._callers:
            self._callers[key] = self.sign_in(self.account(role, codes))
        return self._callers[key]

    def sign_in(self, account: DevelopmentAccount) -> TestClient:
        client = self._client()
        answer = client.post("/api/v1/session", json={"code": account.code})
        assert answer.status_code == 201, answer.text
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    def _client(self, **sent: Any) -> TestClient:
        """Return a client; to start an event loop for each request would take as long again."""
        client = TestClient(self.witness, **sent)
        client.portal = self.portal
        return client


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    nowhere = Database(make_engine("postgresql:///nowhere", pool_size=1))
    return create_app(Settings(), nowhere, town.VAULT).openapi()


@contextmanager
def serving(clone: Clone) -> Iterator[Service]:
    """Serve a database inside this process, and hold every answer to the document."""
    with TemporaryDirectory(prefix="grid-home-") as home:
        settings = Settings(development_login=True, home=Path(home))
        app = create_app(settings, clone.api, town.VAULT)
        # The same for every app, and half a second's work.
        app.openapi_schema = document()
        app._openapi_routes_version = app.router._get_routes_version()
        with start_blocking_portal() as portal:
            service = Service(clone, app, Witness(app, document()), portal)
            yield service
        assert service.witness.faults == []


def is_problem(answer: Any, status: int, code: str) -> bool:
    """Say whether an answer is a problem document of that status and kind (RFC 9457)."""
    body = json.loads(answer.content)
    return bool(
        answer.status_code == status == body["status"]
        and answer.headers["content-type"] == PROBLEM
        and body["type"] == f"/problems/{code}"
        and body["title"]
        and body["detail"].endswith((".", "?"))
        and "\n" not in body["detail"]
    )

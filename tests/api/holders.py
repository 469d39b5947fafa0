"""One account and everything that it can be signed in with at once."""

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from tests.api.service import Service
from tests.gridsvc.access.enrolled import PASSWORD, Enrolled, enrol

KINDS = ("cookie", "bearer", "device", "key")
SAME_ORIGIN = {"Origin": "http://testserver"}


@dataclass(frozen=True)
class Holder:
    """A planner with a browser, a program, a phone and an API key.

    Attributes
    ----------
    clients
        By kind, each with its credential.
    secrets
        By kind: what the client sends.
    """

    enrolled: Enrolled
    clients: dict[str, TestClient]
    secrets: dict[str, str]
    device: dict[str, Any]
    key_id: str


def bearer(service: Service, token: str) -> TestClient:
    client = service.visitor()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def browser(service: Service, login: str) -> TestClient:
    """Return a browser that signed in by the form."""
    client = service.visitor()
    form = {"login": login, "password": PASSWORD}
    answer = client.post("/login", data=form, headers=SAME_ORIGIN, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return client


def make_key(client: TestClient, **options: Any) -> dict[str, Any]:
    body = {"name": "QGIS", "days": 30} | options
    answer = client.post("/api/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def hold(service: Service, *codes: int) -> Holder:
    """Make a planner, signed in by each kind of credential."""
    enrolled = enrol(service.clone, "planner", *codes)
    cookie = browser(service, enrolled.login)
    program = service.visitor().post("/api/v1/session", json=enrolled.proof()).json()
    phone = enrolled.proof() | {"device": {"name": "手机"}}
    device = service.visitor().post("/api/v1/session", json=phone).json()
    key = make_key(bearer(service, program["token"]))
    secrets = {
        "cookie": cookie.cookies["gridsvc_session"],
        "bearer": program["token"],
        "device": device["token"],
        "key": key["secret"],
    }
    clients = {kind: bearer(service, secret) for kind, secret in secrets.items()}
    return Holder(enrolled, clients | {"cookie": cookie}, secrets, device, key["id"])

"""The HTTP service over the town and over the sample, in this process and behind a port."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import uvicorn

from tests.api.service import Service, serving
from tests.databases import Clone

COMMUNITY, STREET = 440605011016, 440605011000


@pytest.fixture(scope="session")
def shared_service(town_database: Clone) -> Iterator[Service]:
    with serving(town_database) as service:
        yield service


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    """The service over the town, for tests that only read."""
    yield shared_service
    faults, shared_service.witness.faults = shared_service.witness.faults, []
    assert faults == []


@pytest.fixture
def own_service(own_town: Clone) -> Iterator[Service]:
    """The service over a town of the test's own, for tests that change it."""
    with serving(own_town) as service:
        yield service


@pytest.fixture(scope="session")
def sample_service(sample_database: Clone) -> Iterator[Service]:
    """The service over a tenth of the sample, for tests that only read."""
    with serving(sample_database) as service:
        yield service


@dataclass(frozen=True)
class Server:
    """The service behind a port.

    Attributes
    ----------
    base_url
        Without a slash at the end.
    codes
        Login codes: ``community`` and ``street`` (coordinators), ``planner``.
    """

    base_url: str
    codes: dict[str, str]
    service: Service


@pytest.fixture(scope="session")
def server(sample_service: Service) -> Iterator[Server]:
    """The service over a tenth of the sample, behind a free port of this machine."""
    with served(sample_service) as base_url:
        accounts = {
            "community": sample_service.account("coordinator", (COMMUNITY,)),
            "street": sample_service.account("coordinator", (STREET,)),
            "planner": sample_service.account("planner", (STREET,)),
        }
        codes = {name: account.code for name, account in accounts.items()}
        yield Server(base_url, codes, sample_service)


@contextmanager
def served(service: Service) -> Iterator[str]:
    """Serve behind a free port, in a thread, and give the address."""
    # Named TCP, or asyncio leaves small answers waiting for the next packet: 40 ms each.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(service.witness, log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)

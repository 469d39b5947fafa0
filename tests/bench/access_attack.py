"""Signing in while somebody tries passwords: 200 wrong ones a second, for twenty seconds.

The service runs as it is served, in a process of its own. Attacker and user come from networks of
the loopback range that the throttle tells apart (127.0.66.0/24 and 127.0.77.0/24).
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

import httpx2
import numpy as np
from sqlalchemy import text

from gridsvc import setup
from gridsvc.access import passwords
from tests.databases import Clone

LOGIN, PASSWORD = "bench-user", "seven grey herons wade"
TRIES_PER_S, SECONDS = 200, 20
USER_ADDRESS = "127.0.77.7"
_EVERY_S = 0.5


@dataclass
class Tally:
    """What the service answered to the attacker, and how long the user waited."""

    statuses: Counter[int] = field(default_factory=Counter)
    user_statuses: Counter[int] = field(default_factory=Counter)
    waits_s: list[float] = field(default_factory=list)
    sent_in_s: float = SECONDS


def rows(clone: Clone) -> Iterator[dict[str, object]]:
    """Yield a row for the peaceful service, and one for each kind of attack."""
    _add_account(clone)
    with _served(clone) as port:
        for name, login, addresses in (
            ("nobody attacks", None, None),
            ("one network tries this login", LOGIN, _one_network()),
            ("one network tries unknown logins", None, _one_network()),
            ("4,000 networks try unknown logins", None, _many_networks()),
        ):
            clone.run("DELETE FROM gridsvc.throttle")
            tally = asyncio.run(_run(port, login, addresses))
            yield _row(name, tally)


def _row(name: str, tally: Tally) -> dict[str, object]:
    tried = sum(tally.statuses.values())
    return {
        "attack": name,
        "tries_per_s": tried / tally.sent_in_s,
        "refused_unhashed": tally.statuses[429] / tried if tried else 0.0,
        "turned_away_busy": tally.statuses[503] / tried if tried else 0.0,
        "right_logins": sum(tally.user_statuses.values()),
        "of_them_in": tally.user_statuses[201],
        "median_ms": float(np.median(tally.waits_s)) * 1e3,
        "slowest_ms": max(tally.waits_s) * 1e3,
        "within": max(tally.waits_s) < 2 and tally.user_statuses.keys() == {201},
    }


def _one_network() -> Iterator[str]:
    return (f"127.0.66.{number % 250 + 1}" for number in count())


def _many_networks() -> Iterator[str]:
    return (f"127.{number // 250 % 250 + 1}.{number % 250 + 1}.9" for number in count())


async def _run(port: int, login: str | None, addresses: Iterator[str] | None) -> Tally:
    tally = Tally()
    attack = asyncio.create_task(_attack(port, login, addresses, tally))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        began = time.monotonic()
        status = await _post(port, USER_ADDRESS, {"login": LOGIN, "password": PASSWORD})
        tally.waits_s.append(time.monotonic() - began)
        tally.user_statuses[status] += 1
        await asyncio.sleep(_EVERY_S)
    await attack
    return tally


async def _attack(
    port: int, login: str | None, addresses: Iterator[str] | None, tally: Tally
) -> None:
    """Send tries at their times, whether or not those before were answered."""
    if addresses is None:
        return
    tries: set[asyncio.Task[None]] = set()
    began = time.monotonic()
    for number in range(TRIES_PER_S * SECONDS):
        await asyncio.sleep(max(0.0, began + number / TRIES_PER_S - time.monotonic()))
        address, tried = next(addresses), login or f"user-{number}"
        tries.add(asyncio.create_task(_try(port, address, tried, tally)))
    tally.sent_in_s = time.monotonic() - began
    await asyncio.gather(*tries)


async def _try(port: int, address: str, login: str, tally: Tally) -> None:
    status = await _post(port, address, {"login": login, "password": "a wrong password"})
    tally.statuses[status] += 1


async def _post(port: int, address: str, body: dict[str, str]) -> int:
    """Send one request on a connection of its own and return the status; 0 where none came.

    By hand: a client of a library costs more to make than the service takes to answer.
    """
    content = json.dumps(body).encode()
    head = (
        f"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        writer.write(head.encode() + content)
        answer = await reader.read()
        writer.close()
    except OSError:
        return 0
    return int(answer.split(b" ", 2)[1]) if answer else 0


def _add_account(clone: Clone) -> None:
    """Add a planner, who needs no second factor."""
    with clone.root.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO gridsvc.account (id, login, name, role, office_code, password_hash)"
                " VALUES (:id, :login, '甲', 'planner', 440605011000, :hash)"
            ),
            {"id": uuid4(), "login": LOGIN, "hash": passwords.hash_password(PASSWORD)},
        )


@contextmanager
def _served(clone: Clone) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="grid-bench-") as home:
        environment = {
            **os.environ,  # noqa: TID251  (the process needs a PATH and the Python path)
            "DATABASE_URL": clone.url(setup.API),
            "GRID_HOME": home,
            "GRID_PORT": str(port),
        }
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "api", "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(f"http://127.0.0.1:{port}")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(base_url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx2.get(f"{base_url}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.2)
    raise TimeoutError(base_url)

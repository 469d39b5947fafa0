"""The hot paths over HTTP beside the same statement in the driver, and RLS beside none.

Command: ``./grid bench serving``. Each ratio comes from one run; the medians are of 15 calls.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from api.cli import demo_command as demo
from api.cli.runtime import Runtime
from geodata.sample import make_sample
from gridsvc import setup
from gridsvc.db import Interval, Scope, refresh_statistics
from gridsvc.incidents import service as incidents
from gridsvc.overview import export_store
from gridsvc.overview.export_layers import EVERYTHING, LAYERS
from gridsvc.settings import Settings
from gridsvc.territory import service as territory
from tests.databases import Clone, throw_away_cluster
from tests.town import VAULT

CALLS = 15
PLAIN = """
    SELECT json_build_object('type', 'Feature', 'id', code, 'geometry',
        ST_AsGeoJSON(ST_ForcePolygonCCW(geom), 7)::json, 'properties',
        json_build_object('code', code, 'name', name))::text
    FROM gridsvc.stairwell ORDER BY community_code, code
"""
BOX = "ST_MakeEnvelope(113.14, 23.02, 113.15, 23.03, 4326)"
BOX_COUNT = (
    "SELECT count(*) FROM gridsvc.stairwell s"  # noqa: S608  (constants)
    f" WHERE s.geom && {BOX} AND ST_Intersects(s.geom, {BOX})"
)


def run() -> Iterator[dict[str, object]]:
    """Yield one row a path."""
    with throw_away_cluster() as cluster:
        setup.make_database(cluster.url("postgres"), "bench")
        setup.set_up(cluster.url("bench"))
        clone = Clone.of(cluster, "bench")
        settings = Settings(development_login=True, _env_file=None)
        runtime = Runtime(
            settings, Path("/nonexistent"), served=clone.api, job=clone.job, vault=VAULT
        )
        _load(runtime)
        yield from _paths(runtime, clone)
        clone.close()


def _load(runtime: Runtime) -> None:
    sample = make_sample(seed=1, scale=1.0)
    with runtime.job_session(demo.STREET) as session:
        incidents.apply_catalogue(session)
        territory.load(session, sample.territory)
        incidents.add_many(session, sample.incidents)
        refresh_statistics(session)


def _paths(runtime: Runtime, clone: Clone) -> Iterator[dict[str, object]]:
    accounts = demo._make_accounts(runtime)
    everything = Scope("coordinator", (Interval.of(demo.STREET),))

    def statement() -> int:
        with runtime.served.session(everything, read_only=True) as session:
            features = export_store.stream_features(session, LAYERS["stairwells"], EVERYTHING)
            return sum(len(feature) for feature in features)

    def as_root(query: str) -> Callable[[], int]:
        def act() -> int:
            with clone.root.connect() as connection:
                return len(connection.execute(text(query)).all())

        return act

    def as_api(query: str) -> Callable[[], int]:
        def act() -> int:
            with runtime.served.session(everything, read_only=True) as session:
                return len(session.execute(text(query)).all())

        return act

    with TestClient(create_app(runtime.settings, runtime.served, VAULT)) as client:
        code = accounts[1].code
        token = client.post("/api/v1/session", json={"code": code}).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}

        def fetch(path: str) -> Callable[[], int]:
            return lambda: len(client.get(path, headers=headers).content)

        export = fetch("/api/v1/export/stairwells.geojson")
        yield _row("all stairwells as GeoJSON: HTTP / plain SQL as owner", export, as_root(PLAIN))
        yield _row("all stairwells as GeoJSON: HTTP / own statement", export, statement)
        for zoom, x, y in ((14, 13341, 7114), (16, 53366, 28458), (17, 106732, 56916)):
            path = f"/tiles/stairwells/{zoom}/{x}/{y}.mvt"
            yield _row(f"tile z{zoom}: HTTP / health check", fetch(path), fetch("/healthz"))
        yield _row("heat cells: HTTP / health check", fetch("/api/v1/heat"), fetch("/healthz"))
        yield _row("box query: with RLS / as owner", as_api(BOX_COUNT), as_root(BOX_COUNT))


def _row(name: str, ours: Callable[[], int], peer: Callable[[], int]) -> dict[str, object]:
    """Time two calls in turn, so that a slow moment meets both."""
    ours(), peer()
    pairs = [(_milliseconds(ours), _milliseconds(peer)) for _ in range(CALLS)]
    ours_ms, peer_ms = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        "name": name,
        "ours_ms": round(ours_ms, 2),
        "peer_ms": round(peer_ms, 2),
        "ratio": round(ours_ms / peer_ms, 2),
    }


def _milliseconds(act: Callable[[], int]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000

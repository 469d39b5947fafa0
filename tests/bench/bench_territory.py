"""Territory in and out, beside a peer in the same run.

Command: ``./grid bench territory``. A file of 10,000 buildings beside ``ogr2ogr`` into a bare
table; all grids as GeoJSON, and tiles, over HTTP beside the same statement in psql; the library's
features beside ours; the memory of the process that writes 100,000 features as FlatGeobuf. HTTP is
asked of a serving process of its own. Medians; ours and the peer take turns.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import orjson
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.runtime import Runtime
from gridsvc import setup
from gridsvc.access import service as access
from gridsvc.access.model import DevelopmentAccount
from gridsvc.access.tokens import new_token
from gridsvc.db import Interval, Scope, refresh_statistics
from gridsvc.local_time import local_today
from gridsvc.settings import Settings
from gridsvc.territory.importing import service as importing
from gridsvc.territory.importing.model import Decision, FileWish
from gridsvc.territory.importing.source import read_source
from tests.bench import territory_city as city
from tests.bench.territory_peers import (
    Server,
    Statements,
    command_peak_mib,
    next_page,
    noting_statements,
    ogr2ogr_s,
    psql_ms,
    serving,
)
from tests.databases import Clone, throw_away_cluster
from tests.town import VAULT

ROUNDS = 7
IMPORT_AIM, GEOJSON_AIM = 2.0, 1.2
TILE_MORE_MS = 10.0
PEAK_AIM_MIB = 300.0
GEOJSON = "/api/v1/export/stairwells.geojson"
FLATGEOBUF = "/api/v1/export/stairwells.fgb"
ITEMS = "/ogc/collections/stairwells/items?f=geojson&limit=10000"
TILES = {14: (13341, 7114), 15: (26683, 14228), 16: (53366, 28458), 17: (106732, 56916)}


def run() -> Iterator[dict[str, object]]:
    """Yield one row a comparison: ``name``, ``ours``, ``peer``, ``ratio``, ``aim``, ``within``."""
    with throw_away_cluster() as cluster, tempfile.TemporaryDirectory(prefix="grid-bench-") as home:
        setup.make_database(cluster.url("postgres"), "bench")
        setup.set_up(cluster.url("bench"))
        clone = Clone.of(cluster, "bench")
        settings = Settings(development_login=True, _env_file=None)
        folder = Path(home)
        runtime = Runtime(settings, folder, served=clone.api, job=clone.job, vault=VAULT)
        city.load_town(runtime)
        city.load_empty(clone)
        yield from _imports(clone, folder)
        yield from _reads(runtime, clone, folder)
        city.load_large(clone)
        yield _command_peak(clone, folder)
        yield _peak(runtime, clone, folder)
        clone.close()


def _imports(clone: Clone, folder: Path) -> Iterator[dict[str, object]]:
    """Bring files of 10,000 buildings in, each into a sub-district of its own.

    The quality report is also made by itself: ogr2ogr makes none, and neither checks what it
    writes, nor keeps the file's rows beside it, nor has more than one index.
    """
    ours, peer, report = [], [], []  # the first of each warms up
    for number, street in enumerate(city.EMPTY):
        path = city.write_buildings(folder, number)
        peer.append(ogr2ogr_s(clone, path, f"bare_{number}"))
        report.append(_report_s(clone, path, street))
        ours.append(_import_s(clone, path, street))
        added = clone.count("building", f"community_code = {street + 1}")
        if added != city.BUILDINGS:
            message = f"{added} of {city.BUILDINGS} buildings went in"
            raise RuntimeError(message)
    what = f"import of {city.BUILDINGS:,} buildings, s"
    yield _row(
        f"{what}: read, staged, inspected, applied / ogr2ogr", ours[1:], peer[1:], aim=IMPORT_AIM
    )
    without = [whole - part for whole, part in zip(ours, report, strict=True)]
    yield _row(f"{what}: without the inspection / ogr2ogr", without[1:], peer[1:], aim=IMPORT_AIM)
    yield _row(f"{what}: the inspection alone / all of it", report[1:], ours[1:], aim=None)


def _report_s(clone: Clone, path: Path, street: int) -> float:
    """Return the seconds that the quality report of a file takes, once it is read."""
    wish = FileWish(path, "buildings", street, local_today())
    source = read_source(wish)
    with clone.job.session(Scope("job", (Interval.of(street),))) as session:
        began = time.perf_counter()
        importing.preview(session, wish, source)
        return time.perf_counter() - began


def _import_s(clone: Clone, path: Path, street: int) -> float:
    scope = Scope("job", (Interval.of(street),))
    wish = FileWish(path, "buildings", street, local_today())
    began = time.perf_counter()
    source = read_source(wish)
    found = importing.stage(clone.job, scope, wish, source=source)
    with clone.job.session(scope) as session, session.begin():
        importing.apply(session, found.id, Decision(frozenset({"all"})), source=source)
        refresh_statistics(session)
    return time.perf_counter() - began


def _reads(runtime: Runtime, clone: Clone, folder: Path) -> Iterator[dict[str, object]]:
    """Ask for the sample town over HTTP, and for the same statements in psql."""
    code = _make_planner(runtime, city.TOWN)
    paths = {zoom: f"/tiles/stairwells/{zoom}/{x}/{y}.mvt" for zoom, (x, y) in TILES.items()}
    with _asking_inside(runtime, clone, code) as ask:
        geojson = ask(GEOJSON).naming("ST_AsGeoJSON")
        tiles = {zoom: ask(path).naming("ST_AsMVT") for zoom, path in paths.items()}
    with serving(clone, folder, code=code) as server:
        rounds = _in_turn(
            lambda: _ms(lambda: server.size(GEOJSON)), lambda: psql_ms(clone, geojson)
        )
        yield _row("all grids as GeoJSON, ms: HTTP / psql", *rounds, aim=GEOJSON_AIM)
        rounds = _in_turn(
            lambda: _ms(lambda: server.size(GEOJSON)), lambda: _ms(lambda: _all_items(server))
        )
        yield _row("all grids as GeoJSON, ms: HTTP / tipg's items", *rounds, aim=1.0)
        for zoom, path in paths.items():
            ours, peer = _in_turn(
                lambda path=path: _ms(lambda: server.size(path)),  # type: ignore[misc]
                lambda zoom=zoom: psql_ms(clone, tiles[zoom]),  # type: ignore[misc]
            )
            row = _row(f"tile z{zoom}, ms: HTTP / psql", ours, peer, aim=None)
            more = statistics.median(ours) - statistics.median(peer)
            yield row | {"aim": f"SQL + {TILE_MORE_MS:g} ms", "within": more <= TILE_MORE_MS}


def _command_peak(clone: Clone, folder: Path) -> dict[str, object]:
    """Export 100,000 features by the command, and the few of the town for what it holds anyway."""
    large, small = (
        command_peak_mib(
            clone,
            folder,
            "export",
            "stairwells",
            str(folder / f"{street}.fgb"),
            "--street",
            f"{street}",
        )
        for street in (city.LARGE, city.TOWN)
    )
    return {
        "name": f"{city.STAIRWELLS:,} features as FlatGeobuf by ./grid export, peak MiB / the town",
        "ours": round(large, 1),
        "peer": round(small, 1),
        "ratio": round(large / small, 2),
        "aim": f"{PEAK_AIM_MIB:g} MiB",
        "within": large < PEAK_AIM_MIB,
    }


def _peak(runtime: Runtime, clone: Clone, folder: Path) -> dict[str, object]:
    """Export 100,000 features from a fresh process and ask how much memory it ever held."""
    code = _make_planner(runtime, city.LARGE)
    with serving(clone, folder, code=code) as server:
        before = server.peak_mib()
        server.size(FLATGEOBUF)
        after = server.peak_mib()
    return {
        "name": f"{city.STAIRWELLS:,} features as FlatGeobuf over HTTP, peak MiB of the server:"
        " after / before",
        "ours": round(after, 1),
        "peer": round(before, 1),
        "ratio": round(after / before, 2),
        "aim": f"{PEAK_AIM_MIB:g} MiB",
        "within": after < PEAK_AIM_MIB,
    }


@contextmanager
def _asking_inside(
    runtime: Runtime, clone: Clone, code: str
) -> Iterator[Callable[[str], Statements]]:
    """Give a way to ask the application in this process, and to see what it asks the database."""
    app = create_app(runtime.settings, runtime.served, VAULT)
    with TestClient(app) as client:
        token = client.post("/api/v1/session", json={"code": code}).json()["token"]

        def ask(path: str) -> Statements:
            with noting_statements(clone.api.engine) as noted:
                client.get(path, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
            return noted

        yield ask


def _all_items(server: Server) -> int:
    """Read every page of the library's features and return how many there are."""
    count, path = 0, ITEMS
    while path:
        document = orjson.loads(server.get(path))
        count += len(document["features"])
        path = next_page(document) or ""
    return count


def _make_planner(runtime: Runtime, street: int) -> str:
    """Make a planner of a sub-district and return the code to sign in by."""
    planner = DevelopmentAccount(
        id=uuid4(), name="规划员", role="planner", territory_codes=(street,), code=new_token()
    )
    with runtime.job_session(street) as session:
        access.make_development_accounts(session, [planner])
    return planner.code


def _in_turn(
    ours: Callable[[], float], peer: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Time two calls in turn, so that a slow moment meets both; the first round warms up."""
    pairs = [(ours(), peer()) for _ in range(ROUNDS + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _ms(act: Callable[[], int]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _row(
    name: str, ours: list[float], peer: list[float], *, aim: float | None
) -> dict[str, object]:
    one, other = statistics.median(ours), statistics.median(peer)
    return {
        "name": name,
        "ours": round(one, 2),
        "peer": round(other, 2),
        "ratio": round(one / other, 2),
        "aim": aim,
        "within": aim is None or one / other <= aim,
    }

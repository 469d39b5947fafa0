"""Two principals at once, more requests than connections: nobody ever gets a row of the other."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import mapbox_vector_tile  # type: ignore[import-untyped]
import pytest

from tests.api.ogc.conftest import LAYERS, Reader
from tests.api.test_tiles import tile_at

pytestmark = pytest.mark.db

REQUESTS, AT_ONCE = 320, 12
OGC = "/ogc/collections"


def addresses(own: Reader, other: Reader, box: list[float], seed: int) -> Iterator[str]:
    """Yield what a planner may ask, among it for what is the other's."""
    drawn = random.Random(seed)  # noqa: S311 (a test's dice)
    foreign = {layer: sorted(other.own(layer)) for layer in LAYERS}
    mine = {layer: sorted(own.own(layer)) for layer in LAYERS}
    while True:
        layer = drawn.choice(tuple(LAYERS))
        items = f"{OGC}/{layer}/items"
        code = "code" if layer == "communities" else "community_code"
        zoom = drawn.choice((12, 13, 14, 15, 16))
        x, y = tile_at(drawn.uniform(box[0], box[2]), drawn.uniform(box[1], box[3]), zoom)
        ids = [drawn.choice(foreign[layer]), drawn.choice(mine[layer])]
        yield drawn.choice(
            (
                f"{items}?bbox={','.join(map(str, box))}&limit=200",
                f"{items}?sortby=-{LAYERS[layer][1]}&offset={drawn.randrange(20)}&limit=50",
                f"{items}?filter={code}={other.community_code} OR {code} > 0",
                f"{items}?{code}={other.community_code}",
                f"{items}?ids={','.join(ids)}",
                f"{items}?f=geojsonseq&limit=40",
                f"{items}/{drawn.choice(foreign[layer])}",
                f"{OGC}/{layer}/tiles/WebMercatorQuad/{zoom}/{x}/{y}",
                f"/tiles/compounds,buildings,stairwells,walkways/{zoom}/{x}/{y}.mvt",
            )
        )


def ids_in(answer: httpx.Response) -> set[str]:
    """Return the id of every feature of an answer, and refuse one that is unlike itself."""
    kind = answer.headers["content-type"].partition(";")[0]
    if kind == "application/vnd.mapbox-vector-tile":
        layers = mapbox_vector_tile.decode(answer.content) if answer.content else {}
        features = [feature for layer in layers.values() for feature in layer["features"]]
        return {str(f["properties"].get("code", f["properties"].get("id"))) for f in features}
    if kind == "application/geo+json-seq":
        return {str(one["id"]) for one in map(httpx_json, answer.text.splitlines())}
    body: Any = answer.json()
    features = body.get("features", [body])
    for feature in features:
        properties = feature["properties"]
        assert str(properties.get("code", properties.get("id"))) == str(feature["id"])
    return {str(feature["id"]) for feature in features}


def httpx_json(line: str) -> Any:
    return httpx.Response(200, text=line).json()


def test_nobody_gets_a_row_of_the_other(readers: tuple[Reader, Reader]) -> None:
    own = [set().union(*(reader.own(layer) for layer in LAYERS)) for reader in readers]
    assert not own[0] & own[1]
    with readers[0].client() as first, readers[1].client() as second:
        clients = (first, second)
        boxes = [
            client.get(f"{OGC}/compounds").json()["extent"]["spatial"]["bbox"][0]
            for client in clients
        ]
        # Each asks in the other's box as well.
        whole = [*map(min, *(box[:2] for box in boxes)), *map(max, *(box[2:] for box in boxes))]
        asked = [
            (who, address)
            for who in (0, 1)
            for address, _ in zip(
                addresses(readers[who], readers[1 - who], whole, seed=who),
                range(REQUESTS // 2),
                strict=False,
            )
        ]
        random.Random(7).shuffle(asked)  # noqa: S311 (a test's dice)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = list(threads.map(lambda one: (one[0], clients[one[0]].get(one[1])), asked))
    seen = [0, 0]
    for (who, answer), (_, address) in zip(answers, asked, strict=True):
        if "/items/" in address and answer.status_code == 404:
            continue  # a single item of the other's
        assert answer.status_code == 200, (address, answer.text)
        found = ids_in(answer)
        assert found <= own[who], address
        seen[who] += len(found)
    assert min(seen) > 2000


def test_who_waits_too_long_is_told_to_come_back(
    readers: tuple[Reader, Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.ogc.pool._LONGEST_WAIT_S", 0.0)
    with readers[0].client() as client, ThreadPoolExecutor(AT_ONCE) as threads:
        path = f"{OGC}/stairwells/items?limit=1000"
        answers = list(threads.map(client.get, [path] * 40))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["type"] == "/problems/crowded"
            assert int(answer.headers["Retry-After"]) > 0

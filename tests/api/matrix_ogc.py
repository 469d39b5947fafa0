"""What the routes of the OGC API promise: one line a route."""

from httpx2 import Response

from tests.api.matrix import PLANNERS, STAFF
from tests.api.matrix_found import features, in_tile
from tests.api.matrix_promises import Alike, Lists, One, Promise, Rows
from tests.api.matrix_reads import (
    BUILDINGS,
    COMMUNITIES,
    COMPOUNDS,
    STAIRWELLS,
    WALKWAYS,
    told,
)
from tests.api.test_tiles import WHOLE_TOWN

KINDS = STAFF | PLANNERS
ONE = "/ogc/collections/{collectionId}"
TILES = f"{ONE}/tiles/{{tileMatrixSetId}}"
_COMPOUNDS = "/ogc/collections/compounds"
_MERCATOR = f"{_COMPOUNDS}/tiles/WebMercatorQuad"

# What a collection says of a territory is the box round it.
EXTENT = told(
    "SELECT unnest(ARRAY[ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)]) FROM"
    " (SELECT ST_Extent(geom) AS box FROM"
    " (SELECT code AS community_code, geom FROM gridsvc.community) own WHERE {own}) extent"
)


def of_every_collection(answer: Response) -> list[object]:
    boxes = {tuple(one["extent"]["spatial"]["bbox"][0]) for one in answer.json()["collections"]}
    (box,) = boxes
    return list(box)


def of_collection(answer: Response) -> list[object]:
    return list(answer.json()["extent"]["spatial"]["bbox"][0])


def of_tile_set(answer: Response) -> list[object]:
    body = answer.json()
    box = (body["tilesets"][0] if "tilesets" in body else body)["boundingBox"]
    return [*box["lowerLeft"], *box["upperRight"]]


def of_tile_json(answer: Response) -> list[object]:
    return list(answer.json()["bounds"])


def of_style(answer: Response) -> list[object]:
    return list(answer.json()["sources"]["compounds"]["bounds"])


def of_item(answer: Response) -> list[object]:
    return [answer.json()["id"]]


def items(collection: str, rows: Rows) -> tuple[str, Promise]:
    path = f"/ogc/collections/{collection}/items"
    return f"GET {ONE}/items", Lists(KINDS, rows, features, path)


def item(collection: str, rows: Rows) -> tuple[str, Promise]:
    path = f"/ogc/collections/{collection}/items/{{id}}"
    return f"GET {ONE}/items/{{itemId}}", One(KINDS, rows, of_item, path=path)


def tile(collection: str, rows: Rows) -> tuple[str, Promise]:
    z, x, y = WHOLE_TOWN
    path = f"/ogc/collections/{collection}/tiles/WebMercatorQuad/{z}/{x}/{y}"
    found = in_tile("id" if collection == "walkways" else "code")
    return f"GET {TILES}/{{z}}/{{x}}/{{y}}", Lists(KINDS, rows, found, path)


LAYERS = {
    "communities": COMMUNITIES,
    "compounds": COMPOUNDS,
    "buildings": BUILDINGS,
    "stairwells": STAIRWELLS,
    "walkways": WALKWAYS,
}
OGC: tuple[tuple[str, Promise], ...] = (
    ("GET /ogc", Alike(KINDS)),
    ("GET /ogc/", Alike(KINDS)),
    ("GET /ogc/api", Alike(KINDS)),
    ("GET /ogc/conformance", Alike(KINDS)),
    ("GET /ogc/tileMatrixSets", Alike(KINDS)),
    (
        "GET /ogc/tileMatrixSets/{tileMatrixSetId}",
        Alike(KINDS, "/ogc/tileMatrixSets/WebMercatorQuad"),
    ),
    ("GET /ogc/collections", Lists(KINDS, EXTENT, of_every_collection)),
    (f"GET {ONE}", Lists(KINDS, EXTENT, of_collection, _COMPOUNDS)),
    (f"GET {ONE}/queryables", Alike(KINDS, f"{_COMPOUNDS}/queryables")),
    *(items(collection, rows) for collection, rows in LAYERS.items()),
    *(item(collection, LAYERS[collection]) for collection in ("stairwells", "walkways")),
    (f"GET {ONE}/tiles", Lists(KINDS, EXTENT, of_tile_set, f"{_COMPOUNDS}/tiles")),
    (f"GET {TILES}", Lists(KINDS, EXTENT, of_tile_set, _MERCATOR)),
    *(tile(collection, rows) for collection, rows in LAYERS.items()),
    (
        f"GET {TILES}/tilejson.json",
        Lists(KINDS, EXTENT, of_tile_json, f"{_MERCATOR}/tilejson.json"),
    ),
    (f"GET {TILES}/style.json", Lists(KINDS, EXTENT, of_style, f"{_MERCATOR}/style.json")),
)

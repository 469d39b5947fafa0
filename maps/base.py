"""The base map: our own communities, compounds, buildings and streets, without any tile host."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import folium
from geopandas import GeoDataFrame

from maps import palette
from maps.elements import FrameLayer, GridMap, TileFrameLayer
from maps.escape import html_text
from maps.frames import AREAS, LINES, bounds_of, feature_collection, label_points, require
from maps.words import Language, say

Style = Mapping[str, object]

_COMMUNITY: Style = {
    "color": palette.COMMUNITY_EDGE,
    "weight": 1.5,
    "opacity": 0.8,
    "dashArray": "6 4",
    "fill": False,
}
_COMPOUND: Style = {
    "color": palette.COMPOUND_EDGE,
    "weight": 1,
    "fill": True,
    "fillColor": palette.PANEL,
    "fillOpacity": 1,
}
_BUILDING: Style = {
    "color": palette.BUILDING_EDGE,
    "weight": 1,
    "fill": True,
    "fillColor": palette.BUILDING_FILL,
    "fillOpacity": 1,
}
_ROAD: Style = {"color": palette.STREET, "weight": 5, "opacity": 1, "fill": False}
_LANE: Style = {**_ROAD, "weight": 3}
_PATH: Style = {**_ROAD, "color": palette.PATH, "weight": 1.5}
_WALKWAYS: Mapping[str, Style] = {
    "street": _ROAD,
    "residential": _LANE,
    "service": _PATH,
    "footpath": _PATH,
    "steps": _PATH,
}

_PATHS_FROM_ZOOM = 16
# Half steps: at zoom 13.5 Leaflet loads the tiles of zoom 14, and throws them away again where a
# layer's least zoom is 14.
_STREETS_FROM_ZOOM = 12.5
_BUILDINGS_FROM_ZOOM = 14.5


@dataclass(frozen=True)
class Ground:
    """What lies under the subject of a map, and how the page speaks.

    Attributes
    ----------
    communities
        ``code``, ``name``, ``geometry`` (areas). CRS: EPSG:4326.
    compounds
        ``code``, ``name``, ``geometry`` (areas); ``community_code`` where the search shall name
        the community. CRS: EPSG:4326.
    buildings, walkways
        Drawn from frames (``geometry``; walkways also ``kind``) where given: for small maps.
    tile_url
        Address of vector tiles with ``{layer}``, ``{z}``, ``{x}``, ``{y}``: for large maps. The
        layer inside a tile has the layer's name; each feature a ``code`` or ``id``.
    image_url, attribution
        A background of picture tiles, and whose it is. The page's policy must allow its host.
    lang
        ``zh`` or ``en``.
    """

    communities: GeoDataFrame
    compounds: GeoDataFrame
    buildings: GeoDataFrame | None = None
    walkways: GeoDataFrame | None = None
    tile_url: str = ""
    image_url: str = ""
    attribution: str = ""
    lang: Language = "zh"


def base_map(ground: Ground, *subjects: GeoDataFrame | None) -> GridMap:
    """Return a map with its ground, its first view the subjects, or the compounds, whole.

    Parameters
    ----------
    ground
        Frames under the subject, any of them perhaps empty.
    subjects
        Frames that the first view shows, in EPSG:4326; where all are empty, the compounds.

    Raises
    ------
    MissingColumnError, WrongCRSError, WrongGeometryError
        A frame cannot be drawn.
    """
    require(ground.communities, "communities", columns=("code", "name"), kinds=AREAS)
    require(ground.compounds, "compounds", columns=("code", "name"), kinds=AREAS)
    view = bounds_of(*subjects) or bounds_of(ground.compounds) or bounds_of(ground.communities)
    page = GridMap(bounds=view, lang=ground.lang, attribution=ground.attribution)
    if ground.image_url:
        _add_pictures(page, ground)
    _compounds(ground).add_to(page)
    for layer in (_walkways(ground), _buildings(ground)):
        if layer is not None:
            layer.add_to(page)
    _communities(ground).add_to(page)
    return page


def tile_layer(
    key: str, ground: Ground, drawing: Mapping[str, Any], *, name: str
) -> TileFrameLayer:
    """Return a layer of vector tiles, from the layer ``key`` of the ground's tile address."""
    url = ground.tile_url.replace("{layer}", key)
    everywhere = bounds_of(ground.communities, ground.compounds)
    return TileFrameLayer(
        name, {"key": key, "url": url, "bounds": everywhere, "clickable": False, **drawing}
    )


def _communities(ground: Ground) -> FrameLayer:
    """Return outlines with names that give way to the compounds' names near by."""
    return FrameLayer(
        say("communities", ground.lang),
        {
            "key": "communities",
            "data": feature_collection(ground.communities, ["code", "name"]),
            "pane": "outlines",
            "style": _COMMUNITY,
            "labels": _labels(ground.communities, kind="community", zooms=(11, 15), rank=2),
        },
    )


def _compounds(ground: Ground) -> FrameLayer:
    """Return areas with names; the search looks through them."""
    named = _with_community_names(ground.compounds, ground.communities)
    return FrameLayer(
        say("compounds", ground.lang),
        {
            "key": "compounds",
            "data": feature_collection(named, ["code", "name", "community_name"]),
            "pane": "ground",
            "style": _COMPOUND,
            "labels": _labels(named, kind="compound", zooms=(16, 20), rank=1),
        },
    )


def _labels(
    areas: GeoDataFrame, *, kind: str, zooms: tuple[int, int], rank: int
) -> dict[str, object]:
    """Return names to put on areas, the widest areas first: where two collide, the first stays."""
    boxes = areas.geometry.bounds
    order = (boxes["minx"] - boxes["maxx"]).to_numpy().argsort(kind="stable")
    ranked = areas.iloc[order]
    items = [
        [lat, lon, str(name)]
        for (lat, lon), name in zip(label_points(ranked), ranked["name"], strict=True)
    ]
    return {"items": items, "kind": kind, "minZoom": zooms[0], "maxZoom": zooms[1], "rank": rank}


def _with_community_names(compounds: GeoDataFrame, communities: GeoDataFrame) -> GeoDataFrame:
    """Add ``community_name``, empty where the community is not among those given."""
    if "community_code" not in compounds.columns:
        return compounds.assign(community_name="")
    names = communities.set_index("code")["name"]
    return compounds.assign(community_name=compounds["community_code"].map(names).fillna(""))


def _buildings(ground: Ground) -> FrameLayer | TileFrameLayer | None:
    """Return the buildings from their frame, else from tiles, else nothing."""
    name = say("buildings", ground.lang)
    if ground.buildings is not None:
        require(ground.buildings, "buildings", columns=(), kinds=AREAS)
        data = feature_collection(ground.buildings, [])
        return FrameLayer(
            name, {"key": "buildings", "data": data, "pane": "areas", "style": _BUILDING}
        )
    if not ground.tile_url:
        return None
    drawing = {"style": _BUILDING, "minZoom": _BUILDINGS_FROM_ZOOM, "order": 2}
    return tile_layer("buildings", ground, drawing, name=name)


def _walkways(ground: Ground) -> FrameLayer | TileFrameLayer | None:
    """Return streets and paths from their frame, else from tiles, else nothing."""
    name = say("walkways", ground.lang)
    if ground.walkways is not None:
        require(ground.walkways, "walkways", columns=("kind",), kinds=LINES)
        drawing = {
            "key": "walkways",
            "data": feature_collection(ground.walkways, ["kind"]),
            "pane": "areas",
            "by": "kind",
            "styles": _WALKWAYS,
            "smooth": 1,
        }
        return FrameLayer(name, drawing)
    if not ground.tile_url:
        return None
    drawing = {
        "style": _PATH,
        "by": "kind",
        "styles": _WALKWAYS,
        # From afar paths are a grey mesh: only what carries cars is drawn.
        "farStyles": {
            kind: None if style is _PATH else {**style, "weight": 1.5}
            for kind, style in _WALKWAYS.items()
        },
        "nearZoom": _PATHS_FROM_ZOOM,
        "minZoom": _STREETS_FROM_ZOOM,
        "order": 1,
    }
    return tile_layer("walkways", ground, drawing, name=name)


def _add_pictures(page: GridMap, ground: Ground) -> None:
    """Add a background of picture tiles, below everything."""
    folium.TileLayer(
        tiles=ground.image_url,
        attr=html_text(ground.attribution) or " ",
        name=html_text(say("background", ground.lang)),
        overlay=True,
        max_native_zoom=18,
        max_zoom=20,
        zIndex=0,
    ).add_to(page)

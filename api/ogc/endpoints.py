"""The routes of the library, with our links, our formats and what we conform to."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from morecantile import tms as matrix_sets
from morecantile.defaults import TileMatrixSets
from tipg import collections as library_collections
from tipg import factory, model
from tipg.collections import Collection
from tipg.resources.enums import MediaType
from tipg.resources.response import ORJSONResponse

from api.deps import get_settings
from api.ogc.catalogue import find_collection, list_collections
from gridsvc.territory.tiles import TILE_EXTENT, TILE_MARGIN

PREFIX = "/ogc"
DEFAULT_LIMIT, MOST_ITEMS, MOST_IN_TILE = 1000, 10_000, 50_000
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_MATRIX_SET = "WebMercatorQuad"


def base_url(request: Request) -> str:
    """Return the address before ``/ogc``: the public one where set, else as the client wrote it."""
    public_url = get_settings(request).public_url
    if public_url is None:
        return str(request.base_url).rstrip("/")
    return public_url + str(request.scope.get("root_path", "")).rstrip("/")


class OwnLinks(factory.EndpointsFactory):
    """Links to where people reach the service; the library would look for its routes each time."""

    def url_for(self, request: Request, name: str, **path_params: Any) -> str:
        """Return the address of a route; braces stay, for templates."""
        path = next(route.path for route in self.router.routes if route.name == name)  # type: ignore[attr-defined]
        for parameter, value in path_params.items():
            path = path.replace(f"{{{parameter}}}", quote(str(value), safe="{}"))
        return f"{base_url(request)}{self.router_prefix}{path}"


class Features(OwnLinks, factory.OGCFeaturesFactory):
    """OGC API Features."""

    @property
    def conforms_to(self) -> list[str]:
        """What is kept; there are no pages."""
        return [kind for kind in super().conforms_to if not kind.endswith("/html")] + [
            f"http://www.opengis.net/spec/cql2/1.0/conf/{kind}"
            for kind in ("cql2-text", "cql2-json", "basic-cql2", "basic-spatial-functions")
        ]

    def _additional_collection_tiles_links(
        self, request: Request, collection: Collection
    ) -> list[model.Link]:
        tiles = f"{self.url_for(request, 'collection', collectionId=collection.id)}/tiles"
        return [
            model.Link(
                rel="http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector",
                title="Vector tiles",
                type=MediaType.json,
                href=tiles,
            )
        ]


class Tiles(OwnLinks, factory.OGCTilesFactory):
    """OGC API Tiles."""


@dataclass
class Endpoints(OwnLinks, factory.Endpoints):
    """Landing page, conformance, features and tiles."""

    def register_routes(self) -> None:
        """Make the routes of features and tiles, without pages of their own."""
        self.ogc_features = Features(
            collections_dependency=list_collections,
            collection_dependency=find_collection,
            router_prefix=self.router_prefix,
            with_common=False,
        )
        self.ogc_tiles = Tiles(
            collection_dependency=find_collection,
            supported_tms=self.supported_tms,
            with_viewer=False,
            router_prefix=self.router_prefix,
            with_common=False,
        )
        self.router.include_router(self.ogc_features.router)
        self.router.include_router(self.ogc_tiles.router)

    def _landing_route(self) -> None:
        self.router.add_api_route("", self._landing, name="entrance", response_model=model.Landing)
        self.router.add_api_route("/", self._landing, name="landing", response_model=model.Landing)

    def _conformance_route(self) -> None:
        self.router.add_api_route(
            "/conformance", self._conformance, name="conformance", response_model=model.Conformance
        )

    def _landing(self, request: Request) -> Response:
        """Return where everything else is."""
        kinds = (
            ("landing", "self", "This document", MediaType.json.value),
            ("api", "service-desc", "The API definition", OPENAPI),
            ("conformance", "conformance", "What it conforms to", MediaType.json.value),
        )
        links = [
            {"href": self._address(request, name), "rel": rel, "title": title, "type": kind}
            for name, rel, title, kind in kinds
        ]
        others = [link.model_dump(exclude_none=True, mode="json") for link in self.links(request)]
        return ORJSONResponse({"title": self.title, "links": [*links, *others]})

    def _conformance(self) -> Response:
        """Return which parts of the standards are kept."""
        common = [kind for kind in factory.COMMON_CONFORMS if not kind.endswith("/html")]
        return ORJSONResponse({"conformsTo": [*common, *self.conforms_to]})

    def _address(self, request: Request, name: str) -> str:
        path = {"landing": "/", "api": "/api", "conformance": "/conformance"}[name]
        return f"{base_url(request)}{self.router_prefix}{path}"


def make_endpoints(router: APIRouter) -> Endpoints:
    """Make the library's routes on a router.

    Its settings come from the environment, for whoever runs it alone; here they are ours. They are
    read where routes are made, so they are set before.
    """
    for settings in (factory.features_settings, library_collections.features_settings):
        settings.default_features_limit = DEFAULT_LIMIT
        settings.max_features_per_query = MOST_ITEMS
    for tile_settings in (factory.mvt_settings, library_collections.mvt_settings):
        tile_settings.set_mvt_layername = True
        tile_settings.max_features_per_tile = MOST_IN_TILE
        tile_settings.tile_resolution = TILE_EXTENT
        tile_settings.tile_buffer = round(TILE_MARGIN * TILE_EXTENT)
        tile_settings.tile_clip = True
    return Endpoints(
        router=router,
        title="gridsvc",
        router_prefix=PREFIX,
        supported_tms=TileMatrixSets({_MATRIX_SET: matrix_sets.get(_MATRIX_SET)}),
        with_tiles_viewer=False,
    )

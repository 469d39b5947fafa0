"""The scripts and styles that pages load, each served by ourselves under one base path.

Script hosts abroad are blocked or slow for the users, so folium's own addresses are replaced
(`localize`), and a page that still names another host is refused (`refuse_outside_links`).
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import folium
import folium.plugins
from folium.elements import JSCSSMixin

from maps.errors import MissingAssetError, OutsideLinkError

_HERE = Path(__file__).parent
_PACKAGES = _HERE / "assets" / "node_modules"
_OWN = _HERE / "static"
_OWN_FOLDER = "gridsvc"

# Public path under the base → file under node_modules. Styles keep their pictures beside them.
FILES: dict[str, str] = {
    "leaflet/leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet/leaflet.css": "leaflet/dist/leaflet.css",
    **{
        f"leaflet/images/{name}": f"leaflet/dist/images/{name}"
        for name in (
            "layers.png",
            "layers-2x.png",
            "marker-icon.png",
            "marker-icon-2x.png",
            "marker-shadow.png",
        )
    },
    "leaflet.heat/leaflet-heat.js": "leaflet.heat/dist/leaflet-heat.js",
    "leaflet.vectorgrid/vectorgrid.js": (
        "leaflet.vectorgrid/dist/Leaflet.VectorGrid.bundled.min.js"
    ),
    "leaflet.markercluster/markercluster.js": (
        "leaflet.markercluster/dist/leaflet.markercluster.js"
    ),
    "leaflet.markercluster/MarkerCluster.css": "leaflet.markercluster/dist/MarkerCluster.css",
    "leaflet.markercluster/MarkerCluster.Default.css": (
        "leaflet.markercluster/dist/MarkerCluster.Default.css"
    ),
    "leaflet.subgroup/subgroup.js": (
        "leaflet.featuregroup.subgroup/dist/leaflet.featuregroup.subgroup.js"
    ),
    "leaflet.fullscreen/fullscreen.js": "leaflet.fullscreen/Control.FullScreen.js",
    "leaflet.fullscreen/fullscreen.css": "leaflet.fullscreen/Control.FullScreen.css",
    "leaflet.fullscreen/icon-fullscreen.svg": "leaflet.fullscreen/icon-fullscreen.svg",
    "leaflet.antpath/antpath.js": "leaflet-ant-path/dist/leaflet-ant-path.js",
    "leaflet.textpath/textpath.js": "leaflet-textpath/leaflet.textpath.js",
    "leaflet.search/dist/search.js": "leaflet-search/dist/leaflet-search.min.js",
    "leaflet.search/dist/search.css": "leaflet-search/dist/leaflet-search.min.css",
    "leaflet.search/images/loader.gif": "leaflet-search/images/loader.gif",
    "leaflet.search/images/search-icon.png": "leaflet-search/images/search-icon.png",
    "awesome-markers/awesome-markers.js": (
        "leaflet.awesome-markers/dist/leaflet.awesome-markers.min.js"
    ),
    "awesome-markers/awesome-markers.css": (
        "leaflet.awesome-markers/dist/leaflet.awesome-markers.css"
    ),
    **{
        f"awesome-markers/images/{name}": f"leaflet.awesome-markers/dist/images/{name}"
        for name in (
            "markers-soft.png",
            "markers-soft@2x.png",
            "markers-shadow.png",
            "markers-shadow@2x.png",
        )
    },
    "beautify/beautify.js": "beautifymarker/leaflet-beautify-marker-icon.js",
    "beautify/beautify.css": "beautifymarker/leaflet-beautify-marker-icon.css",
    "fontawesome/css/all.min.css": "@fortawesome/fontawesome-free/css/all.min.css",
    **{
        f"fontawesome/webfonts/{name}": f"@fortawesome/fontawesome-free/webfonts/{name}"
        for name in (
            "fa-brands-400.woff2",
            "fa-brands-400.ttf",
            "fa-regular-400.woff2",
            "fa-regular-400.ttf",
            "fa-solid-900.woff2",
            "fa-solid-900.ttf",
            "fa-v4compatibility.woff2",
            "fa-v4compatibility.ttf",
        )
    },
    "jquery/jquery.min.js": "jquery/dist/jquery.min.js",
    "bootstrap/bootstrap.bundle.min.js": "bootstrap/dist/js/bootstrap.bundle.min.js",
    "bootstrap/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "d3/d3.min.js": "d3/d3.min.js",
    "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
}

# folium's name of a script or style → our public path.
_BY_NAME: dict[str, str] = {
    "leaflet": "leaflet/leaflet.js",
    "leaflet_css": "leaflet/leaflet.css",
    "leaflet-heat.js": "leaflet.heat/leaflet-heat.js",
    "vectorGrid": "leaflet.vectorgrid/vectorgrid.js",
    "markerclusterjs": "leaflet.markercluster/markercluster.js",
    "markerclustercss": "leaflet.markercluster/MarkerCluster.css",
    "markerclusterdefaultcss": "leaflet.markercluster/MarkerCluster.Default.css",
    "featuregroupsubgroupjs": "leaflet.subgroup/subgroup.js",
    "Control.Fullscreen.js": "leaflet.fullscreen/fullscreen.js",
    "Control.FullScreen.css": "leaflet.fullscreen/fullscreen.css",
    "antpath": "leaflet.antpath/antpath.js",
    "polylinetextpath": "leaflet.textpath/textpath.js",
    "Leaflet.Search.js": "leaflet.search/dist/search.js",
    "Leaflet.Search.css": "leaflet.search/dist/search.css",
    "awesome_markers": "awesome-markers/awesome-markers.js",
    "awesome_markers_css": "awesome-markers/awesome-markers.css",
    "awesome_markers_font_css": "fontawesome/css/all.min.css",
    # Two styles of Bootstrap 3 days that nothing here uses.
    "awesome_rotate_css": f"{_OWN_FOLDER}/empty.css",
    "glyphicons_css": f"{_OWN_FOLDER}/empty.css",
    "beautify_icon_js": "beautify/beautify.js",
    "beautify_icon_css": "beautify/beautify.css",
    "jquery": "jquery/jquery.min.js",
    "jquery3.7.1": "jquery/jquery.min.js",
    "bootstrap": "bootstrap/bootstrap.bundle.min.js",
    "bootstrap_css": "bootstrap/bootstrap.min.css",
    "d3": "d3/d3.min.js",
}

# BoatMarker calls its script "markerclusterjs" too.
_MISNAMED = "boatmarker"

_LOADED_FROM_OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)""", re.I)


def asset_files() -> dict[str, Path]:
    """Return every file to serve: path below the base (``leaflet/leaflet.js``) → file.

    Raises
    ------
    MissingAssetError
        A file is not installed.
    """
    files = {public: _PACKAGES / inside for public, inside in FILES.items()}
    files |= {f"{_OWN_FOLDER}/{path.name}": path for path in sorted(_OWN.iterdir())}
    for public, path in files.items():
        if not path.is_file():
            raise MissingAssetError(public, path)
    return files


def localize(base: str = "/assets/") -> None:
    """Make folium, and the maps of this package, load what they need from our own host.

    Called once at start-up; a second call with the same base changes nothing. It is for the whole
    process: folium keeps the addresses on its classes. Each class gets a new list, since folium's
    subclasses share theirs.

    Parameters
    ----------
    base
        Path under which `asset_files` are served, with a slash at both ends.
    """
    for module in pkgutil.iter_modules(folium.plugins.__path__):
        importlib.import_module(f"folium.plugins.{module.name}")
    for element in set(_subclasses(JSCSSMixin)):
        for attribute in ("default_js", "default_css"):
            links = vars(element).get(attribute)
            if links is not None:
                setattr(element, attribute, [(name, _ours(name, url, base)) for name, url in links])


def refuse_outside_links(html: str) -> None:
    """Check that a rendered page loads nothing from another host.

    Raises
    ------
    OutsideLinkError
        The page has a src or href with a host.
    """
    links = _LOADED_FROM_OUTSIDE.findall(html)
    if links:
        raise OutsideLinkError(sorted(set(links)))


def _ours(name: str, url: str, base: str) -> str:
    """Return the address that we serve for one of folium's, or folium's where we serve none."""
    if name.startswith(f"{_OWN_FOLDER}/"):
        return base + name
    if name in _BY_NAME and _MISNAMED not in url:
        return base + _BY_NAME[name]
    return url


def _subclasses(element: type[object]) -> Iterator[type[object]]:
    """Yield all subclasses, also the distant ones."""
    for subclass in element.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)

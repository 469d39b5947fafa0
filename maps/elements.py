"""The folium elements that our maps are made of; static/*.js draws them.

Each hands the page one JSON value, so that no text of a user is ever part of a script or of
markup. folium's own GeoJson and Popup put names into templates and into innerHTML.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import folium
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.map import Layer
from folium.plugins import HeatMap, VectorGridProtobuf
from folium.template import Template

from maps.escape import html_text, script_json
from maps.words import Language, script_words

_BASE = "/assets/"


def _link(name: str, public_path: str) -> list[tuple[str, str]]:
    """Return a link in folium's form: a name that occurs once a page, and the address."""
    return [(name, _BASE + public_path)]


def _own(*names: str) -> list[tuple[str, str]]:
    """Return links to our own files, in folium's form."""
    return [(f"gridsvc/{name}", f"{_BASE}gridsvc/{name}") for name in names]


class GridMap(folium.Map):
    """A Leaflet map without folium's jQuery, Bootstrap and icon fonts: ours needs only Leaflet.

    Leaflet's scale, its buttons' words and the page's ``window.gridsvc`` are set up by core.js.
    """

    _template = Template(
        """
        {% macro html(this, kwargs) %}
        <div class="folium-map gridsvc-map" id="{{ this.get_name() }}"></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = gridsvc.start(
            "{{ this.get_name() }}", {{ this.options|tojavascript }}, {{ this.start_json }});
        {% endmacro %}
        """
    )

    default_js = _link("leaflet", "leaflet/leaflet.js") + _own(
        "core.js", "icons.js", "arrows.js", "frames.js", "labels.js", "panels.js"
    )
    default_css = _link("leaflet_css", "leaflet/leaflet.css") + _own("map.css")

    def __init__(
        self, *, bounds: Sequence[Sequence[float]] | None, lang: Language, attribution: str
    ) -> None:
        # maxZoom goes to L.map itself: with tiles=None folium drops its own max_zoom, and a
        # plugin that asks for it then stops the whole script.
        super().__init__(
            location=None,
            tiles=None,
            prefer_canvas=True,
            zoom_control=False,
            maxZoom=20,
            minZoom=3,
            # Half steps: a whole step often leaves half of a phone's screen empty.
            zoomSnap=0.5,
        )
        self.start_json = script_json(
            {
                "bounds": bounds,
                "words": script_words(lang),
                "attribution": html_text(attribution),
            }
        )


class FrameLayer(Layer):
    """Rows of a frame, drawn by frames.js; ``drawing`` says how."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = gridsvc.{{ this.maker }}({{ this.drawing_json }});
        {% endmacro %}
        """
    )

    def __init__(
        self,
        name: str,
        drawing: Mapping[str, Any],
        *,
        maker: str = "frame",
        control: bool = True,
        show: bool = True,
        swatch: str = "",
    ) -> None:
        # Leaflet's layer control takes names as markup.
        super().__init__(name=swatch + html_text(name), overlay=True, control=control, show=show)
        self._name = "FrameLayer"
        self.maker = maker
        self.drawing_json = script_json(drawing)


class ScriptedLayer(JSCSSMixin, FrameLayer):
    """A layer whose maker is in a script of its own."""


class RouteLayer(ScriptedLayer):
    """One team's route, drawn by routes.js."""

    default_js = _own("routes.js")


class TileFrameLayer(VectorGridProtobuf):
    """A layer of vector tiles of ours, drawn by tiles.js in place of VectorGrid's own renderer."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = gridsvc.tiles({{ this.drawing_json }});
        {% endmacro %}
        """
    )

    default_js = _link("vectorGrid", "leaflet.vectorgrid/vectorgrid.js") + _own("tiles.js")

    def __init__(
        self, name: str, drawing: Mapping[str, Any], *, control: bool = True, show: bool = True
    ) -> None:
        super().__init__(
            url=drawing["url"], name=html_text(name), control=control, show=show, overlay=True
        )
        self.drawing_json = script_json(drawing)


class HeatSurface(HeatMap):
    """folium's HeatMap, its reach following the size of the cells (heat.js)."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = gridsvc.heat(
            {{ this.data|tojson }}, {{ this.options|tojavascript }});
        {% endmacro %}
        """
    )

    default_js = _link("leaflet-heat.js", "leaflet.heat/leaflet-heat.js") + _own("heat.js")


class Panel(MacroElement):
    """A control of panels.js on the map: headline, search or legend."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        gridsvc.{{ this.maker }}({{ this._parent.get_name() }}, {{ this.content_json }});
        {% endmacro %}
        """
    )

    def __init__(self, maker: str, content: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca annotates no __init__ here
        self._name = "Panel"
        self.maker = maker
        self.content_json = script_json(content)


class Counted(MacroElement):
    """Counts what one of folium's own layers shows, as our layers do themselves."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        gridsvc.count({{ this._parent.get_name() }}, {{ this.key_json }}, {{ this.number }});
        {% endmacro %}
        """
    )

    def __init__(self, key: str, number: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as in Panel
        self._name = "Counted"
        self.key_json = script_json(key)
        self.number = number

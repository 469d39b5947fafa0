"""A folium map as the parts of a page, under a Content-Security-Policy with a nonce."""

import re
from dataclasses import dataclass

import folium
from folium.utilities import get_and_assert_figure_root

from maps.assets import refuse_outside_links
from maps.escape import html_text
from maps.words import HTML_LANGUAGE, Language

# Only inline scripts: a nonce on one with a src would permit it from any host.
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc\s*=)(?=[\s>])", re.I)
_STYLE = re.compile(r"<style(?=[\s>])", re.I)
# A page that embeds the map has its own, and this one would forbid readers to zoom.
_VIEWPORT = re.compile(r"<meta name=\"viewport\"[^>]*>\s*", re.I)
_CHARSET = re.compile(r"<meta http-equiv=\"content-type\"[^>]*>\s*", re.I)
_NONCE = re.compile(r"[A-Za-z0-9+/_=-]+")


@dataclass(frozen=True)
class MapParts:
    """What a page template puts in place, as HTML.

    Attributes
    ----------
    header
        Links and styles, for the head.
    body
        The map's element: it fills the element round it, which must have a height.
    script
        One script element, to stand after ``body``.
    """

    header: str
    body: str
    script: str


def parts(page: folium.Map, *, nonce: str) -> MapParts:
    """Render a map as the three parts of a page.

    Parameters
    ----------
    page
        The map, its layers added; made for this answer (folium adds to a map by rendering it).
    nonce
        The nonce of this answer's Content-Security-Policy: base64, new for each answer.

    Raises
    ------
    OutsideLinkError
        A part would load something from another host.
    ValueError
        The nonce is not base64.
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError("A nonce is base64 text.")
    figure = get_and_assert_figure_root(page)
    figure.render()
    header = _CHARSET.sub("", _VIEWPORT.sub("", figure.header.render()))
    made = MapParts(
        header=_with_nonce(header, nonce).strip(),
        body=_with_nonce(figure.html.render(), nonce).strip(),
        script=f'<script nonce="{nonce}">\n{figure.script.render().strip()}\n</script>',
    )
    for part in (made.header, made.body, made.script):
        refuse_outside_links(part)
    return made


def document(made: MapParts, *, title: str, lang: Language = "zh") -> str:
    """Return a page that is the map and nothing else.

    Parameters
    ----------
    made
        The parts, from `parts`.
    title
        The page's title, as plain text.
    lang
        Language of the title.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="{HTML_LANGUAGE[lang]}" class="gridsvc-document">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An empty icon: browsers would ask for /favicon.ico otherwise.
        '<link rel="icon" href="data:,">\n'
        f"<title>{html_text(title)}</title>\n{made.header}\n</head>\n<body>\n"
        f"{made.body}\n{made.script}\n</body>\n</html>\n"
    )


def _with_nonce(html: str, nonce: str) -> str:
    """Add the nonce to inline scripts and to styles."""
    marked = _INLINE_SCRIPT.sub(f'<script nonce="{nonce}"', html)
    return _STYLE.sub(f'<style nonce="{nonce}"', marked)

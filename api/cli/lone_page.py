"""A map as one file that opens without any server: scripts, styles and pictures are in it."""

import base64
import mimetypes
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from maps.assets import asset_files
from maps.page import MapParts, document
from maps.words import Language

_BASE = "/assets/"
_SCRIPT = re.compile(rf'<script src="{_BASE}([^"]+)"></script>')
_STYLE = re.compile(rf'<link rel="stylesheet" href="{_BASE}([^"]+)"\s*/?>')
_PICTURE = re.compile(r"""url\(\s*["']?(?!data:|#)([^"')]+)["']?\s*\)""")
# Whoever opens the file is asked by no host for anything.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
    " script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)


def lone_page(made: MapParts, *, title: str, lang: Language = "zh") -> str:
    """Return a page that is a map and nothing else, and loads nothing.

    Parameters
    ----------
    made
        The parts of a map whose assets were localised to ``/assets/``.
    title, lang
        As for `maps.page.document`.
    """
    files = asset_files()
    header = _SCRIPT.sub(lambda link: _script(files[link[1]]), made.header)
    header = _STYLE.sub(lambda link: _style(link[1], files), header)
    whole = MapParts(f"{_POLICY}\n{header}", made.body, made.script)
    return document(whole, title=title, lang=lang)


def _script(path: Path) -> str:
    text = path.read_text(encoding="utf-8").replace("</script", "<\\/script")
    return f"<script>\n{text}\n</script>"


def _style(name: str, files: Mapping[str, Path]) -> str:
    folder = posixpath.dirname(name)

    def inside(link: re.Match[str]) -> str:
        path = files.get(posixpath.normpath(posixpath.join(folder, link[1].partition("?")[0])))
        if path is None:
            return link[0]
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return f"url(data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()})"

    text = files[name].read_text(encoding="utf-8").replace("</style", "<\\/style")
    return f"<style>\n{_PICTURE.sub(inside, text)}\n</style>"

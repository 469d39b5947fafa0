"""From a template and its content to a PDF or to pictures of its pages.

Content reaches a template as JSON, as a value and never as source: whatever people have typed is
text there. A picture travels in it as SVG text, which may hold raster images as ``data:`` links.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

import orjson
import typst

from api.printing.fonts import FAMILY, load_fonts
from maps import palette

Paper = Literal["A4", "A5"]
Content = Mapping[str, object]

_TEMPLATES = Path(__file__).with_name("templates")
_REMEMBERED = 10
_COLOURS = {
    "ink": palette.INK,
    "secondary": palette.SECONDARY,
    "line": palette.LINE,
    "paper": palette.PAPER,
    "panel": palette.PANEL,
    "accent": palette.ACCENT,
}


def compile_pdf(template: str, content: Content, *, issued_on: date) -> bytes:
    """Set a document as PDF; the same input gives the same bytes on every machine.

    Parameters
    ----------
    template
        Name of a file in ``templates``, without its ending.
    content
        What the template reads as ``given``; JSON. ``house.typ`` needs ``paper`` and
        ``language``; fonts and colours are added here.
    issued_on
        Date that the file says it was made on: a clock would make each file another one.

    Raises
    ------
    maps.errors.MissingAssetError
        The fonts are not installed.
    typst.TypstError
        The template and the content do not fit together: a fault of ours.
    """
    made_at = datetime.combine(issued_on, time(), UTC)
    with _forgetting():
        return typst.compile(
            _TEMPLATES / f"{template}.typ",
            format="pdf",
            root=_TEMPLATES,
            font_paths=load_fonts(),
            ignore_system_fonts=True,
            sys_inputs=_inputs(content),
            timestamp=made_at,
        )


def compile_png(template: str, content: Content, *, dots_per_inch: float) -> list[bytes]:
    """Draw the pages of a document as PNG pictures, first page first.

    Parameters
    ----------
    template, content
        As in `compile_pdf`.
    dots_per_inch
        Pixels an inch of paper.

    Raises
    ------
    maps.errors.MissingAssetError
        The fonts are not installed.
    typst.TypstError
        The template and the content do not fit together: a fault of ours.
    """
    with _forgetting():
        compiler = typst.Compiler(
            _TEMPLATES / f"{template}.typ",
            root=_TEMPLATES,
            font_paths=load_fonts(),
            ignore_system_fonts=True,
            sys_inputs=_inputs(content),
        )
        made = compiler.compile(format="png", ppi=dots_per_inch)
    pages = made if isinstance(made, list) else [made]
    return [page for page in pages if page is not None]


def _inputs(content: Content) -> dict[str, str]:
    """Return what the templates find in ``sys.inputs``."""
    house = {"font": FAMILY, "colours": _COLOURS}
    return {"content": orjson.dumps({**content, **house}).decode()}


@contextmanager
def _forgetting() -> Iterator[None]:
    """Drop what typst remembers of a document: 1.4 MB a page, names and phones among it.

    typst keeps the work of the last ten documents for the sake of editors, and has no call to
    drop it; ten empty ones do.
    """
    try:
        yield
    finally:
        for _ in range(_REMEMBERED + 1):
            typst.compile(b"", format="svg", font_paths=load_fonts(), ignore_system_fonts=True)

"""QR codes as SVG inside the page."""

import segno
from markupsafe import Markup

_PX_PER_MODULE = 5


def qr_of(text: str) -> Markup:
    """Return the QR code of a text: black on white, with the quiet zone that readers need.

    References
    ----------
    .. [1] ISO/IEC 18004:2015, 9.1: a quiet zone of four modules.
    """
    made = segno.make(text, error="m", micro=False)
    # The text itself is drawn, not written: there is nothing to escape.
    svg = made.svg_inline(scale=_PX_PER_MODULE, border=4, light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704

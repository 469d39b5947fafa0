"""QR codes to print, for the function ``qr`` of the templates."""

from io import BytesIO

import segno

_MASK = 3


def draw_qr(text: str) -> dict[str, object]:
    """Return the QR code of a text, readable with a quarter of it damaged.

    Returns
    -------
    dict
        ``svg``, the drawing without a border: the template leaves the quiet zone of four
        modules; ``modules``, those along a side.

    References
    ----------
    .. [1] ISO/IEC 18004:2015, 7.8 (eight masks; a reader knows each by its number) and 9.1.
    """
    # Trying all masks takes 6 ms a code: three quarters of a minute for a sub-district.
    code = segno.make_qr(text, error="q", mask=_MASK, boost_error=False)
    drawn = BytesIO()
    code.save(drawn, kind="svg", border=0, omitsize=True, xmldecl=False)
    return {"svg": drawn.getvalue().decode(), "modules": code.symbol_size(border=0)[0]}

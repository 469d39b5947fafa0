"""Chinese phone numbers as people write them."""

import re
import unicodedata

_BETWEEN = re.compile(r"[\s\-‐-―()（）.]+")
_PHONE = re.compile(r"1[3-9]\d{9}|0[1-9]\d{8,10}")
"""A mobile number of eleven digits, or a landline with its area code; YD/T 1031 numbering plan."""


def normalised_phone(text: str) -> str | None:
    """Return a phone as digits, without the country's code; None: it is no Chinese number.

    Examples
    --------
    >>> normalised_phone("+86 138-0000-1234"), normalised_phone("０７５７－8123 4567")
    ('13800001234', '075781234567')
    >>> normalised_phone("1380000123") is None
    True
    """
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    if digits.startswith(("+86", "0086")):
        digits = digits.removeprefix("+86").removeprefix("0086")
    return digits if _PHONE.fullmatch(digits) and digits.isascii() else None

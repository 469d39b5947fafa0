"""Phones as they are shown."""


def mask(phone: str) -> str:
    """Return a phone with all but its first three and last four digits hidden.

    Examples
    --------
    >>> mask("13800001234")
    '138****1234'
    >>> mask("12345")
    '****'
    """
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > len("138" + "1234") else "****"

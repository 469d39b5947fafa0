"""Words that people send: how long they may be, and which characters are none."""

import unicodedata

from gridsvc.errors import InvalidTextError

_LAYOUT = "\n\t"


def checked_text(text: str, *, what: str, at_most: int) -> str:
    r"""Return a text without spaces around it, its line ends as ``\n``.

    Parameters
    ----------
    what
        What the text is, for the error.
    at_most
        Characters.

    Raises
    ------
    InvalidTextError
        It is longer, or holds control characters or halves of a surrogate pair.

    Examples
    --------
    >>> checked_text(" 灯坏了 💡\r\n", what="note", at_most=10)
    '灯坏了 💡'
    """
    if len(text) > at_most:
        raise InvalidTextError(what, f"{len(text)} characters, but {at_most} at most")
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    for letter in plain:
        if letter not in _LAYOUT and unicodedata.category(letter) in ("Cc", "Cs"):
            raise InvalidTextError(what, f"a control character (U+{ord(letter):04X}): leave it out")
    return plain

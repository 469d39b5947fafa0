"""What people write, without what no reader should get."""

import re
import unicodedata

_KEPT = {"\n", "\t"}
# They turn the order of what follows about, on pages and in messages.
_BIDI = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_EMPTY_LINES = re.compile(r"\n[ \t]*(\n[ \t]*)+")
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){6,}")
_EMAIL = re.compile(
    r"[^@\s<>\"',;:()\[\]\\]+@[^@\s.<>\"',;:()\[\]\\]+(\.[^@\s.<>\"',;:()\[\]\\]+)+"
)
_LONGEST_EMAIL = 254


def plain_words(text: str) -> str:
    r"""Return words without control characters, halves of letters, and marks that turn lines.

    Emoji stay whole; line ends are ``\n``, and no two lines in a row are empty.

    Examples
    --------
    >>> plain_words(" 电梯停了\x00\x1b[31m\r\n\r\n\r\n三楼 🛗\u202e ")
    '电梯停了[31m\n\n三楼 🛗'
    """
    unified = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(
        letter
        for letter in unified
        if letter in _KEPT
        or (unicodedata.category(letter) not in {"Cc", "Cs"} and letter not in _BIDI)
    )
    return _EMPTY_LINES.sub("\n\n", kept).strip()


def public_words(text: str) -> str:
    """Return words as strangers may read them: phones, numbers of papers and addresses hidden.

    Examples
    --------
    >>> public_words("请打 138 1234-5678 或 a.b@example.com, 3 栋 1202")
    '请打 *** 或 ***, 3 栋 1202'
    """
    return _LONG_NUMBER.sub("***", _EMAIL.sub("***", text))


def is_email(text: str) -> bool:
    """Tell whether something looks like an address that mail can be sent to.

    Examples
    --------
    >>> [is_email(one) for one in ("a@example.com", "a@b", "a b@example.com", "a@b.cn,c@d.cn")]
    [True, False, False, False]
    """
    return len(text) <= _LONGEST_EMAIL and text.isprintable() and bool(_EMAIL.fullmatch(text))

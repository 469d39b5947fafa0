"""Random secrets that programs carry, and codes that people type."""

import hashlib
import secrets

_TOKEN_BYTES = 32
# Crockford's base 32: no letter is taken for a digit, none spells a word by accident.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LETTERS = 16
_READ_AS = str.maketrans("OIL", "011", "- ")


def new_token() -> str:
    """Return a token of 256 random bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def new_code() -> str:
    """Return a code of 80 random bits, to be printed and typed: ``7QK2-M0XA-…``.

    References
    ----------
    .. [1] D. Crockford, Base 32, https://www.crockford.com/base32.html
    """
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_LETTERS, 4))


def plain_code(typed: str) -> str:
    """Return a code as it was meant, however it was typed.

    Examples
    --------
    >>> plain_code(" 7qk2 mOxa-1l23-zzzz")
    '7QK2M0XA1123ZZZZ'
    """
    return typed.strip().upper().translate(_READ_AS)


def hashed(secret: str) -> bytes:
    """Return the SHA-256 of a random secret; a slow hash is for secrets that people choose."""
    return hashlib.sha256(secret.encode()).digest()


def hashed_code(typed: str) -> bytes:
    """Return the hash of a code as `new_code` makes it, however it was typed."""
    return hashed(plain_code(typed))

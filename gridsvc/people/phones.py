"""Phones: encrypted where they are stored, masked where they are shown."""

from cryptography.fernet import Fernet


def new_key() -> str:
    """Return a fresh key: 32 random bytes, URL-safe base64, 44 characters."""
    return Fernet.generate_key().decode()


def encrypt(phone: str, *, key: str) -> bytes:
    """Return a phone encrypted and authenticated (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return Fernet(key).encrypt(phone.encode())


def decrypt(cipher: bytes, *, key: str) -> str:
    """Return the phone that `encrypt` hid."""
    return Fernet(key).decrypt(cipher).decode()


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

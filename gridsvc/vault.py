"""What is stored encrypted: phones, and the secrets of second factors.

References
----------
.. [1] Fernet specification (AES-128-CBC with HMAC-SHA256),
   https://github.com/fernet/spec/blob/master/Spec.md
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from gridsvc.errors import WrongDataKeyError


def new_key() -> str:
    """Return a fresh key: 32 random bytes, URL-safe base64, 44 characters."""
    return Fernet.generate_key().decode()


class Vault:
    """Encrypts with the newest key, and decrypts with any.

    Parameters
    ----------
    keys
        At least one, newest first; each as `new_key` makes it.

    Raises
    ------
    WrongDataKeyError
        A key is none.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys])
        except ValueError as error:
            raise WrongDataKeyError from error

    @classmethod
    def of(cls, text: str) -> "Vault":
        """Return the vault of a setting: keys parted by commas, newest first."""
        return cls(text.split(","))

    def encrypt(self, secret: str) -> bytes:
        """Return a secret encrypted and authenticated."""
        return self._fernet.encrypt(secret.encode())

    def decrypt(self, cipher: bytes) -> str:
        """Return what `encrypt` hid.

        Raises
        ------
        WrongDataKeyError
            None of the keys fits, or the cipher was changed.
        """
        try:
            return self._fernet.decrypt(cipher).decode()
        except InvalidToken as error:
            raise WrongDataKeyError from error

    def rotate(self, cipher: bytes) -> bytes:
        """Return a cipher of any of the keys as one of the newest.

        Raises
        ------
        WrongDataKeyError
            None of the keys fits.
        """
        try:
            return self._fernet.rotate(cipher)
        except InvalidToken as error:
            raise WrongDataKeyError from error

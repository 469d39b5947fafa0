"""One-time codes of an authenticator.

References
----------
.. [1] RFC 6238, TOTP: Time-Based One-Time Password Algorithm, section 5.2: a code is good once.
"""

from datetime import datetime

import pyotp

ISSUER = "gridsvc"
_STEP_S = 30
_DRIFT_STEPS = 1


def new_secret() -> str:
    """Return a fresh secret: 160 random bits, base 32."""
    return pyotp.random_base32()


def address(secret: str, *, login: str) -> str:
    """Return the ``otpauth://`` address that authenticators read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def find_step(secret: str, code: str, *, now: datetime, last_step: int | None = None) -> int | None:
    """Return the time step that a code is of; none where it is wrong or was used.

    Parameters
    ----------
    now
        Aware.
    last_step
        Step of the last code that was good: it and those before are used up.
    """
    totp = pyotp.TOTP(secret)
    present = int(now.timestamp()) // _STEP_S
    for step in range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1):
        is_new = last_step is None or step > last_step
        if is_new and pyotp.utils.strings_equal(totp.generate_otp(step), code.strip()):
            return step
    return None

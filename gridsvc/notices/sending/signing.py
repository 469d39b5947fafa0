r"""Signatures that show a receiver who sent what.

References
----------
.. [1] Standard Webhooks 1.0.0, "Symmetric signatures",
   https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
.. [2] DingTalk, custom robots, 加签: key = secret, text = ``timestamp\nsecret``, milliseconds,
   https://open.dingtalk.com/document/orgapp/customize-robot-security-settings
.. [3] Feishu, custom bots, 签名校验: key = ``timestamp\nsecret``, empty text, seconds,
   https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

import base64
import binascii
import hmac
import secrets

PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64


def new_webhook_secret() -> str:
    """Return a fresh secret of a webhook: 32 random bytes in base64, after ``whsec_``."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def webhook_key(secret: str) -> bytes:
    """Return the key of a webhook's secret.

    Raises
    ------
    ValueError
        It is not ``whsec_`` with 24 to 64 bytes in base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not (secret.startswith(PREFIX) and _LEAST_BYTES <= len(key) <= _MOST_BYTES):
        raise ValueError(f"it is not {PREFIX} and {_LEAST_BYTES} to {_MOST_BYTES} bytes in base64")
    return key


def sign_webhook(secret: str, *, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a body."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{_mac(webhook_key(secret), signed)}",
    }


def sign_dingtalk(secret: str, *, timestamp_ms: int) -> str:
    """Return the signature that DingTalk wants in the address, not yet percent-encoded."""
    return _mac(secret.encode(), f"{timestamp_ms}\n{secret}".encode())


def sign_feishu(secret: str, *, timestamp_s: int) -> str:
    """Return the signature that Feishu wants in the body."""
    return _mac(f"{timestamp_s}\n{secret}".encode(), b"")


def _mac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(key, text, "sha256")).decode()

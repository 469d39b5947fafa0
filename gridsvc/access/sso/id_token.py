"""Whom an ID token is about, once everything about it has been checked.

References
----------
.. [1] OpenID Connect Core 1.0, section 3.1.3.7: ID token validation.
.. [2] RFC 8725, JSON Web Token Best Current Practices, sections 3.1 and 3.9.
"""

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry

from gridsvc.access.sso.model import Provider
from gridsvc.errors import SsoRefusedError, SsoUnavailableError

# Signed with a private key: neither "none", nor one that whoever verifies could sign with.
ALGORITHMS = ("RS256", "ES256", "PS256")
LEEWAY_S = 60
_KINDS_OF_KEY = ("RSA", "EC")
_LONGEST_SUBJECT = 255


class UnknownKeyError(Exception):
    """The token names a key that is not among those known: it may be a new one."""


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """Return the keys of a JWK set that can verify; those of other kinds are passed over.

    Raises
    ------
    SsoUnavailableError
        There is none.
    """
    entries = document.get("keys")
    keys = []
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") not in _KINDS_OF_KEY:
            continue
        try:
            keys.append(JWKRegistry.import_key(entry))
        except (JoseError, ValueError, KeyError, TypeError):
            continue  # of a curve that we do not know, say: others may do (RFC 7517, section 5)
    if not keys:
        raise SsoUnavailableError("no-keys")
    return KeySet(keys)


def read_subject(id_token: str, keys: KeySet, *, provider: Provider, nonce: str) -> str:
    """Return whom a token is about.

    Raises
    ------
    UnknownKeyError
        It is signed with a key that is not in ``keys``.
    SsoRefusedError
        It is not signed by the provider, not meant for us or this attempt, or not of this time.
    """
    # Header fields that are new to us do no harm: what must be understood is listed in "crit".
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        claims = jwt.decode(id_token, keys, registry=registry).claims
    except InvalidKeyIdError as error:
        raise UnknownKeyError from error
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise SsoRefusedError("signature") from error
    _check(claims, provider=provider, nonce=nonce)
    subject: str = claims["sub"]
    if len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
        raise SsoRefusedError("sub")
    return subject


def _check(claims: dict[str, Any], *, provider: Provider, nonce: str) -> None:
    wanted = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_S,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
        sub={"essential": True},
    )
    try:
        wanted.validate(claims)
    except ClaimError as error:
        raise SsoRefusedError(error.claim) from error
    # A token for several must say whom it was made for; whoever is named must be us.
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_for_several else provider.client_id) != provider.client_id:
        raise SsoRefusedError("azp")

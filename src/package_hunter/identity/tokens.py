"""Signed tokens of providers (JWT, RFC 7519): which are believed.

The algorithm is one of ours and fits the key (so neither ``none`` nor HMAC with a public key), the key is one that the
issuer publishes now (what a token's header says of keys is not heard), and issuer, audience and times are right
(RFC 8725).
"""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from package_hunter.identity.directory import Directory, Key
from package_hunter.identity.errors import UntrustedError
from package_hunter.identity.json_text import json_object

_MAX_TOKEN = 16 << 10
SKEW_SECONDS = 60  # a clock may be wrong by so much; never for an end
_ALGORITHMS: dict[str, type[Key]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSAKey),
    **dict.fromkeys(("ES256", "ES384", "ES512"), ECKey),
    **dict.fromkeys(("EdDSA", "Ed25519"), OKPKey),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have made a token, for whom, and for how long at most (seconds; None: any time)."""

    issuer: str
    audience: str
    lifetime: float | None = None


@dataclass(frozen=True, slots=True)
class Believed:
    """A token that is believed."""

    header: dict[str, Any]
    claims: dict[str, Any]


def unverified_claims(token: str) -> dict[str, Any]:
    """What a token says, to know whom to ask about it; nothing else may come of it. UntrustedError."""
    return _parts(token)[1]


def believe(token: str, expected: Expected, directory: Directory) -> Believed:
    """The token, if it is to be believed; UntrustedError, ProviderError."""
    header, _ = _parts(token)
    algorithm = header.get("alg")
    kind = _ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
    if kind is None or not isinstance(algorithm, str):
        raise UntrustedError(f"The token is signed by {str(algorithm)[:32]!r}, which is not believed.")
    kid = header.get("kid")
    if "crit" in header or not (kid is None or isinstance(kid, str)):
        raise UntrustedError("The token's header asks for what is not known here.")
    key = directory.key(expected.issuer, kid)
    if key is None or not isinstance(key, kind) or key.get("alg", algorithm) != algorithm:
        raise UntrustedError("The token is signed by no key of its issuer.")
    try:
        claims = dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError, TypeError) as error:
        raise UntrustedError("The token's signature is wrong.") from error
    _check(claims, expected)
    return Believed(header, claims)


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    pieces = token.split(".")
    if len(token) > _MAX_TOKEN or len(pieces) != 3 or not token.isascii():
        raise UntrustedError("This is no signed token.")
    try:
        return json_object(_decoded(pieces[0])), json_object(_decoded(pieces[1]))
    except (ValueError, binascii.Error) as error:
        raise UntrustedError("This is no signed token.") from error


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _check(claims: dict[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise UntrustedError("The token is of another issuer.")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.audience not in audiences:
        raise UntrustedError("The token is for somebody else (its audience).")
    now, ends, made = time.time(), _time(claims, "exp"), _time(claims, "iat")
    if ends <= now:
        raise UntrustedError("The token has expired.")
    if made > now + SKEW_SECONDS or _later(claims.get("nbf"), now):
        raise UntrustedError("The token is not good yet.")
    if expected.lifetime is not None and ends - made > expected.lifetime:
        raise UntrustedError("The token is good for too long.")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise UntrustedError("The token does not say whose it is.")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if not _is_time(value):
        raise UntrustedError("The token does not say from when and until when it is good.")
    return float(value)


def _later(not_before: Any, now: float) -> bool:
    return not_before is not None and (not _is_time(not_before) or not_before > now + SKEW_SECONDS)


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11

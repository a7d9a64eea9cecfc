"""The signature of a bundle: a DSSE envelope around the statement, by the key that seals the history (audit/keys.py).

DSSE puts the type of what is signed ahead of it, so no seal of the history passes for a bundle, nor a bundle for a
seal. Format: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from package_hunter.audit.keys import key_name
from package_hunter.bundle.errors import BadBundleError

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def sign(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The envelope of the payload, as JSON."""
    public = SSlibKey.from_crypto(key.public_key(), keyid=key_name(key.public_key()))
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key, public))
    return json.dumps(envelope.to_dict()).encode()


def signed_payload(envelope: bytes, keys: Iterable[Ed25519PublicKey]) -> tuple[bytes, str]:
    """What was signed, and the name of the key (of these) that signed it. BadBundleError where none did."""
    opened = _opened(envelope)
    [signature] = opened.signatures.values()
    for key in keys:
        # a keyid is a hint that anybody may write: each key that is trusted is tried
        named = SSlibKey.from_crypto(key, keyid=signature.keyid)
        try:
            opened.verify([named], 1)
        except VerificationError:
            continue
        return opened.payload, key_name(key)
    raise BadBundleError(
        "The signature is not that of a key that is trusted here.",
        "Ask who made it for the public key (package-hunter audit key), and give it with --key or --fingerprint.",
    )


def _opened(envelope: bytes) -> Envelope:
    try:
        data: Any = json.loads(envelope)
        if not _is_envelope(data):
            raise ValueError("keys are missing, or of the wrong type")
        opened = Envelope.from_dict(data)
    except (ValueError, KeyError, TypeError, FormatError, RecursionError) as error:
        raise BadBundleError(f"The attestation is no DSSE envelope ({str(error)[:200]}).") from None
    if opened.payload_type != PAYLOAD_TYPE:
        raise BadBundleError("The attestation is not about an in-toto statement.")
    return opened


def _is_envelope(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    signatures = data.get("signatures")
    if not all(isinstance(data.get(name), str) for name in ("payload", "payloadType")):
        return False
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        return False
    return all(isinstance(signatures[0].get(name), str) for name in ("keyid", "sig"))


def public_key(pem: bytes) -> Ed25519PublicKey:
    """The key of a PEM text; BadBundleError."""
    try:
        found = serialization.load_pem_public_key(pem)
    except ValueError as error:
        raise BadBundleError(f"The bundle's own key is none ({error}).") from None
    if not isinstance(found, Ed25519PublicKey):
        raise BadBundleError("The bundle's own key is no Ed25519 key.")
    return found

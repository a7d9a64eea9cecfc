"""What providers publish of themselves: their endpoints (OpenID Connect Discovery 1.0) and keys (RFC 7517).

Only issuers that somebody set up are asked, and only at addresses that the guard lets through: what a provider says of
its endpoints is a stranger's word too. Answers are kept for a while; a provider that fails is not asked again at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from package_hunter.errors import HunterError
from package_hunter.identity.errors import ProviderError
from package_hunter.identity.json_text import json_object
from package_hunter.notices.outgoing import Asked, Outgoing

Key = RSAKey | ECKey | OKPKey

_METADATA_SECONDS = 3_600.0
_KEYS_SECONDS = 600.0
_AGAIN_SECONDS = 10.0  # between two questions that nobody answered, or for a key that was not there
_MAX_KEYS = 50
_MIN_RSA_BITS = 2_048


@dataclass(frozen=True, slots=True)
class Metadata:
    """A provider's endpoints: absolute addresses. ``by_post``: it takes the client's secret in the body alone."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None
    token_endpoint: str | None
    userinfo_endpoint: str | None
    by_post: bool
    names_itself: bool  # in its answer to the browser (RFC 9207)


@dataclass(slots=True)
class _Kept:
    value: Any = None
    asked: float = -1e9
    good: float = -1e9
    lock: threading.Lock = field(default_factory=threading.Lock)


class Directory:
    """Of one server process; to be asked from threads."""

    def __init__(self, outgoing: Outgoing, clock: Callable[[], float] = time.monotonic) -> None:
        self._outgoing, self._clock = outgoing, clock
        self._metadata: dict[str, _Kept] = {}
        self._keys: dict[str, _Kept] = {}

    def metadata(self, issuer: str) -> Metadata:
        """The endpoints of this issuer; ProviderError."""
        kept = self._metadata.setdefault(issuer, _Kept())
        found: Metadata = self._kept(kept, _METADATA_SECONDS, lambda: self._discover(issuer))
        return found

    def key(self, issuer: str, kid: str | None) -> Key | None:
        """The key of this name (None: the only one), or None; ProviderError. One that is not known is asked for anew:
        providers change their keys."""
        uri = self.metadata(issuer).jwks_uri
        kept = self._keys.setdefault(issuer, _Kept())
        keys: dict[str | None, Key] = self._kept(kept, _KEYS_SECONDS, lambda: self._ask_keys(uri))
        found = _named(keys, kid)
        if found is None and kept.asked + _AGAIN_SECONDS <= self._clock():
            found = _named(self._kept(kept, 0.0, lambda: self._ask_keys(uri)), kid)
        return found

    def _kept(self, kept: _Kept, seconds: float, ask: Callable[[], Any]) -> Any:
        with kept.lock:  # one question at a time
            now = self._clock()
            if kept.good + seconds > now:
                return kept.value
            if kept.asked + _AGAIN_SECONDS > now:
                if kept.good == kept.asked:
                    return kept.value
                raise ProviderError("The identity provider did not answer a moment ago.", "Try again soon.")
            kept.asked = now
            kept.value = ask()
            kept.good = now
            return kept.value

    def _discover(self, issuer: str) -> Metadata:
        data = self.fetch(get_well_known_url(issuer, external=True))
        if data.get("issuer") != issuer:
            raise ProviderError(
                "The identity provider says that it is another one.",
                f"Set it up as it calls itself: {str(data.get('issuer'))[:200]!r}.",
            )
        plain = urlsplit(issuer).scheme == "http"
        methods = data.get("token_endpoint_auth_methods_supported")
        jwks = _endpoint(data, "jwks_uri", plain)
        if jwks is None:
            raise ProviderError("The identity provider names no keys (jwks_uri).")
        return Metadata(
            issuer,
            jwks,
            _endpoint(data, "authorization_endpoint", plain),
            _endpoint(data, "token_endpoint", plain),
            _endpoint(data, "userinfo_endpoint", plain),
            isinstance(methods, list)
            and "client_secret_post" in methods
            and "client_secret_basic" not in methods,
            data.get("authorization_response_iss_parameter_supported") is True,
        )

    def _ask_keys(self, uri: str) -> dict[str | None, Key]:
        listed = self.fetch(uri).get("keys")
        if not isinstance(listed, list):
            raise ProviderError("The identity provider's keys are no list.")
        found: dict[str | None, Key] = {}
        for number, item in enumerate(listed[:_MAX_KEYS]):
            key = _usable(item)
            if key is not None:
                found[item.get("kid") or f"\0{number}"] = key
        return found

    def fetch(
        self, url: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> dict[str, Any]:
        """The JSON object at this address (by POST where there is a body); ProviderError."""
        asked = Asked("GET" if body is None else "POST", url, headers or {}, body or b"")
        try:
            answer = self._outgoing.send(asked)
        except HunterError as error:
            raise ProviderError(
                f"The identity provider cannot be asked. {error.message}", error.advice
            ) from error
        if answer.status != 200:
            raise ProviderError(f"The identity provider answered {answer.status}.")
        try:
            return json_object(answer.body)
        except ValueError as error:
            raise ProviderError("The identity provider answered no JSON object.") from error


def _endpoint(data: dict[str, Any], name: str, plain: bool) -> str | None:
    url = data.get(name)
    if url is None:
        return None
    try:
        parts = urlsplit(url if isinstance(url, str) and len(url) <= 2_000 and url.isprintable() else "")
    except ValueError:
        parts = urlsplit("")
    schemes = ("https", "http") if plain else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None or " " in str(url):
        raise ProviderError(f"The identity provider's {name} is no address to go to.")
    return str(url)


def _usable(item: Any) -> Key | None:
    """A key for signatures by one of the usual ways; None else: what we cannot use is not in the set."""
    if (
        not isinstance(item, dict)
        or item.get("use", "sig") != "sig"
        or item.get("kty") not in ("RSA", "EC", "OKP")
    ):
        return None
    public = {
        name: value for name, value in item.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")
    }
    try:
        if item["kty"] == "RSA" and len(str(item["n"])) * 6 < _MIN_RSA_BITS:  # base 64
            return None
        key = KeySet.import_key_set({"keys": [public]}).keys[0]
        if not isinstance(key, Key):
            return None
        if isinstance(key, RSAKey) and key.public_key.key_size < _MIN_RSA_BITS:
            return None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return key


def _named(keys: dict[str | None, Key], kid: str | None) -> Key | None:
    if kid is not None:
        return keys.get(kid)
    return next(iter(keys.values())) if len(keys) == 1 else None

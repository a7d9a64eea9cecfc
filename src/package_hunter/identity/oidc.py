"""Signing people in by OpenID Connect: the code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636, RFC 9700).

What must be remembered between the way there and the way back is in a sealed cookie of the browser that began: no
other browser can end what it did not begin, and nothing is stored for strangers who only begin.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from package_hunter.identity.directory import Directory, Metadata
from package_hunter.identity.errors import ProviderError, UntrustedError
from package_hunter.identity.tokens import SKEW_SECONDS, Expected, believe

SECONDS = 600
"""For so long somebody may be at his provider."""
MAX_GROUPS = 1_000
_SCOPE = "openid profile email"
_MAX_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to a provider. ``secret`` None: it knows us by PKCE alone."""

    provider: str
    issuer: str
    client_id: str
    secret: str | None
    groups_claim: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A login under way: what comes back must fit it. ``purpose``: ``login``, ``link`` or ``confirm`` (the last two
    for ``session``); ``next``: the path to go on to; ``begun`` in seconds since the epoch."""

    provider: str
    state: str
    nonce: str
    verifier: str
    purpose: str
    session: str | None
    next: str
    begun: float

    def sealed_form(self) -> bytes:
        """As the cookie holds it, sealed."""
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def of(cls, data: bytes) -> Pending:
        """Out of the opened cookie."""
        return cls(**json.loads(data))


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a provider says that the browser's user is. ``subject`` is the only thing that never changes; ``names`` are
    what he might be called, best first; ``authenticated``: when he showed who he is (ms), where it says so."""

    subject: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    authenticated: int | None


def begin(
    client: Client, directory: Directory, purpose: str, session: str | None, then: str
) -> tuple[Pending, str]:
    """A login, and the provider's address to send the browser to; ProviderError."""
    metadata = directory.metadata(client.issuer)
    if metadata.authorization_endpoint is None or metadata.token_endpoint is None:
        raise ProviderError("The identity provider signs nobody in: it names no endpoints for that.")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    pending = Pending(client.provider, state, nonce, verifier, purpose, session, then, time.time())
    more: dict[str, Any] = {
        "nonce": pending.nonce,
        "code_challenge": create_s256_code_challenge(pending.verifier),
        "code_challenge_method": "S256",
    }
    if purpose == "confirm":
        more |= {"max_age": 0, "prompt": "login"}
    url = prepare_grant_uri(
        metadata.authorization_endpoint,
        client.client_id,
        "code",
        redirect_uri=client.redirect_uri,
        scope=_SCOPE,
        state=pending.state,
        **more,
    )
    return pending, str(url)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brings back in its address."""

    state: str
    code: str | None
    error: str | None = None
    issuer: str | None = None


def check_answer(pending: Pending, answer: Answer, client: Client, directory: Directory) -> str:
    """The code, where the answer fits what was begun; UntrustedError."""
    if not secrets.compare_digest(pending.state.encode(), answer.state.encode("utf-8", "replace")):
        raise UntrustedError("This login was not begun by this browser.", "Begin it again.")
    if not pending.begun <= time.time() < pending.begun + SECONDS:
        raise UntrustedError("This login took too long.", "Begin it again.")
    if answer.issuer is not None and answer.issuer != client.issuer:
        raise UntrustedError("Another provider answered than was asked.", "Begin it again.")
    if answer.issuer is None and directory.metadata(client.issuer).names_itself:
        raise UntrustedError("The answer does not say which provider it is of.", "Begin it again.")
    if answer.error is not None or not answer.code:
        said = "".join(c for c in answer.error or "no code" if c.isprintable())[:80]
        raise UntrustedError(f"The identity provider signed nobody in ({said}).", "Begin it again.")
    return answer.code


def finish(pending: Pending, answer: Answer, client: Client, directory: Directory) -> Person:
    """Who it is; UntrustedError, ProviderError."""
    code = check_answer(pending, answer, client, directory)
    metadata = directory.metadata(client.issuer)
    got = _exchange(code, pending, client, metadata, directory)
    token, access = got.get("id_token"), got.get("access_token")
    if not isinstance(token, str):
        raise ProviderError("The identity provider gave no ID token.")
    found = believe(token, Expected(client.issuer, client.client_id), directory)
    params: dict[str, Any] = {"nonce": pending.nonce, "client_id": client.client_id}
    if isinstance(access, str):
        params["access_token"] = access
    try:
        CodeIDToken(found.claims, found.header, params=params).validate(leeway=SKEW_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise UntrustedError("The ID token does not belong to this login.") from error
    claims, untold = found.claims, pending.purpose != "confirm" and client.groups_claim not in found.claims
    if untold and metadata.userinfo_endpoint and isinstance(access, str):
        claims = _with_userinfo(claims, metadata.userinfo_endpoint, access, directory)
    person = _person(claims, client)
    since, until = (pending.begun - 1) * 1_000, (time.time() + SKEW_SECONDS) * 1_000  # whole seconds are told
    if pending.purpose == "confirm" and not since <= (person.authenticated or 0) <= until:
        raise UntrustedError(
            "The identity provider does not say that you have just shown who you are (auth_time).",
            "It must heed max_age=0.",
        )
    return person


def _exchange(
    code: str, pending: Pending, client: Client, metadata: Metadata, directory: Directory
) -> dict[str, Any]:
    assert metadata.token_endpoint is not None, "it was begun with one"
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": pending.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if client.secret is None or metadata.by_post:
        form["client_id"] = client.client_id
    if client.secret is not None and metadata.by_post:
        form["client_secret"] = client.secret
    elif client.secret is not None:  # RFC 6749, 2.3.1: both are form-encoded first
        pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return directory.fetch(metadata.token_endpoint, headers, urlencode(form).encode())


def _with_userinfo(claims: dict[str, Any], url: str, access: str, directory: Directory) -> dict[str, Any]:
    """Some providers tell groups there alone. What the signed token says stands."""
    more = directory.fetch(url, {"Authorization": f"Bearer {access}"})
    if more.get("sub") != claims.get("sub"):
        raise UntrustedError("The identity provider spoke of two persons.")
    return more | claims


def _person(claims: dict[str, Any], client: Client) -> Person:
    names = [claims.get("preferred_username"), claims.get("email"), claims.get("name"), claims["sub"]]
    moment = claims.get("auth_time")
    good = isinstance(moment, int | float) and not isinstance(moment, bool) and 0 < moment < 1e11
    return Person(
        claims["sub"],
        tuple(name for name in names if isinstance(name, str) and name),
        _groups(claims.get(client.groups_claim)),
        int(moment * 1_000) if good and moment is not None else None,
    )


def _groups(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    found = dict.fromkeys(g for g in listed if isinstance(g, str) and 0 < len(g) <= _MAX_SUBJECT)
    return tuple(found)[:MAX_GROUPS]

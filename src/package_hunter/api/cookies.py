"""Cookies of sessions, and what keeps a page elsewhere from using them.

A session's cookie is HttpOnly and SameSite=Lax; over HTTPS it is Secure and has the prefix ``__Host-``: no other host
of the domain can put one in its place. Lax lets a link from a mail or a tracker find its reader signed in; what changes
something is refused unless the browser says that it comes from our own pages, and brings the session's token.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from package_hunter.access.identity import Identity
from package_hunter.api.errors import ApiError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = b"x-csrf-token"
_NAME = "package-hunter"
_Headers = Mapping[bytes, bytes]


def is_secure(scope: Mapping[str, Any], public_url: str) -> bool:
    """Whether the browser speaks HTTPS, to us or to the proxy before us."""
    return public_url.startswith("https://") or scope.get("scheme") == "https"


def session_cookie(secret: str, seconds: float, secure: bool) -> str:
    """The value of Set-Cookie; no ``seconds``: the browser is to forget it."""
    name = _name(_NAME, secure)
    return f"{name}={secret}; Path=/; Max-Age={int(seconds)}; HttpOnly; SameSite=Lax{_secure(secure)}"


def login_cookie(secret: str, seconds: float, secure: bool) -> str:
    """Of a login at an identity provider that has begun: Lax, since the way back begins there."""
    name = _name(f"{_NAME}-login", secure)
    return f"{name}={secret}; Path=/; Max-Age={int(seconds)}; HttpOnly; SameSite=Lax{_secure(secure)}"


def session_secret(headers: _Headers, secure: bool) -> str | None:
    """The session's secret that came along; None where there is none, or more than one."""
    return _read(headers, _name(_NAME, secure))


def login_secret(headers: _Headers, secure: bool) -> str | None:
    """The secret of `login_cookie`."""
    return _read(headers, _name(f"{_NAME}-login", secure))


def _name(name: str, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


def _secure(secure: bool) -> str:
    return "; Secure" if secure else ""


def _read(headers: _Headers, name: str) -> str | None:
    found = []
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            found.append(value)
    return found[0] if len(found) == 1 and found[0] else None


def require_own_page(headers: _Headers, public_url: str) -> None:
    """ApiError 403 where a browser says that a page of somebody else asks for a change. Who is no browser says
    nothing, and has no cookies that a page could use."""
    origin = headers.get(b"origin")
    if origin is None:
        if headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin"):
            return
    elif origin.decode("latin-1") in _own_origins(headers, public_url):
        return
    raise ApiError(
        403,
        "This request comes from a page of another site.",
        "Where it is this server's own page, set PACKAGE_HUNTER_PUBLIC_URL to its address.",
    )


def _own_origins(headers: _Headers, public_url: str) -> set[str]:
    """A foreign page cannot say another Host than the one it asks: what is equal to it is our own."""
    host = headers.get(b"host", b"").decode("latin-1")
    own = {f"{scheme}://{host}" for scheme in ("http", "https")} if host else set()
    public = urlsplit(public_url)
    return own | ({f"{public.scheme}://{public.netloc}"} if public.netloc else set())


def require_csrf_token(headers: _Headers, identity: Identity) -> None:
    """ApiError 403 where a session's change does not come with the session's token."""
    require_token(headers.get(CSRF_HEADER, b""), identity)


def require_token(given: bytes, identity: Identity) -> None:
    """The same of a token that came otherwise: in a page's form."""
    if identity.csrf is None or not hmac.compare_digest(given, identity.csrf.encode()):
        raise ApiError(
            403,
            "The session's token (X-CSRF-Token) is missing or wrong.",
            "GET /api/v1/session tells it.",
        )

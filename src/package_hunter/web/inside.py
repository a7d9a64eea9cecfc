"""Asking the API inside this process, as the account that asks for the page: the same routes, with all their checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

from fastapi import Request
from starlette.types import Message, Scope

from package_hunter.api import cookies
from package_hunter.api.errors import ApiError
from package_hunter.api.gate import INSIDE

Query = Mapping[str, Any] | Sequence[tuple[str, Any]]
_PREFIX = "/api/v1"
_PASSED_ON = (b"host", b"user-agent", b"cookie", b"if-match")


class ChangingError(RuntimeError):
    """A page was to change something without a form: a fault of ours, which becomes a 500."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status < 400

    def json(self) -> Any:
        """The body; None where there is none."""
        return json.loads(self.body) if self.body else None

    def header(self, name: str) -> str | None:
        """The first of this name (lower case)."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), None)

    @property
    def error(self) -> ApiError:
        """What a refusal says."""
        try:
            told = json.loads(self.body)
            reason, advice = str(told.get("detail") or told.get("reason") or ""), told.get("advice") or ""
        except (ValueError, AttributeError):
            reason, advice = "", ""
        retry = self.header("retry-after")
        headers = {} if retry is None else {"Retry-After": retry}
        return ApiError(self.status, reason or "The server failed.", str(advice), headers)


async def ask(
    request: Request,
    method: str,
    path: str,
    query: Query | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """What the route says. ``path`` is below /api/v1, each of its parts quoted by `part`; ``query`` pairs whose value
    is None or empty are left out; ``body`` is JSON, or bytes as they are. Refusals are answers, too.

    Whoever opens a page changes nothing: a link on a foreign site opens pages, too, and no token is asked for. So
    another method than GET is asked for nothing but a form that was sent (else: ChangingError); see `consult`."""
    if method not in cookies.SAFE_METHODS and request.method in cookies.SAFE_METHODS:
        raise ChangingError(f"{request.url.path} is looked at, and would {method} {path}")
    sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return await _answer(request, _scope(request, method, path, query, sent, headers or {}), sent)


async def consult(request: Request, path: str, body: Any) -> Answer:
    """What a route says to a POST that changes nothing (a check, a question that is too long for an address): pages
    that are only opened may ask it, too."""
    sent = json.dumps(body).encode()
    return await _answer(request, _scope(request, "POST", path, None, sent, {}), sent)


async def _answer(request: Request, scope: Scope, sent: bytes) -> Answer:
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    await request.scope[INSIDE](scope, receive, send)
    parts = [m.get("body", b"") for m in messages if m["type"] == "http.response.body"]
    return Answer(messages[0]["status"], tuple(messages[0].get("headers", ())), b"".join(parts))


async def get(request: Request, path: str, query: Query | None = None) -> Any:
    """The JSON of what is there; ApiError where it is refused."""
    answer = await ask(request, "GET", path, query)
    if not answer.ok:
        raise answer.error
    return answer.json()


async def get_or(request: Request, path: str, otherwise: Any, query: Query | None = None) -> Any:
    """The same; ``otherwise`` where this account may not see it, or there is none (403, 404)."""
    answer = await ask(request, "GET", path, query)
    if answer.status in (403, 404):
        return otherwise
    if not answer.ok:
        raise answer.error
    return answer.json()


def part(text: str) -> str:
    """A part of a path, quoted: an id, a name, a purl."""
    return quote(text, safe="")


def pairs(query: Query | None) -> list[tuple[str, Any]]:
    """A query's pairs that say something."""
    items = query.items() if isinstance(query, Mapping) else query or ()
    return [(name, value) for name, value in items if value is not None and value != ""]


def _scope(
    request: Request, method: str, path: str, query: Query | None, body: bytes, headers: Mapping[str, str]
) -> Scope:
    own = [one for one in request.scope["headers"] if one[0] in _PASSED_ON]
    own += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    own += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    kept = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "app")
    target = _PREFIX + path
    return {key: request.scope[key] for key in kept if key in request.scope} | {
        "method": method,
        "path": unquote(target),
        "raw_path": target.encode(),
        "query_string": urlencode(pairs(query), doseq=True).encode(),
        "headers": own,
        "identity": request.scope["identity"],
        "principal": request.scope["principal"],
        INSIDE: request.scope[INSIDE],
    }

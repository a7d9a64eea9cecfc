"""What a request that cannot be served is answered: on our routes a problem document, on the original's as it did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from package_hunter.api import problems
from package_hunter.store.database import StoreError

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""What every answer carries, whichever layer gives it."""


class ApiError(Exception):
    """A refusal: ``reason`` is a sentence that says what is wrong, ``advice`` one that says what to do; ``kind`` is one
    of `problems.TYPES`, where programs may want to know it from others."""

    def __init__(
        self,
        status: int,
        reason: str,
        advice: str = "",
        headers: Mapping[str, str] | None = None,
        kind: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.advice = advice
        self.headers = dict(headers or {})
        self.kind = kind

    def response(self, path: str = "/") -> Response:
        """The answer to a request of this path."""
        kind = problems.MEDIA_TYPE if problems.is_of_v1(path) else JsonResponse.media_type
        return Response(self.body(path), self.status, headers=self.headers, media_type=kind)

    def body(self, path: str = "/") -> bytes:
        """The answer's body. The original's clients read ``reason``, some ``message``."""
        if problems.is_of_v1(path):
            return to_json(problems.document(self.status, self.reason, self.advice, path, self.kind))
        message = f"{self.reason} {self.advice}".strip()
        return to_json({"status": "error", "reason": self.reason, "message": message})


def to_json(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


class JsonResponse(Response):
    """Bytes that are JSON already."""

    media_type = "application/json"


def too_many(reason: str, advice: str, seconds: float, kind: str) -> ApiError:
    """429, to be tried again after ``seconds``."""
    return ApiError(429, reason, advice, {"Retry-After": str(max(1, round(seconds)))}, kind)


def unavailable(reason: str, advice: str, seconds: float = 30, kind: str | None = None) -> ApiError:
    """503, to be tried again after ``seconds``."""
    return ApiError(503, reason, advice, {"Retry-After": str(round(seconds))}, kind)


def store_failed(error: StoreError) -> ApiError:
    """503, in words for strangers."""
    return unavailable(error.told, error.advice)


def invalid(found: Mapping[str, Any], cause: BaseException | None = None) -> ApiError:
    """400, of what pydantic or FastAPI found wrong first; ``cause``: what FastAPI met while it read the body."""
    where, said = list(found["loc"]), str(found["msg"])
    if found["type"] == "json_invalid":
        why = found.get("ctx", {}).get("error", said)
        if isinstance(cause, GivenTwiceError):
            return ApiError(400, f"The body gives {cause.name!r} twice.", "Give it once.", kind="given-twice")
        at = f" at character {cause.pos + 1}" if isinstance(cause, json.JSONDecodeError) else ""
        return ApiError(
            400, f"The body is no JSON: {why}{at}.", "Send one JSON value.", kind="malformed-json"
        )
    room, *path = where or ["body"]
    name = ".".join(map(str, path))
    what = "body" if room == "body" else "parameter"
    if name:
        what = f"field {name!r} of the body" if room == "body" else f"parameter {name!r}"
    return ApiError(400, f"The {what} is wrong: {said}.")


class GivenTwiceError(json.JSONDecodeError):
    """An object of the body that has a name twice: which of the values counts is each reader's guess."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the name {name[:40]!r} is given twice", "", 0)
        self.name = name[:40]


def read_json(body: bytes) -> Any:
    """The body as a value; json.JSONDecodeError, also GivenTwiceError."""
    try:
        return json.loads(body, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("it is not UTF-8", "", error.start) from error
    except RecursionError as error:
        raise json.JSONDecodeError("it is nested too deeply", "", 0) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise GivenTwiceError(next(name for name, times in names.items() if times > 1))
    return made


def broken() -> ApiError:
    """500: a failure of our own."""
    return ApiError(500, "The server failed.", "Its log says more.")


async def overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that turns everybody away, and closes the connection."""
    refusal = unavailable("The server has too many connections.", "Try again in a moment.", 5)
    answer = refusal.response(scope["path"])
    answer.raw_headers += [*SAFE_HEADERS, (b"connection", b"close")]
    await answer(scope, receive, send)

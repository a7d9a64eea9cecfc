"""What a request that cannot be served is answered: one body for all routes, the original's and ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from package_hunter.store.database import StoreError

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""What every answer carries, whichever layer gives it."""


class ApiError(Exception):
    """A refusal: ``reason`` is a sentence that says what is wrong, ``advice`` one that says what to do."""

    def __init__(
        self, status: int, reason: str, advice: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.advice = advice
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer. The original's clients read ``reason``, some ``message``."""
        return JsonResponse(self.body(), self.status, headers=self.headers)

    def body(self) -> bytes:
        """The answer's body."""
        message = f"{self.reason} {self.advice}".strip()
        return to_json({"status": "error", "reason": self.reason, "message": message})


def to_json(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


class JsonResponse(Response):
    """Bytes that are JSON already."""

    media_type = "application/json"


def too_many(reason: str, advice: str, seconds: float) -> ApiError:
    """429, to be tried again after ``seconds``."""
    return ApiError(429, reason, advice, {"Retry-After": str(max(1, round(seconds)))})


def unavailable(reason: str, advice: str, seconds: float = 30) -> ApiError:
    """503, to be tried again after ``seconds``."""
    return ApiError(503, reason, advice, {"Retry-After": str(round(seconds))})


def store_failed(error: StoreError) -> ApiError:
    """503, in words for strangers."""
    return unavailable(error.told, error.advice)


def broken() -> ApiError:
    """500: a failure of our own."""
    return ApiError(500, "The server failed.", "Its log says more.")


async def overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that turns everybody away, and closes the connection."""
    answer = unavailable("The server has too many connections.", "Try again in a moment.", 5).response()
    answer.raw_headers += [*SAFE_HEADERS, (b"connection", b"close")]
    await answer(scope, receive, send)

"""What a request that cannot be served is answered: one body for all routes, the original's and ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response


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
        message = f"{self.reason} {self.advice}".strip()
        body = {"status": "error", "reason": self.reason, "message": message}
        return JsonResponse(to_json(body), self.status, headers=self.headers)


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

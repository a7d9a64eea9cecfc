"""Refusals of /api/v1 as problem details (RFC 9457), with what to do as a member of our own, ``advice``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

PREFIX = "/api/v1/"
MEDIA_TYPE = "application/problem+json"
_URN = "urn:problem-type:package-hunter:"
_MAX_INSTANCE = 512

TYPES: dict[str, str] = {
    "unknown-parameter": "The query has a parameter that means nothing here",
    "given-twice": "A parameter or header is given more than once",
    "malformed-json": "The body is no JSON",
    "malformed-idempotency-key": "The Idempotency-Key is none",
    "no-idempotency-key": "No Idempotency-Key is taken here",
    "idempotency-key": "The Idempotency-Key was used for another request",
    "answer-not-kept": "It was done, and its answer was not kept",
    "under-way": "A request of this Idempotency-Key is under way",
    "no-condition": "No If-Match is heeded here",
    "changed": "It was changed since it was read",
    "too-many-requests": "This account asks too often",
    "too-many-submissions": "This account submits too often",
    "too-many-waiting": "Too many scans wait",
    "too-many-uploads": "Too many archives come in",
    "too-much-room": "This account's archives take too much room",
    "too-many-followers": "Too many follow scans",
    "too-many-keys": "This account used too many Idempotency-Keys",
    "too-many-logins": "Too many logins",
    "failed-logins": "Too many logins failed",
    "no-worker": "No worker runs, and scans wait",
    "held": "It is kept as evidence",
    "not-scannable": "This package URL is none that can be scanned here",
    "not-kept": "It is not kept, or not any more",
}
"""The kinds of problem that a program may want to tell from others of the same status, and their titles. All others
are ``about:blank``, whose title is the status's (RFC 9457, 4.2.1)."""


def is_of_v1(path: str) -> bool:
    """Whether a refusal of this path is a problem document: the original's routes answer as the original did."""
    return path.startswith(PREFIX)


def document(status: int, detail: str, advice: str, path: str, kind: str | None = None) -> dict[str, Any]:
    """The problem document. ``path`` is the request's, decoded; ``kind`` one of `TYPES`."""
    return {
        "type": "about:blank" if kind is None else _URN + kind,
        "title": _title(status) if kind is None else TYPES[kind],
        "status": status,
        "detail": detail,
        "instance": quote(path, safe="/:@!$&'()*+,;=", errors="replace")[:_MAX_INSTANCE],
        "advice": advice or None,
    }


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"

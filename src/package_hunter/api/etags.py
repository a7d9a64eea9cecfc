"""Entity tags: what did not change is not sent again, and nobody's edit overwrites another's unseen (RFC 9110, 8.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.schemas import Problem

IF_MATCH = "With `If-Match` and the ETag of what was read, nothing happens where it was changed since."
CHANGED: dict[int | str, dict[str, Any]] = {
    412: {"model": Problem, "description": "It was changed since it was read."}
}
"""Of routes that heed If-Match: what they say of it, and answer. By the answer it is known that they do."""
_BYTES = 12  # of the digest: 96 bits


def of_bytes(*parts: bytes) -> str:
    """The tag of a representation that is made of these."""
    made = hashlib.blake2b(digest_size=_BYTES)
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return f'"{made.hexdigest()}"'


def of_document(document: BaseModel) -> str:
    """The tag of a document that can be edited, whatever bytes it is sent as."""
    return of_bytes(document.model_dump_json().encode("utf-8", "surrogatepass"))


def is_known(given: str | None, tag: str) -> bool:
    """Whether who asks has this representation already: ``given`` is If-None-Match, compared weakly."""
    return given is not None and _lists(given, tag)


def require_match(request: Request, document: BaseModel) -> None:
    """ApiError 412 where ``If-Match`` names another state of the document than it has now; without it nothing is
    asked."""
    given = request.headers.get("if-match")
    if given is not None and not _lists(given, of_document(document)):
        raise ApiError(
            412, "It was changed since you read it.", "Read it again, then decide anew.", kind="changed"
        )


def heeds_match(responses: Mapping[int | str, Any]) -> bool:
    """Whether a route with these answers heeds If-Match."""
    return 412 in responses


def refuse_match(request: Request) -> None:
    """ApiError 400 where a route that does not heed If-Match is given one: what comes with a condition must not be done
    without it (RFC 9110, 13.1.1)."""
    if "if-match" in request.headers:
        raise ApiError(400, "This route heeds no If-Match.", "Leave it out.", kind="no-condition")


def _lists(given: str, tag: str) -> bool:
    known = (one.strip().removeprefix("W/") for one in given.split(","))
    return given.strip() == "*" or tag.removeprefix("W/") in known


def answered(request: Request, answer: Response) -> Response:
    """A good answer to a GET with its tag, or 304 where it is known already."""
    if answer.status_code != 200:
        return answer
    tag = answer.headers.get("etag")
    if tag is None:
        body = getattr(answer, "body", None)
        if not isinstance(body, bytes):
            return answer  # a stream: who makes it tags it, if anybody
        tag = of_bytes(body)
        answer.headers["ETag"] = tag
    return not_modified(tag) if is_known(request.headers.get("if-none-match"), tag) else answer


def not_modified(tag: str) -> Response:
    """304."""
    return Response(status_code=304, headers={"ETag": tag})

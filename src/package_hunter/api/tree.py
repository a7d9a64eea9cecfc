"""What a submission says of its tree: by the query, or (where the original's clients cannot) by headers."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from package_hunter.api.allowed import identity_of
from package_hunter.api.errors import ApiError
from package_hunter.errors import UsageError
from package_hunter.governance.gate import origins
from package_hunter.governance.gate.submitted import Said

NAMES = ("commit", "ref", "merge_request", "base")
_HEADER = "package-hunter-"
_MEANING = {
    "commit": "The commit whose tree the archive is: its whole name. What vouches for it: docs/gate.md.",
    "ref": "Its ref.",
    "merge_request": "The number of its merge or pull request.",
    "base": "The commit that it is to be merged into.",
}
PARAMETERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "description": _MEANING[name],
        "schema": {"type": "string"},
    }
    for name in NAMES
]
"""As OpenAPI has them. Each may be a header, too: ``Package-Hunter-Merge-Request``."""


def said_of(request: Request) -> Said | None:
    """What is said of the tree; None: nothing is. ApiError 400."""
    given = {name: _given(request, name) for name in NAMES}
    commit = given.pop("commit")
    if commit is None:
        if any(value is not None for value in given.values()):
            raise ApiError(400, "Of which commit?", "Give commit, too: its whole name.")
        return None
    try:
        return Said(origins.check(commit, **given), identity_of(request).job)
    except UsageError as error:
        raise ApiError(400, error.message, error.advice) from error


def _given(request: Request, name: str) -> str | None:
    value = request.query_params.get(name)
    return request.headers.get(_HEADER + name.replace("_", "-")) if value is None else value

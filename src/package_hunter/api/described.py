"""What every route may answer beside its own: told in OpenAPI by the route's permit, so that no route has to."""

from __future__ import annotations

from typing import Any

from package_hunter.api.permits import BY_ROUTE, Permit, Where

_WORDS = {
    "400": "The request is wrong, or names what cannot be.",
    "401": "No credentials, or wrong ones.",
    "403": "The account has not the permission.",
    "404": "There is none, or none that the account can see.",
    "429": "Too much at once; see the header Retry-After.",
    "503": "The store is full, busy or gone.",
}
_HIDDEN = (Where.SCAN, Where.TARGET, Where.PROJECT, Where.GROUP)


def describe_refusals(schema: dict[str, Any]) -> None:
    """Add to each operation what it does not say itself."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            permit = BY_ROUTE.get((method.upper(), path))
            if permit is None:
                continue
            answers = operation["responses"]
            for status in _statuses(permit, operation):
                answers.setdefault(status, _answer(status))
            for status in ("429", "503"):
                if status in answers:
                    answers[status].setdefault("headers", {})["Retry-After"] = {
                        "description": "Seconds to wait.",
                        "schema": {"type": "integer", "minimum": 1},
                    }


def _statuses(permit: Permit, operation: dict[str, Any]) -> list[str]:
    asks = bool(operation.get("parameters")) or "requestBody" in operation
    found = ["400"] if asks else []
    if permit.where is not Where.OPEN:
        found += ["401", "429"]
    if permit.permission is not None and permit.where not in (Where.SCAN, Where.LIST):
        found.append("403")
    if permit.where in _HIDDEN or "{" in permit.path:
        found.append("404")
    return [*found, "503"]


def _answer(status: str) -> dict[str, Any]:
    body = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": _WORDS[status], "content": {"application/json": body}}

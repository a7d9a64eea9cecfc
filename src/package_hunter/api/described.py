"""What every route may answer beside its own, and what all of ours heed: told in OpenAPI by the route's permit, so that
no route has to."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from package_hunter.api.permits import BY_ROUTE, Permit, Where
from package_hunter.api.problems import MEDIA_TYPE, document, is_of_v1
from package_hunter.api.schemas import Problem, Refusal
from package_hunter.store.request_tables import MAX_KEY

_EXAMPLES = (resources.files(__package__) / "examples.json").read_text(encoding="utf-8")
"""By route; `tests/support/api_examples.py` makes them of what is truly answered. Read with this module: later it may
be out of reach."""
_PROBLEM = document(
    404,
    "There is no scan of this id.",
    "It may be deleted, or lie where the account may not look.",
    "/api/v1/scans/3f0c9c52-27a7-4c6b-9b0c-5d3d4ac4a1de",
)
_WORDS = {
    "304": "It is as If-None-Match has it.",
    "400": "The request is wrong, names what cannot be, or has a parameter that means nothing here.",
    "401": "No credentials, or wrong ones.",
    "403": "The account has not the permission.",
    "404": "There is none, or none that the account can see.",
    "409": "It cannot be done as things stand; or a request of this Idempotency-Key is under way.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "Too much at once; see the header Retry-After.",
    "503": "The store is full, busy or gone.",
}
_HIDDEN = (Where.SCAN, Where.TARGET, Where.PROJECT, Where.GROUP)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same key within a day, the request is not done again: its answer is.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
_KNOWN = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what is known already: 304 where it is still so.",
    "schema": {"type": "string", "maxLength": 200, "pattern": '^[!#-~" ]+$'},
    "example": '"3f0c9c5227a74c6b9b0c5d3d"',
}
_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what was read: 412, and nothing is done, where it was changed since.",
    "schema": {"type": "string", "maxLength": 200, "pattern": '^[!#-~" *]+$'},
    "example": '"3f0c9c5227a74c6b9b0c5d3d"',
}
_TAG = {"description": "Of this answer; give it as If-None-Match.", "schema": {"type": "string"}}
_RETRY = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}


def describe(schema: dict[str, Any]) -> None:
    """Add to each operation what it does not say itself."""
    known, examples = schema["components"].setdefault("schemas", {}), json.loads(_EXAMPLES)
    for model in (Problem, Refusal):
        known.setdefault(model.__name__, model.model_json_schema())
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            permit = BY_ROUTE.get((method.upper(), _as_row(path)))
            operation["responses"].pop("422", None)  # FastAPI's own; a wrong parameter is 400 here (app.py)
            if permit is None:
                continue
            if permit.permission is not None:
                operation["x-permission"] = permit.permission.value
            operation["x-where"] = permit.where.value
            if is_of_v1(path):
                _heeds(permit, operation)
            _refusals(permit, path, operation)
            _show(examples.get(f"{permit.method} {permit.path}", {}), operation)


def _as_row(path: str) -> str:
    """A path as the table has it: OpenAPI has no word for the rest of a path."""
    return path.replace("{purl}", "{purl:path}")


def _heeds(permit: Permit, operation: dict[str, Any]) -> None:
    """The headers that all of ours know."""
    parameters = operation.setdefault("parameters", [])
    if permit.keeps_answer:
        parameters.append(_KEY)
    if "412" in operation["responses"]:  # as `etags.heeds_match` knows it
        parameters.append(_MATCH)
    good = operation["responses"].get("200")
    if not permit.changes and good is not None and "text/event-stream" not in good.get("content", {}):
        parameters.append(_KNOWN)
        good.setdefault("headers", {})["ETag"] = _TAG
        operation["responses"]["304"] = {"description": _WORDS["304"]}


def _refusals(permit: Permit, path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    for status in _statuses(permit, path, operation):
        answers.setdefault(status, {"description": _WORDS[status]})
    for status in [one for one in answers if one >= "400"]:
        if is_of_v1(path):
            shape = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _problem(int(status))}
            body: dict[str, Any] = {MEDIA_TYPE: shape}
        else:
            body = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        answers[status]["content"] = body
    for status in ("429", "503"):
        if status in answers:
            answers[status].setdefault("headers", {})["Retry-After"] = _RETRY


def _problem(status: int) -> dict[str, Any]:
    if status == 404:
        return _PROBLEM
    return document(status, _WORDS.get(str(status), "It cannot be done."), "", "/api/v1/scans")


def _show(example: dict[str, Any], operation: dict[str, Any]) -> None:
    """Put an example beside what is sent, and beside the good answer."""
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if asked is not None and "request" in example:
        asked["example"] = example["request"]
    for status, answer in operation["responses"].items():
        shape = answer.get("content", {}).get("application/json")
        if status.startswith("2") and shape is not None and "answer" in example:
            shape["example"] = example["answer"]


def _statuses(permit: Permit, path: str, operation: dict[str, Any]) -> list[str]:
    asks = bool(operation.get("parameters")) or "requestBody" in operation
    found = ["400"] if asks or is_of_v1(path) else []
    if permit.where is not Where.OPEN:
        found += ["401", "429"]
    if permit.permission is not None and permit.where not in (Where.SCAN, Where.HOLD, Where.LIST):
        found.append("403")
    if permit.where in _HIDDEN or "{" in permit.path:
        found.append("404")
    if permit.keeps_answer and is_of_v1(path):
        found += ["409", "422"]
    return [*found, "503"]

"""JSON-RPC 2.0 over HTTP (jsonrpc.org/specification), as block chains' nodes speak it: single calls and batches."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from package_hunter.decoy.web import Answer, Ask, json_answer

MAX_CALLS = 100  # of one batch that are answered


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a request."""

    method: str
    params: list[Any]
    id: Any

    @property
    def question(self) -> str:
        """What is asked, whoever asks and under whatever number."""
        try:
            return f"{self.method} {json.dumps(self.params, sort_keys=True)}"[:4000]
        except (ValueError, RecursionError):
            return self.method


def calls_of(ask: Ask) -> tuple[list[Call], bool]:
    """The calls of a request and whether they came as a batch; none where it is no JSON-RPC."""
    if ask.method != "POST" or ask.cut or b"jsonrpc" not in ask.body:
        return [], False
    try:
        data = json.loads(ask.body)
    except (ValueError, RecursionError):
        return [], False
    batch = isinstance(data, list)
    found = [_call(item) for item in (data[:MAX_CALLS] if batch else [data])]
    calls = [call for call in found if call is not None]
    return (calls if len(calls) == len(found) else []), batch


def _call(item: Any) -> Call | None:
    if not isinstance(item, dict) or not isinstance(item.get("method"), str) or "jsonrpc" not in item:
        return None
    params, number = item.get("params"), item.get("id")
    plain = number if isinstance(number, str | int | float) else None
    return Call(item["method"][:100], params[:100] if isinstance(params, list) else [], plain)


def reply(calls: list[Call], batch: bool, result: Callable[[Call], Any]) -> Answer:
    """The answer to all of them; a result of ``UNKNOWN`` says that there is no such method."""
    said = [_said(call, result(call)) for call in calls]
    return json_answer(json.dumps(said if batch else said[0]))


UNKNOWN = object()


def _said(call: Call, result: Any) -> dict[str, Any]:
    if result is UNKNOWN:
        error = {"code": -32601, "message": f"the method {call.method} does not exist/is not available"}
        return {"jsonrpc": "2.0", "id": call.id, "error": error}
    return {"jsonrpc": "2.0", "id": call.id, "result": result}

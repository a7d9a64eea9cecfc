"""Makes the examples of OpenAPI out of what the API truly answers: `python -m tests.support.api_examples` writes
`api/examples.json`. What takes a person or a forge is made up by its schema."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import httpx

from package_hunter.access.roles import Role
from tests.support.access_server import OWN, AccessServer
from tests.support.requires import ROOT

FILE = ROOT / "src/package_hunter/api/examples.json"
_SECRETS = {"value", "token", "secret", "password", "link", "uri"}
_LONG = 3  # items of a list that are shown


class _Watched(AccessServer):
    """Remembers what was asked last."""

    last: tuple[str, Any] = ("", None)

    def ask(self, token: str | None, method: str, url: str, **more: Any) -> httpx.Response:
        self.last = (method, more.get("json"))
        return super().ask(token, method, url, **more)


def main() -> None:
    """Ask for everything."""
    from tests.unit.api.test_permits import ASK

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        server = _Watched(Path(folder), recordings_bytes=1 << 20)
        roles = [Role.SECURITY_ADMIN, Role.AUDITOR, Role.ADMINISTRATOR]
        token = server.token("ci", *[(role, "") for role in roles])
        schema = server.app.openapi()
        for (method, path), ask in ASK.items():
            operation = schema["paths"].get(path.replace(":path}", "}"), {}).get(method.lower())
            if operation is None:
                continue
            answer = ask(server, token, OWN, "ci")
            good = answer.is_success and method == server.last[0]
            body = server.last[1] if good else None
            plain = answer.headers.get("content-type") == "application/json" and answer.content
            said = answer.json() if good and plain else None
            found[f"{method} {path}"] = _example(schema, operation, body, said)
        server.store.close()
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=True, sort_keys=True) + "\n", encoding="utf-8")


def _example(schema: dict[str, Any], operation: dict[str, Any], body: Any, said: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if asked is not None:
        made["request"] = _tidy(body) if body else sample(schema, asked["schema"])
    answer = next((a for s, a in operation["responses"].items() if s.startswith("2")), {})
    shape = answer.get("content", {}).get("application/json")
    if shape is not None:
        made["answer"] = _tidy(said) if said is not None else sample(schema, shape["schema"])
    return made


def _tidy(value: Any, name: str = "") -> Any:
    """Short, and without what looks like a secret."""
    if isinstance(value, dict):
        return {key: _tidy(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_tidy(one) for one in value[:_LONG]]
    if isinstance(value, str) and name in _SECRETS and len(value) > 12:
        return "(a secret)"
    if isinstance(value, str):
        return re.sub(r"/tmp/[^/\s]*", "/tmp", value)
    return value


def sample(schema: dict[str, Any], of: dict[str, Any], depth: int = 0) -> Any:
    """Some value of this schema."""
    if "$ref" in of:
        return sample(schema, schema["components"]["schemas"][of["$ref"].rpartition("/")[2]], depth)
    for key in ("example", "default", "const"):
        if key in of:
            return of[key]
    if of.get("examples"):
        return of["examples"][0]
    if "enum" in of:
        return of["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in of:
            return sample(schema, of[key][0], depth)
    kind = of.get("type")
    if kind == "object":
        needed = of.get("properties", {})
        return {name: sample(schema, one, depth + 1) for name, one in needed.items()} if depth < 6 else {}
    if kind == "array":
        return [sample(schema, of["items"], depth + 1)] if depth < 6 and "items" in of else []
    if kind == "string":
        return _text(of)
    return {"integer": max(1, of.get("minimum", 1)), "number": 1.5, "boolean": True}.get(str(kind))


def _text(of: dict[str, Any]) -> str:
    formats = {"date-time": "2026-11-30T12:00:00Z", "date": "2026-11-30"}
    formats |= {"uuid": "3f0c9c52-27a7-4c6b-9b0c-5d3d4ac4a1de"}
    if of.get("format") in formats:
        return formats[of["format"]]
    if of.get("pattern") == "^[0-9a-f]{64}$":
        return "ab" * 32
    if "[0-9]" in of.get("pattern", ""):
        return "123456"
    return "an example"[: of.get("maxLength", 99)].ljust(of.get("minLength", 0), ".")


if __name__ == "__main__":
    main()

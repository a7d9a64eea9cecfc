"""The JSON Schema of reports out of their types: ``python -m package_hunter.model.forms.schema > report-v1.json``."""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from package_hunter.model.forms.judged import AlertForm
from package_hunter.model.forms.kinds import TIME
from package_hunter.model.forms.report import ReportForm
from package_hunter.model.observation import Blame

_SAID: dict[type, str] = {
    ReportForm: "Keys may be added within a schema version, never taken away or given another meaning; readers ignore "
    "keys that they do not know. Everything that comes from a box (names, command lines, paths, bodies) is untrusted "
    "text.",
    AlertForm: "Falco's JSON form and blame.",
    Blame: "Who did it.",
}
_HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:package-hunter:report:1",
    "title": "Package Hunter report, schema version 1",
}
_NULL = {"type": "null"}


class _Plain(GenerateJsonSchema):
    """Without what says nothing to a reader of reports: names of our classes, their docstrings, defaults."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """See pydantic."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """See pydantic."""
        return self.generate_inner(schema["schema"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """See pydantic."""
        made = super().dataclass_schema(schema)
        del made["title"]
        made.pop("description", None)
        said = _SAID.get(schema["cls"])
        return made if said is None else {"description": said, **made}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """See pydantic; one type or null is a list of types."""
        inner = self.generate_inner(schema["schema"])
        if isinstance(inner.get("type"), str) and inner != TIME:
            return inner | {"type": [inner["type"], "null"]}
        return inner if "null" in inner.get("type", ()) else {"anyOf": [_NULL, inner]}


def schema() -> dict[str, Any]:
    """The schema as JSON values."""
    made = TypeAdapter(ReportForm).json_schema(schema_generator=_Plain)
    parts = made.pop("$defs")
    whole = _HEAD | {"description": made.pop("description")} | made
    named = {_name(name): part for name, part in parts.items()}
    described: dict[str, Any] = _referring(whole)
    return described | {"$defs": {"time": TIME} | _referring(named)}


def _name(of_class: str) -> str:
    return of_class.removesuffix("Form").lower()


def _referring(node: Any) -> Any:
    """The node with our names of parts, and times by reference."""
    if isinstance(node, list):
        return [_referring(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node == TIME:
        return {"$ref": "#/$defs/time"}
    if isinstance(node.get("$ref"), str):
        return node | {"$ref": f"#/$defs/{_name(node['$ref'].rpartition('/')[2])}"}
    return {key: _referring(value) for key, value in node.items()}


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

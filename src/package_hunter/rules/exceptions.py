"""Exceptions of rules, and values as YAML has them, made into conditions."""

from __future__ import annotations

import re
from typing import Any

from package_hunter.rules.ast import All, AnyOf, Check, FieldRef, Literal, Node
from package_hunter.rules.collect import Entry
from package_hunter.rules.operands import ResolveError, field_spec
from package_hunter.rules.parse import field_ref


def item_text(item: Any) -> tuple[str, bool]:
    text = "true" if item is True else "false" if item is False else "" if item is None else str(item)
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1], True
    return text, False


def exception_nodes(entry: Entry) -> list[Node]:
    given = entry.values.get("exceptions") or []
    if not isinstance(given, list):
        raise ResolveError("exceptions", "exceptions is a list.")
    return [node for exception in given if (node := _exception(exception)) is not None]


def _exception(exception: Any) -> Node | None:
    if not isinstance(exception, dict) or not exception.get("name"):
        raise ResolveError("exceptions", "An exception has a name, fields and values.")
    name, fields, comps = exception["name"], exception.get("fields"), exception.get("comps")
    rows = exception.get("values")
    if fields in (None, []):
        raise ResolveError("exceptions", f"The exception {name!r} has no fields.")
    for field in fields if isinstance(fields, list) else [fields]:
        field_spec(_field(str(field)))
    if rows is None or rows == []:
        return None
    if not isinstance(rows, list):
        raise ResolveError("exceptions", f"The values of exception {name!r} are a list.")
    if isinstance(fields, str):
        if any(isinstance(v, list | dict) for v in rows):
            raise ResolveError(
                "exceptions", f"The exception {name!r} with one field takes a list of single values."
            )
        comp = comps or "in"
        if comp not in ("in", "pmatch", "intersects"):
            raise ResolveError(
                "exceptions", f"The exception {name!r} with one field allows in, pmatch, intersects."
            )
        return Check(_field(fields), str(comp), tuple(Literal(*item_text(v)) for v in rows))
    comps = comps or ["="] * len(fields)
    if not isinstance(comps, list) or len(comps) != len(fields):
        raise ResolveError("exceptions", f"The exception {name!r} needs as many comps as fields.")
    parts = [_row(name, fields, comps, row) for row in rows]
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _row(name: str, fields: list[Any], comps: list[Any], row: Any) -> Node:
    if not isinstance(row, list) or len(row) != len(fields):
        raise ResolveError("exceptions", f"Each row of exception {name!r} needs {len(fields)} values.")
    checks: list[Node] = []
    for field, comp, value in zip(fields, comps, row, strict=True):
        values = value if isinstance(value, list) else _inline(value)
        op, _, modifier = " ".join(str(comp).split()).partition(" ")
        texts = tuple(Literal(*item_text(v)) for v in values)
        checks.append(Check(_field(str(field)), "=" if op == "==" else op, texts, modifier=modifier))
    return checks[0] if len(checks) == 1 else All(tuple(checks))


def _inline(value: Any) -> list[Any]:
    """``(a, b)`` written as text is a list of items."""
    text = str(value).strip() if isinstance(value, str) else value
    if isinstance(text, str) and text.startswith("(") and text.endswith(")"):
        return [part.strip() for part in text[1:-1].split(",") if part.strip()]
    return [value]


def _field(text: str) -> FieldRef:
    match = re.fullmatch(r"([A-Za-z_.0-9]+)(?:\[(.*)\])?", text.strip())
    if match is None:
        raise ResolveError("exceptions", f"{text!r} is no field.")
    return field_ref(match.group(1), match.group(2))

"""Exceptions of rules, and values as YAML has them, made into conditions."""

from __future__ import annotations

from typing import Any

from package_hunter.rules.ast import All, AnyOf, Check, FieldRef, Literal, Node, Operand, Transformation
from package_hunter.rules.collect import Entry
from package_hunter.rules.operands import ResolveError, operand_spec
from package_hunter.rules.parse import ConditionError, parse_condition


def item_text(item: Any) -> tuple[str, bool]:
    """The text of an item, and whether it stands in quotes of its own."""
    text = "" if item is None else str(item)
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1], True
    return text, False


def exception_nodes(entry: Entry) -> list[Node]:
    """What a rule's exceptions say, each as a condition. Their form was checked when they were gathered."""
    given = entry.values.get("exceptions") or []
    return [node for exception in given if (node := _exception(exception)) is not None]


def _exception(exception: dict[str, Any]) -> Node | None:
    name, fields, comps = exception["name"], exception["fields"], exception.get("comps")
    operands = [_operand(str(field)) for field in (fields if isinstance(fields, list) else [fields])]
    rows = exception.get("values") or []
    if not rows:
        return None
    if isinstance(fields, str):
        if any(isinstance(v, list | dict) for v in rows):
            message = f"The exception {name!r} with one field takes a list of single values."
            raise ResolveError("exceptions", message)
        return Check(operands[0], str(comps or "in"), tuple(Literal(*item_text(v)) for v in rows))
    comps = comps or ["="] * len(fields)
    parts = [_row(name, operands, comps, row) for row in rows]
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _row(name: str, fields: list[Operand], comps: list[Any], row: Any) -> Node:
    if not isinstance(row, list) or len(row) != len(fields):
        raise ResolveError("exceptions", f"Each row of exception {name!r} needs {len(fields)} values.")
    checks: list[Node] = []
    for field, comp, value in zip(fields, comps, row, strict=True):
        values = value if isinstance(value, list) else _inline(value)
        op, _, modifier = str(comp).partition(" ")
        texts = tuple(Literal(*item_text(v)) for v in values)
        checks.append(Check(field, "=" if op == "==" else op, texts, modifier=modifier))
    return checks[0] if len(checks) == 1 else All(tuple(checks))


def _inline(value: Any) -> list[Any]:
    """``(a, b)`` written as text is a list of items."""
    text = str(value).strip() if isinstance(value, str) else value
    if isinstance(text, str) and text.startswith("(") and text.endswith(")"):
        return [part.strip() for part in text[1:-1].split(",") if part.strip()]
    return [value]


def _operand(text: str) -> Operand:
    """A field or a transformer of one; it must exist, also where the rule may be left out for unknown fields."""
    try:
        left = getattr(parse_condition(f"{text.strip()} exists"), "left", None)
        if isinstance(left, FieldRef | Transformation):
            operand_spec(left)
            return left
    except ConditionError:
        pass
    except ResolveError as error:
        raise ResolveError("exceptions", error.message, error.text) from None
    raise ResolveError("exceptions", f"{text[:80]!r} is no field.")

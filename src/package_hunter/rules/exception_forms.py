"""Whether the exceptions of an entry are of the form that they must have there, before anything is resolved.

An exception that is new has fields and may have values; to one that is there already only values are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from package_hunter.rules.document import Item, Place
from package_hunter.rules.model import Problem

KEYS = ("name", "fields", "comps", "values")
LIST_OPERATORS = ("in", "intersects", "pmatch")
MODIFIERS = ("oneof", "anyof", "allof")
OPERATORS = (
    *("exists", "<=", "<", ">=", ">", "==", "=", "!=", "glob", "iglob", "contains", "icontains", "bcontains"),
    *("startswith", "bstartswith", "endswith", "regex"),
    *LIST_OPERATORS,
)


def exception_problems(rule: str, item: Item, before: list[Any], appended: bool) -> Iterator[Problem]:
    """What is wrong with ``exceptions`` of an entry; ``before`` are those that the rule has already."""
    place = item.at("exceptions")
    names = [e.get("name") for e in before] if appended else []
    for exception in item.values.get("exceptions") or []:
        name = str(exception["name"])
        where = f"The exception {name!r} of the rule {rule!r}"
        for message in _form(where, exception, appended, known=appended and name in names):
            yield Problem("error", "exceptions", place, message, text=name)
        for key in exception:
            if key not in KEYS:
                message = f"{where} has a key {key!r}, which is not known and is not read."
                yield Problem("warning", "unknown_key", place, message, text=key)
        if appended and "values" not in exception:
            message = f"{where} is appended to without values: nothing changes."
            yield Problem("warning", "no_values", place, message, text=name)
        if not appended and name in names:
            message = f"{where} is defined more than once; each counts."
            yield Problem("warning", "exception_twice", place, message, text=name)
        names.append(name)


def without_values(rule: str, place: Place, exceptions: list[Any]) -> Iterator[Problem]:
    """Exceptions that except nothing, once everything is joined."""
    for exception in exceptions:
        if not exception.get("values"):
            name = str(exception["name"])
            message = f"The exception {name!r} of the rule {rule!r} has no values: it excepts nothing."
            yield Problem("warning", "no_values", place, message, text=name)


def _form(where: str, exception: dict[str, Any], appended: bool, known: bool) -> Iterator[str]:
    fields, comps = exception.get("fields"), exception.get("comps")
    if known:
        for key in ("fields", "comps"):
            if isinstance(exception.get(key), str | list) and exception[key]:
                yield f"{where} is there already: only values can be appended to it, not {key}."
        return
    if not isinstance(fields, str | list) or not fields:
        yield f"{where} has no fields."
        return
    if appended and not exception.get("values"):
        yield f"{where} is new, so it needs values."
    yield from _comps(where, fields, comps)


def _comps(where: str, fields: str | list[Any], comps: Any) -> Iterator[str]:
    if comps in (None, [], {}):
        return
    if isinstance(fields, str):
        if comps not in LIST_OPERATORS:
            yield f"{where} has one field, for which comps is in, pmatch or intersects."
        return
    if not isinstance(comps, list) or len(comps) != len(fields):
        yield f"{where} needs as many comps as fields, as a list."
        return
    for comp in comps:
        op, _, modifier = str(comp).partition(" ")
        if op not in OPERATORS or modifier not in ("", *MODIFIERS):
            yield f"{where} has {str(comp)[:40]!r} for an operator."

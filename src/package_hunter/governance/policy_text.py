"""A policy's document as the text of its file (TOML, docs/policies.md), and what is wrong with such a text, and where.

Only what such a document holds is written: tables of texts, numbers, truth, dates and lists of them.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from package_hunter.errors import UsageError
from package_hunter.governance.document import Document, from_toml, policy_of, require_scannable
from package_hunter.model import toml
from package_hunter.model.text import visible

_NAME = "policy"
_DATES = {"expires", "warn_from", "enforce_from"}
_ORDER = ("verdicts", "project", "require", "schedule", "pipeline", "rule", "waiver")
_FIRST = ("name", "decision", "scan", "mode", "warn_from", "enforce_from", "cron", "fingerprint")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_AT = re.compile(r" \(at line (\d+), column (\d+)\)")
_END = re.compile(r" \(at end of document\)")
_HEADER = re.compile(r"^[ \t]*\[\[?[ \t]*\"?([A-Za-z0-9_-]+)\"?[ \t]*\]\]?", re.MULTILINE)
MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a policy's text; ``line`` and ``column`` from 1."""

    line: int
    column: int
    message: str
    advice: str


def source_of(document: Mapping[str, Any]) -> str:
    """The document as the text of a file: what is read of it (`document.from_toml`) is the document again, save for
    values that no policy has."""
    parts = []
    names = sorted(document, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    for name in names:
        value = document[name]
        if isinstance(value, Mapping):
            parts.append(f"[{_key(name)}]\n{_rows(value)}")
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            parts += [f"[[{_key(name)}]]\n{_rows(one)}" for one in value]
        else:
            parts.insert(0, f"{_key(name)} = {_value(name, value)}\n")
    return "\n".join(parts)


def _rows(table: Mapping[str, Any]) -> str:
    keys = sorted(table, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    return "".join(f"{_key(key)} = {_value(key, table[key])}\n" for key in keys)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(key: str, value: Any) -> str:
    if isinstance(value, str):
        return value if key in _DATES and _is_day(value) else _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value('', one) for one in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(k, v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _text(value: str) -> str:
    """A basic string (TOML 1.0): JSON's, which knows the same escapes; what nobody sees is one, too."""
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if visible(char) == char else _escape(ord(char)) for char in quoted)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def check(text: str, *, narrow: bool) -> tuple[Document | None, list[Problem]]:
    """The document of a text, or all that is wrong with it. ``narrow``: of a group or project."""
    try:
        data = toml.loads(text)
    except toml.TomlError as error:
        return None, [_no_toml(text, str(error))]
    problems = list(_wrong(text, data, narrow))[:MAX_PROBLEMS]
    return (None, problems) if problems else (from_toml(text, _NAME, narrow=narrow), [])


def _no_toml(text: str, said: str) -> Problem:
    at = _AT.search(said)
    line, column = (int(at[1]), int(at[2])) if at else (text.count("\n") + 1, 1)
    what = _END.sub("", _AT.sub("", said))
    return Problem(line, column, f"This is no TOML: {what}.", "Correct that line.")


def _wrong(text: str, data: Mapping[str, Any], narrow: bool) -> Iterator[Problem]:
    """Each table by itself, so that one error hides no other."""
    lines = text.split("\n")
    headers: dict[str, list[int]] = {}
    for hit in _HEADER.finditer(text):
        headers.setdefault(hit[1], []).append(text.count("\n", 0, hit.start(1)))
    for name, value in data.items():
        rows = value if isinstance(value, list) and all(isinstance(one, Mapping) for one in value) else None
        places = headers.get(name, [])
        for number, one in enumerate([[row] for row in rows] if rows else [value]):
            error = _error({name: one}, narrow)
            if error is not None:
                known = len(places) == (len(rows) if rows else 1)
                start = places[number] if known else _first_line(lines, name)
                keys = one[0] if rows else one
                line, column = _place(lines, start, keys, error.message)
                said = error.message.removeprefix(f"{_NAME}, ").removeprefix(f"{_NAME}: ")
                said = said.replace(f"{name} 1", f"{name} {number + 1}", 1) if rows else said
                yield Problem(line + 1, column + 1, said[:1].upper() + said[1:], error.advice or "")


def _error(part: Document, narrow: bool) -> UsageError | None:
    try:
        require_scannable(policy_of(part, _NAME, narrow=narrow))
    except UsageError as error:
        return error
    return None


def _first_line(lines: list[str], name: str) -> int:
    return next((number for number, line in enumerate(lines) if name in line), 0)


def _place(lines: list[str], start: int, table: Any, message: str) -> tuple[int, int]:
    """The line of the key that the message is about, below the table's header; else the header's own."""
    named = (
        [key for key in table if re.search(rf"\b{re.escape(key)}\b", message)]
        if isinstance(table, Mapping)
        else []
    )
    if isinstance(table, Mapping) and not named:
        named = list(_named(table, message)) if isinstance(table, Mapping) else []
    for number in range(start + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        key = lines[number].partition("=")[0].strip().strip("\"'")
        if key in named:
            return number, len(lines[number]) - len(lines[number].lstrip())
    return start, 0


def _named(table: Mapping[str, Any], message: str) -> Iterator[str]:
    """The keys that a message names; those whose values it names, where it names no key."""
    keys = [key for key in table if re.search(rf"\b{re.escape(key)}\b", message)]
    yield from keys
    for key, value in () if keys else table.items():
        if isinstance(value, str) and value and repr(value[:100]) in message:
            yield key

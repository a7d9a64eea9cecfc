"""The form of a policy: the fields that most policies need, put into the document that stands. What has no field stays
as it is; the source has all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from package_hunter.model.scan import Verdict
from package_hunter.report.harmless import harmless
from package_hunter.web.changes import number, words
from package_hunter.web.page import Form
from package_hunter.web.render import MAX_SHOWN

Document = dict[str, Any]
_MOST = 500
_RULE = ("name", "decision", "kind", "package", "severity", "confidence", "mode", "warn_from", "enforce_from")
_FIELDS = {
    "rule": (*_RULE, "older_than"),
    "require": ("scan", "projects", "depth"),
    "schedule": ("name", "cron", "projects", "targets", "depth"),
}
_LISTS = {"projects", "targets"}
_NEEDED = {"rule": "decision", "require": "scan", "schedule": "name"}
"""Of a new row: what says that there is one."""


def free_rows(document: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The rows of each table as the form shows them, with an empty one to be filled."""
    return {name: [*document.get(name, []), {}] for name in _FIELDS}


def applied(document: Mapping[str, Any], form: Form, *, narrow: bool) -> Document:
    """The document with what the form says."""
    made: Document = dict(document)
    verdicts = {v.value: str(form.get(f"verdict-{v.value}", "")) for v in Verdict}
    _put(made, "verdicts", {name: decision for name, decision in verdicts.items() if decision})
    for table in _FIELDS:
        _put(made, table, _rows(table, document.get(table, []), form))
    if not narrow:
        project = {**document.get("project", {}), "own_file": "own_file" in form}
        _put(made, "project", project if project != {"own_file": False} else {})
    return made


def _put(document: Document, name: str, value: Any) -> None:
    if value not in ("", [], {}):
        document[name] = value
    else:
        document.pop(name, None)


def _rows(table: str, before: list[Document], form: Form) -> list[Document]:
    found = []
    for index in range(min(len(before) + 1, _MOST)):
        prefix = f"{table}-{index}-"
        if f"{prefix}gone" in form:
            continue
        old = before[index] if index < len(before) else {}
        row = _row(table, old, {key: str(form.get(prefix + key, "")).strip() for key in _FIELDS[table]})
        if row and (index < len(before) or row.get(_NEEDED[table])):
            found.append(row)
    return found


def _row(table: str, old: Document, said: Mapping[str, str]) -> Document:
    row = dict(old)
    for key in _FIELDS[table]:
        value: Any = said[key]
        if key in old and value == _shown(old[key]):
            continue  # what the form shows of a value need not be all of it
        if key in _LISTS:
            value = words(value)
        elif key == "older_than" and value:
            value = number(value)
        _put(row, key, value)
    return row


def _shown(value: Any) -> str:
    """A value as a field of the form shows it (`render.shown`)."""
    return harmless(" ".join(map(str, value)) if isinstance(value, list) else value, MAX_SHOWN).strip()

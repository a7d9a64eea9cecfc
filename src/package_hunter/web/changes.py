"""Forms of changes that need two people: what each kind's fields say as its document (docs/proposals.md), and back.

What a field cannot mean goes into the document as it was typed: the API says what is wrong with it, and the form shows
it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from package_hunter.api.errors import ApiError
from package_hunter.governance.proposals.kinds import KINDS
from package_hunter.model.text import visible
from package_hunter.policy.model import When
from package_hunter.web.page import Form

_MOST_ROWS = 300
Fields = Callable[[Form], Any]
WHOLE = "whole"
"""The field of the document itself, as JSON: the form of kinds that have no other, and of what fits into none."""
MEANING = {
    "policy": "What blocks, what asks for review, which scans must be there.",
    "required-scan": "Scans that must be there, and nothing else of a policy.",
    "waiver": "A finding counts no more, though it is proof or an enforced rule decides it.",
    "rule-set": "Falco rules of your own, after the built-in ones.",
    "role-mappings": "Which groups of an identity provider have which roles.",
    "approval-rights": "Somebody may approve what others propose, or may not any more.",
    "approval-settings": "How many people a change takes.",
}
"""What each kind is, for who chooses one."""
EDITORS = {"policy": "/policies", "rule-set": "/rules/try"}
"""Kinds that are written on pages of their own."""
OF_THE_SERVER = frozenset({"role-mappings"})
"""Kinds that hold everywhere, and nowhere else."""


def document(kind: str, form: Form) -> Any:
    """What the form says. ApiError 400 where the JSON is none."""
    if WHOLE in form:
        try:
            return json.loads(form[WHOLE])
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"This is no JSON: {error}.", "Correct it there.") from None
    return _READERS[kind](form)


def has_form(kind: str, said: Any) -> bool:
    """Whether the kind has fields, and they can hold all that this document says, letter by letter."""
    if kind not in _READERS or not isinstance(said, Mapping) or not set(said) <= _KEYS[kind] | _FOUND:
        return False
    return all(_fits(value) for key, value in said.items() if key not in _FOUND)


def _fits(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_fits, value.values()))
    if isinstance(value, list):
        return len(value) <= _MOST_ROWS and all(map(_fits, value))
    return not isinstance(value, str) or visible(value, keep="\n\t") == value


def as_json(said: Any) -> str:
    """A document as JSON for people: what nobody sees is an escape, so that it stays what it is when it is sent."""
    text = json.dumps(said, indent=2, ensure_ascii=False, sort_keys=True)
    return "".join(char if char == "\n" or visible(char) == char else json.dumps(char)[1:-1] for char in text)


def rows(form: Form, *names: str) -> list[dict[str, str]]:
    """Of a table of fields ``name-0``, ``name-1``, …: the rows in which anything was written."""
    found = []
    for number in range(_MOST_ROWS):
        if not any(f"{name}-{number}" in form for name in names):
            break
        row = {name: str(form.get(f"{name}-{number}", "")).strip() for name in names}
        if any(row.values()):
            found.append(row)
    return found


def words(text: str) -> list[str]:
    """A field of several words."""
    return text.replace(",", " ").split()


def number(text: str) -> int | str:
    """A whole number; anything else as it is."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _waiver(form: Form) -> dict[str, Any]:
    keys = ("fingerprint", "state", "reason", "remark", "until")
    said = {key: str(form.get(key, "")).strip() for key in keys}
    return {key: value or (None if key in ("reason", "until") else "") for key, value in said.items()}


def _rule_set(form: Form) -> dict[str, Any]:
    return {"name": str(form.get("name", "")).strip(), "rules": text(form, "rules")}


def text(form: Form, name: str) -> str:
    """A field of several lines, with line ends as files have them (browsers send CRLF)."""
    return str(form.get(name, "")).replace("\r\n", "\n")


def _required(form: Form) -> dict[str, Any]:
    made = []
    for row in rows(form, "scan", "projects", "depth"):
        if row["scan"]:
            table: dict[str, Any] = {"scan": row["scan"]}
            table |= {"projects": words(row["projects"])} if row["projects"] else {}
            made.append(table | ({"depth": row["depth"]} if row["depth"] else {}))
    return {"require": made}


def _mappings(form: Form) -> dict[str, Any]:
    return {"mappings": rows(form, "provider", "group", "role", "place")}


def _rights(form: Form) -> dict[str, Any]:
    said = {key: str(form.get(key, "")).strip() for key in ("account", "role")}
    return said | {"held": form.get("held") != "no"}


def _settings(form: Form) -> dict[str, Any]:
    said = {key: number(str(form.get(key, ""))) for key in ("approvals", "days")}
    kinds = {kind: number(str(form.get(f"kind-{kind}", ""))) for kind in KINDS}
    return {key: value for key, value in said.items() if value != ""} | {
        "kinds": {kind: value for kind, value in kinds.items() if value != ""}
    }


_READERS: dict[str, Fields] = {
    "rule-set": _rule_set,
    "waiver": _waiver,
    "required-scan": _required,
    "role-mappings": _mappings,
    "approval-rights": _rights,
    "approval-settings": _settings,
}
_KEYS = {
    "rule-set": {"name", "rules"},
    "waiver": {"fingerprint", "state", "reason", "remark", "until"},
    "required-scan": {"require"},
    "role-mappings": {"mappings"},
    "approval-rights": {"account", "role", "held"},
    "approval-settings": {"approvals", "days", "kinds"},
}
_FOUND = {"finding", "behaviour"}  # of a waiver: the server puts them in
_EMPTY: dict[str, Any] = {
    "waiver": {"state": "accepted"},
    "required-scan": {"require": []},
    "role-mappings": {"mappings": []},
    "rule-set": {"name": "team", "rules": ""},
    "approval-rights": {"held": True, "role": "security-admin"},
    "approval-settings": {"approvals": 1, "days": 14, "kinds": {}},
}
SCANS = [one.value for one in When]


def empty(kind: str) -> Any:
    """What a form begins with."""
    return dict(_EMPTY.get(kind, {}))

"""Keys of an entry: which there are, which of them are read in its form, and of which kind their values are.

Falco reads scalars as texts and makes of them what the key wants, so ``enabled: "no"`` is a switch like any other
while ``enabled: maybe`` is an error; here it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from package_hunter.rules.document import Item, Place

TRUE, FALSE = ("y", "yes", "true", "on"), ("n", "no", "false", "off")
OVERRIDABLE = ("condition", "output", "desc", "tags", "exceptions")
REPLACEABLE = (
    *OVERRIDABLE,
    *("priority", "enabled", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration"),
)
NEEDED = ("condition", "output", "desc", "priority")
KNOWN = {
    "rule": {"rule", "source", "append", "override", *REPLACEABLE},
    "macro": {"macro", "condition", "append", "override"},
    "list": {"list", "items", "append", "override"},
}


@dataclass(frozen=True)
class KeyProblem:
    """A key whose value is not what it must be: a stable code, where, and a sentence."""

    code: str
    place: Place
    message: str


class WrongKind(ValueError):
    """A value of a wrong kind: what it must be, as the rest of a sentence."""


def decode(kind: str, item: Item, read: tuple[str, ...]) -> list[KeyProblem]:
    """Check the keys of ``read`` that an entry has and put their values into the form that the key has.

    Keys that are not read in this form of entry (``output`` beside ``append: true``) may hold anything, as in
    Falco.
    """
    problems = []
    for key in read:
        if key not in item.values:
            continue
        try:
            item.values[key] = _KINDS[key](item.values[key])
        except WrongKind as error:
            message = f"{key!r} of the {kind} {item.values[kind]!r} {error}."
            problems.append(KeyProblem("key_kind", item.at(key), message))
    return problems


def unknown_keys(kind: str, item: Item) -> Iterator[KeyProblem]:
    """Keys that nothing reads: most often a misspelt one."""
    for key in item.values:
        if key not in KNOWN[kind]:
            yield KeyProblem(
                "unknown_key", item.at(key), f"The key {key!r} of a {kind} is not known and is not read."
            )


def flag(value: Any) -> bool:
    """A switch, in any of YAML's spellings."""
    word = text(value)
    if word in (word.lower(), word.upper(), word.capitalize()):
        if word.lower() in TRUE:
            return True
        if word.lower() in FALSE:
            return False
    raise WrongKind(f"is true or false, not {word[:40]!r}")


def text(value: Any) -> str:
    """A text that is not empty."""
    if isinstance(value, list | dict):
        raise WrongKind("is a single value, not a list or mapping")
    if value in (None, ""):
        raise WrongKind("is empty")
    return str(value)


def version(word: str) -> tuple[int, int, int] | None:
    """``1.2.3`` and what may stand behind it; None where it is none."""
    found = re.match(r"\s*([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})", word)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


PluginVersion = tuple[str, str]  # name, least version


def plugin_choices(entry: Any) -> list[PluginVersion]:
    """An entry of required_plugin_versions: the plugin, then what may stand for it. WrongKind where it is none."""
    if not isinstance(entry, dict):
        raise WrongKind("is a mapping with name and version")
    others = entry.get("alternatives", [])
    if not isinstance(others, list) or not all(isinstance(o, dict) for o in others):
        raise WrongKind("has alternatives that are no list of mappings")
    found: dict[str, str] = {}
    for choice in (entry, *others):
        name, wanted = (_named(choice, key) for key in ("name", "version"))
        if version(wanted) is None:
            raise WrongKind(f"{name!r} has {wanted[:40]!r} for a version")
        if name in found:
            raise WrongKind(f"{name!r} is named more than once in one entry")
        found[name] = wanted
    return list(found.items())


def _named(choice: dict[str, Any], key: str) -> str:
    try:
        return text(choice.get(key))
    except WrongKind as error:
        raise WrongKind(f"has a {key} that {error}") from None


def whole_number(word: str) -> int | None:
    """A number as YAML writes them: decimal, octal behind a 0, hexadecimal behind 0x; None where it is none."""
    if not re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}|0[0-7]{0,20}|[1-9][0-9]{0,18}", word):
        return None
    return int(word, 16 if word[1:2] in ("x", "X") else 8 if word[0] == "0" else 10)


def _source(value: Any) -> str:
    return "" if value in (None, "") else text(value)


def _count(value: Any) -> int:
    word = text(value)
    number = whole_number(word)
    if number is None:
        raise WrongKind(f"is a whole number, not {word[:40]!r}")
    return number


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise WrongKind("is a list")
    if any(isinstance(v, list | dict) or v is None for v in value):
        raise WrongKind("is a list of single values, none of them a list, a mapping or nothing")
    return [str(v) for v in value]


def _exceptions(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise WrongKind("is a list")
    for exception in value:
        if not isinstance(exception, dict):
            raise WrongKind("is a list of mappings, each with a name")
        try:
            text(exception.get("name"))
        except WrongKind as error:
            raise WrongKind(f"needs a name for each exception; one {error}") from None
        if "values" in exception and not isinstance(exception["values"], list):
            raise WrongKind(f"has an exception {exception['name']!r} whose values are no list")
        _filled(exception)
    return value


def _filled(exception: dict[str, Any]) -> None:
    todo: list[Any] = [exception.get(key) for key in ("fields", "comps", "values")]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif value == "":
            raise WrongKind(f"has an exception {exception['name']!r} with an empty text")


def _override(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        raise WrongKind("names keys, each with append or replace")
    return value if isinstance(value, dict) else {}


_KINDS: dict[str, Callable[[Any], Any]] = {
    "condition": text, "output": text, "desc": text, "priority": text, "source": _source,
    "enabled": flag, "warn_evttypes": flag, "skip-if-unknown-filter": flag, "capture": flag, "append": flag,
    "capture_duration": _count, "tags": _texts, "items": _texts, "exceptions": _exceptions,
    "override": _override,
}  # fmt: skip

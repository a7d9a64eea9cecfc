"""Parts of a policy's text, each with an error that says where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from package_hunter.errors import UsageError

E = TypeVar("E", bound=Enum)
MAX_TEXT = 1_000  # of a pattern, a reason, an author
MAX_DAYS = 100_000


def known(data: Mapping[str, Any], allowed: set[str], where: str) -> None:
    """UsageError where there is a key that is not allowed."""
    unknown = sorted(set(data) - allowed)
    if unknown:
        raise UsageError(
            f"{where}: unknown key {unknown[0][:100]!r}.", f"Known are: {', '.join(sorted(allowed))}."
        )


def table(data: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    """The table of this key, empty where there is none; UsageError."""
    value = data.get(key, {})
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: {key} must be a table.", f"Write [{key}].")
    return value


def tables(data: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    """The list of tables of this key, empty where there is none; UsageError."""
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
        raise UsageError(f"{where}: {key} must be a list of tables.", f"Write [[{key}]].")
    return value


def choice(kind: type[E], value: object, where: str) -> E:
    """The member of this value; UsageError names them all."""
    try:
        return kind(str(value))
    except ValueError:
        allowed = ", ".join(str(member) for member in kind)
        raise UsageError(f"{where}: {str(value)[:100]!r} is not one of {allowed}.", "Correct it.") from None


def day(value: object, where: str, advice: str) -> dt.date:
    """A date, as TOML has it, or as a document does (text, ``2027-03-31``); UsageError."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    raise UsageError(where, advice)


def texts(value: object, where: str, most: int = 100) -> tuple[str, ...]:
    """A list of texts; UsageError."""
    if not isinstance(value, list) or not all(isinstance(v, str) and 0 < len(v) <= MAX_TEXT for v in value):
        raise UsageError(f"{where} is no list of texts.", 'Write ["one", "another"].')
    if not 0 < len(value) <= most:
        raise UsageError(f"{where} has {len(value)} entries.", f"Give 1 to {most}.")
    return tuple(value)


def text(value: object, where: str, most: int = MAX_TEXT) -> str:
    """A text that is not empty; UsageError."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where} is missing.", "Add it.")
    if len(value) > most:
        raise UsageError(f"{where} is longer than {most} characters.", "Shorten it.")
    return value

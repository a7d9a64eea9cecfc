"""`--only KEY=VALUE`: which findings are meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from package_hunter.errors import UsageError
from package_hunter.model.scales import SEVERITIES
from package_hunter.model.scan import Verdict
from package_hunter.triage.listing import Filters
from package_hunter.triage.values import Asks, State


def _yes_no(text: str) -> bool:
    return {"yes": True, "no": False}[text]


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ValueError(text)
    return int(text)


def _severity(text: str) -> str:
    return SEVERITIES[SEVERITIES.index(text)]


KEYS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "state": (State, f"one of {', '.join(State)}"),
    "asks": (Asks, f"one of {', '.join(Asks)}"),
    "kind": (str, "a kind of finding"),
    "severity": (_severity, f"one of {', '.join(SEVERITIES)}: this or worse"),
    "verdict": (Verdict, f"one of {', '.join(Verdict)}"),
    "package": (str, "a package URL without version; * at its end: all that begin so"),
    "fingerprint": (str, "a fingerprint"),
    "older_than": (_days, "days since it was first seen"),
    "newer_than": (_days, "days since it was first seen"),
    "detected": (_yes_no, "yes or no"),
    "claimed": (_yes_no, "yes or no"),
    "claimed_by": (str, "the account that is on it"),
    "expires_in": (_days, "days: the acceptance ends within so many"),
    "drill": (_yes_no, "yes or no: of standing drills"),
    "text": (str, "words in title, package, kind or fingerprint"),
}
"""What may be asked: how it is read, and what it is, for people."""


def pairs(said: Sequence[str]) -> dict[str, str]:
    """The same, as a query of the API says it; UsageError."""
    filters(said)
    return {key: value for key, _, value in (one.partition("=") for one in said)}


def filters(said: Sequence[str]) -> Filters:
    """The filters of ``KEY=VALUE`` texts; UsageError."""
    found: dict[str, Any] = {}
    for one in said:
        key, equals, value = one.partition("=")
        if not equals or key not in KEYS:
            raise UsageError(
                f"{one[:100]!r} says nothing of findings.", f"Write KEY=VALUE, of {', '.join(KEYS)}."
            )
        if key in found:
            raise UsageError(f"{key} is said twice.", "All must fit: say it once.")
        read, meaning = KEYS[key]
        try:
            found[key] = read(value)
        except (ValueError, KeyError):
            raise UsageError(f"{value[:100]!r} is no {key}.", f"It is {meaning}.") from None
    return Filters(**found)

"""What happened, in the words of data/forms.yaml: within a kind, which act a signal is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from package_hunter.findings.catalog import Kind, load
from package_hunter.findings.meaning import command_words
from package_hunter.findings.signals import Signal

_MAX_TEXT = 2_000  # characters of a command line or path that patterns look at


@dataclass(frozen=True, slots=True)
class Form:
    """One act of a kind. ``when`` is what must hold of a signal; the rest stands in for the kind's own words. A
    ``lesser`` one goes without saying where the kind's own act was seen."""

    name: str
    when: Mapping[str, Any] = field(hash=False)
    title: str
    raised: str
    lowers: str
    severity: str
    advice: tuple[str, ...]
    lesser: bool = False


def form_of(signal: Signal, kind: Kind) -> Form:
    """The first form of the kind that fits, the kind's own (without a name) where none does."""
    return next((form for form in forms(kind) if _fits(signal, form.when)), _own(kind))


@cache
def forms(kind: Kind) -> tuple[Form, ...]:
    """All forms of a kind, in the order of the file; what a form does not say is said by the kind."""
    return tuple(
        Form(
            name=row["name"],
            when=row["when"],
            title=row["title"],
            raised=row.get("raised", kind.raised),
            lowers=row.get("lowers", kind.lowers),
            severity=row.get("severity", kind.severity),
            advice=tuple(row.get("advice", kind.advice)),
            lesser=row.get("lesser", False),
        )
        for row in load("forms.yaml").get(kind.name, ())
    )


@cache
def _own(kind: Kind) -> Form:
    return Form("", {}, kind.title, kind.raised, kind.lowers, kind.severity, kind.advice)


def command_of(signal: Signal) -> str:
    """The command line of the process that a rule saw; "" where none did."""
    fields = signal.data.get("fields")
    line = str(fields.get("proc.cmdline") or "") if isinstance(fields, Mapping) else ""
    words = line[:_MAX_TEXT].split(maxsplit=3)
    # a program that is a script has the interpreter's mention of it: ``systemctl /usr/bin/systemctl status``
    own = command_words(words)
    return " ".join(own) if own != words else line


def _fits(signal: Signal, when: Mapping[str, Any]) -> bool:
    return all(_CHECKS[name](signal, wanted) for name, wanted in when.items())


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _by(signal: Signal, wanted: str) -> bool:
    return ("rule" in signal.data) == (wanted == "rule")


_CHECKS: Mapping[str, Any] = {
    "subject": lambda s, wanted: _pattern(wanted).search(s.subject[:_MAX_TEXT]) is not None,
    "command": lambda s, wanted: _pattern(wanted).search(command_of(s)[:_MAX_TEXT]) is not None,
    "attack": lambda s, wanted: wanted in s.attack,
    "facts": lambda s, wanted: all(s.facts.get(name) == value for name, value in wanted.items()),
    "seen": _by,
    "event": lambda s, wanted: str(s.data.get("event") or "").startswith((wanted, "spawn")),
    "class": lambda s, wanted: s.weight.name.lower() == wanted,
}

"""ATT&CK techniques of a scan, under their tactics, with the findings that show them.

Names and tactics: MITRE ATT&CK for Enterprise, v17 (https://attack.mitre.org), of the techniques that rules and kinds
of findings name. One that is not here is shown by its number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from package_hunter.model.report import Report
from package_hunter.report import words

_FILE = "attack.tsv"


@dataclass(slots=True)
class Technique:
    """``tactic`` and ``name`` are "" where they are not known here; ``findings`` are titles, gravest first."""

    id: str
    tactic: str
    name: str
    severity: str
    findings: list[str] = field(default_factory=list)


def techniques(report: Report) -> list[tuple[str, list[Technique]]]:
    """By tactic, in the order of an attack; "" where a tactic is not known here."""
    found: dict[str, Technique] = {}
    for finding in words.as_shown(words.counting(report)):
        for number in finding.attack:
            tactic, name = names().get(number, ("", ""))
            one = found.setdefault(number, Technique(number, tactic, name, finding.severity))
            one.findings.append(finding.title)
    by_tactic: dict[str, list[Technique]] = {tactic: [] for tactic, _ in names().values()}
    for one in sorted(found.values(), key=lambda one: one.id):
        by_tactic.setdefault(one.tactic, []).append(one)
    return [(tactic, those) for tactic, those in by_tactic.items() if those]


@cache
def names() -> dict[str, tuple[str, str]]:
    """Number -> tactic and name."""
    rows = (line.split("\t") for line in _TABLE.splitlines() if line)
    return {number: (tactic, name) for tactic, number, name in rows}


_TABLE = resources.files("package_hunter.report").joinpath("evidence", _FILE).read_text(encoding="utf-8")

"""Findings of a report as a page shows them: a kind of them, a page at a time, each with where it is decided about."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from package_hunter.model.finding import Evidence, Finding
from package_hunter.model.report import Report
from package_hunter.model.shown import shown
from package_hunter.report import words
from package_hunter.triage.projection import finding_id

KINDS: Mapping[str, str] = {
    "counting": "That count",
    "waived": "Waived, and not counted",
    "information": "For information: honest packages do this too",
}
_ON_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Findings:
    """``kind`` is one of `KINDS`, of which ``counts`` tells how many there are; ``more``: so many follow."""

    kind: str
    page: int
    items: Sequence[Finding]
    more: int
    counts: Mapping[str, int]
    marks: Mapping[str, list[str]]
    _members: Mapping[str, Sequence[Finding]]

    @classmethod
    def of(cls, report: Report, kind: str, page: int, most: int = _ON_A_PAGE) -> Findings:
        """A page of them; of a kind that is none, those that count."""
        groups = {
            "counting": words.as_shown(words.counting(report)),
            "waived": [f for f in words.as_shown(report.findings) if f.waived],
            "information": [
                f for f in words.as_shown(report.findings) if f.severity == "info" and not f.waived
            ],
        }
        kind = kind if kind in groups else "counting"
        begin = (page - 1) * most
        members = {one.finding.fingerprint: one.members for one in shown(report.findings)}
        return cls(
            kind,
            page,
            groups[kind][begin : begin + most],
            max(0, len(groups[kind]) - begin - most),
            {name: len(those) for name, those in groups.items()},
            words.marks(report),
            members,
        )

    @staticmethod
    def told(finding: Finding) -> list[Evidence]:
        """The evidence that says more than the title."""
        return [e for e in finding.evidence if e.what.rstrip(".") != finding.title.rstrip(".")]

    def decided_at(self, finding: Finding, project: str) -> list[tuple[str, str]]:
        """The pages of the project's findings that it stands for, each with what tells it from the others."""
        members = self._members.get(finding.fingerprint, [finding])
        names = [one.blame.package if one.blame and one.blame.package else "" for one in members]
        told = names if len(set(names)) == len(names) and all(names) else [one.title for one in members]
        pages = [f"/findings/{finding_id(uuid.UUID(project), one.fingerprint)}" for one in members]
        return list(zip(pages, told, strict=True))

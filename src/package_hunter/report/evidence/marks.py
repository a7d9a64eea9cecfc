"""What is known of a single process: rules that matched on it, fakes that it read or sent, whom it talked to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_hunter.model.observation import Blame
from package_hunter.model.scales import severity_rank
from package_hunter.report import words

if TYPE_CHECKING:
    from package_hunter.report.evidence.scan import Exhibits

_MAX_MARKS = 40  # different ones of a process


@dataclass(slots=True)
class Mark:
    """``kind`` is ``rule``, ``read``, ``sent``, ``contact`` or ``finding``; ``weight`` a severity, for its colour."""

    kind: str
    text: str
    weight: str
    count: int = 1


@dataclass
class Marks:
    """Marks and the package to blame, by the key of a process. ``cut``: processes with more marks than are kept."""

    by_process: dict[int, list[Mark]] = field(default_factory=lambda: defaultdict(list))
    package: dict[int, str] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    _known: dict[tuple[int, str, str], Mark] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, evidence: Exhibits) -> Marks:
        """Of a whole report."""
        made = cls()
        report, severities = evidence.report, _severities(evidence)
        for alert in report.alerts:
            weight = severities.get(alert.rule, "info")
            made._add(evidence.process_of_alert(alert), "rule", alert.rule, weight, alert.blame)
        for read in report.canaries.read:
            kind = evidence.kinds.get(read.canary, read.canary)
            accused = severities.get(("read", read.path), "info")
            made._add(read.process, "read", f"{kind}: {words.short(read.path, 200)}", accused, read.blame)
        for hit in report.canaries.sent:
            if hit.lawful:
                continue
            kind = evidence.kinds.get(hit.canary, hit.canary)
            key = evidence.process_of(hit.blame, hit.time_ns)
            made._add(key, "sent", f"{kind} to {hit.destination}", "critical", hit.blame)
        for contact in evidence.contacts:
            where = f"{contact.name or contact.address}:{contact.port}"
            key = evidence.process_of(contact.blame, contact.time_ns)
            made._add(key, "contact", where, "medium", contact.blame)
        return made

    def _add(self, key: int | None, kind: str, text: str, weight: str, blame: Blame | None) -> None:
        if key is None:
            return
        if blame is not None and blame.package and blame.confidence != "tree":
            self.package.setdefault(key, blame.package)
        known = self._known.get((key, kind, text))
        if known is not None:
            known.count += 1
            return
        if len(self.by_process[key]) >= _MAX_MARKS:
            self.cut.add(key)
            return
        made = self._known[key, kind, text] = Mark(kind, text, weight)
        self.by_process[key].append(made)


def _severities(evidence: Exhibits) -> dict[str | tuple[str, str], str]:
    """Rule, or what was read -> the gravest severity of the findings that speak of it."""
    found: dict[str | tuple[str, str], str] = {}
    for finding in words.counting(evidence.report):
        for item in finding.evidence:
            keys: list[str | tuple[str, str]] = []
            if item.data.get("rule"):
                keys.append(str(item.data["rule"]))
            if finding.kind == "credential_access" and item.data.get("path"):
                keys.append(("read", str(item.data["path"])))
            for key in keys:
                worst = found.get(key, "info")
                found[key] = max(worst, finding.severity, key=severity_rank)
    return found

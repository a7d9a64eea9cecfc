"""The recordings of a bundle judged again, and held against its report: what agrees, what differs, what is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from package_hunter.bundle.errors import BadBundleError
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Alert
from package_hunter.model.report import Report
from package_hunter.model.report_form import finding_json
from package_hunter.observe.events import compile_rules
from package_hunter.pipeline.rederive import Rederived, rederive, together
from package_hunter.pipeline.surroundings import Surroundings
from package_hunter.rules import Matcher
from package_hunter.rules.load import load_texts

Rules = Sequence[tuple[str, str]]
_MAX_TOLD = 20  # differences of a kind that are named one by one
_SAME = ("kind", "severity", "proof", "title", "form", "blame", "attack")
_NARROWED = ("kind", "severity", "proof", "title", "form", "attack")


class Source(StrEnum):
    """Where a finding of the report comes from."""

    RECORDING = "recording"  # the events of the recording and the rules
    GATEWAY = "gateway"  # they, and what the gateway recorded, which is attested
    ATTESTED = "attested"  # the report alone


@dataclass(frozen=True, slots=True)
class Origin:
    """A finding of the report, and where it comes from; ``why`` it could not be derived, "" where it was."""

    finding: Finding
    source: Source
    why: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """``findings`` are those of the replay, and of the report where those cannot be derived. ``unknown``: what could
    not be told, sentences; ``differences``: what is not as the report says, sentences."""

    origins: tuple[Origin, ...]
    findings: tuple[Finding, ...]
    alerts: int
    attested_alerts: int
    differences: tuple[str, ...]
    unknown: tuple[str, ...]


def matcher_of(rules: Rules) -> Matcher:
    """The rules, ready; BadBundleError with the first thing that is wrong with them."""
    loaded = load_texts(rules)
    if loaded.errors:
        raise BadBundleError(f"The bundle's rules cannot be loaded: {loaded.errors[0]}")
    return compile_rules(loaded)


def replay_all(recordings: Iterable[Path], rules: Rules) -> list[Rederived]:
    """Each recording judged by these rules. BadArchiveError where one is no recording."""
    matcher = matcher_of(rules)
    return [rederive(path, lambda _: matcher) for path in recordings]


def compare(report: Report, rounds: Sequence[Rederived], rules: Rules) -> Compared:
    """The report held against its recordings."""
    return _Comparison(report, rounds, rules).made()


class _Comparison:
    def __init__(self, report: Report, rounds: Sequence[Rederived], rules: Rules) -> None:
        self._report, self._rounds = report, rounds
        self._around = [item.surroundings for item in rounds if item.surroundings is not None]
        self._rules = tuple(rules)
        self._differences: list[str] = []
        self._unknown: list[str] = []

    def made(self) -> Compared:
        self._look_at_rounds()
        alerts, attested = self._alerts()
        if len(self._around) < len(self._rounds):
            origins = [
                Origin(f, Source.ATTESTED, "the recording keeps no surroundings")
                for f in self._report.findings
            ]
            findings: tuple[Finding, ...] = self._report.findings
        else:
            origins, findings = self._findings()
        return Compared(
            tuple(origins), findings, alerts, attested, tuple(self._differences), tuple(self._unknown)
        )

    def _look_at_rounds(self) -> None:
        for number, item in enumerate(self._rounds, 1):
            which = f"Recording {number}" if len(self._rounds) > 1 else "The recording"
            if item.truncated:
                self._unknown.append(f"{which} ends in the middle: only what is before was judged.")
            around = item.surroundings
            if item.scan not in (self._report.id, self._report.known_from):
                self._differences.append(f"{which} is of another scan than the report.")
            if around is None:
                self._unknown.append(
                    f"{which} keeps no surroundings (an older one, or of a scan that was killed): its alerts were "
                    "compared, its findings could not be."
                )
                continue
            if around.rules != self._rules:
                self._differences.append(f"{which} was judged by other rules than those of the bundle.")
            said = around.facts.coverage.events
            if said != item.events and not item.truncated:
                self._differences.append(f"{which} has {item.events} events, and its scan saw {said}.")

    def _alerts(self) -> tuple[int, int]:
        """How many the replay gave, and how many of the report's are attested alone."""
        derived = [alert for item in self._rounds for alert in item.alerts]
        said, seen = Counter(map(_alert_key, self._report.alerts)), Counter(map(_alert_key, derived))
        surely = Counter(_alert_key(a) for item in self._rounds if not _hurried(item) for a in item.alerts)
        self._tell("The recording shows an alert that the report has not", (surely - said).elements())
        lost = list((said - seen).elements())
        elsewhere = [key for key in lost if not self._in_a_box(key[0])]
        self._tell(
            "The report has an alert that the recording does not show",
            (key for key in lost if self._in_a_box(key[0])),
        )
        return len(derived), len(elsewhere)

    def _tell(self, what: str, keys: Iterable[tuple[int, str, str]]) -> None:
        by_rule = Counter(rule for _, rule, _ in keys)
        for rule, count in list(by_rule.items())[:_MAX_TOLD]:
            self._differences.append(f"{what}: rule “{rule[:200]}”, {count} times.")
        if len(by_rule) > _MAX_TOLD:
            self._differences.append(f"{what}: {len(by_rule) - _MAX_TOLD} more rules.")

    def _in_a_box(self, time_ns: int) -> bool:
        """Whether a recorded box lived then; where that is not known, it is taken so."""
        if len(self._around) < len(self._rounds):
            return True
        return any(one.began_ns <= time_ns <= one.ended_ns for one in self._around)

    def _findings(self) -> tuple[list[Origin], tuple[Finding, ...]]:
        derived = {f.fingerprint: f for f in together(self._rounds)}
        alone = frozenset(mark for item in self._rounds for mark in item.alone)
        origins, findings = [], []
        for finding in self._report.findings:
            twin, keys = self._twin(finding, derived)
            if twin is None:
                why = self._why_attested(finding)
                if why:
                    origins.append(Origin(finding, Source.ATTESTED, why))
                    findings.append(finding)
                else:
                    self._differences.append(f"The recording does not show {_named(finding)}.")
                continue
            derived.pop(twin.fingerprint, None)
            self._same(finding, twin, keys)
            why = "" if keys == _SAME else "whom to blame was found in a further box"
            origins.append(
                Origin(finding, Source.RECORDING if twin.fingerprint in alone else Source.GATEWAY, why)
            )
            # what the report says where they agree: of the same weight, and known by the mark that states go by
            agreed = replace(finding, severity=twin.severity, proof=twin.proof, kind=twin.kind)
            findings.append(agreed)
        for finding in derived.values():
            self._differences.append(f"The recording shows {_named(finding)}, which the report has not.")
            findings.append(finding)
        return origins, tuple(findings)

    def _twin(
        self, finding: Finding, derived: Mapping[str, Finding]
    ) -> tuple[Finding | None, tuple[str, ...]]:
        """The same finding of the replay, and what must be equal. One whose blame was narrowed down in a further box
        has another mark, and the evidence that it had."""
        if finding.fingerprint in derived:
            return derived[finding.fingerprint], _SAME
        known = {f.fingerprint for f in self._report.findings}
        what = [evidence.what for evidence in finding.evidence]
        for other in derived.values():
            same = other.kind == finding.kind and [e.what for e in other.evidence] == what
            if (
                same
                and other.fingerprint not in known
                and other.blame is not None
                and other.blame.phase == "import"
            ):
                return other, _NARROWED
        return None, _SAME

    def _same(self, finding: Finding, twin: Finding, keys: Sequence[str]) -> None:
        said, shown = finding_json(finding), finding_json(twin)
        for key in keys:
            if _plain(said.get(key)) != _plain(shown.get(key)):
                self._differences.append(
                    f"{_named(finding)}: the report's {key} is {_short(said.get(key))}, the replay's "
                    f"{_short(shown.get(key))}."
                )
        told = {evidence.get("what") for evidence in said["evidence"]}
        missing = [e for e in shown["evidence"] if e.get("what") not in told]
        if missing and len(told) < len(shown["evidence"]):
            self._differences.append(
                f"{_named(finding)}: the report lacks evidence: {_short(missing[0].get('what'))}."
            )

    def _why_attested(self, finding: Finding) -> str:
        """Why a finding cannot come from these recordings; "" where it should."""
        if finding.kind == "gated_behaviour":
            return "it compares several boxes"
        rules = {str(e.data["rule"]) for e in finding.evidence if e.data.get("rule")}
        known = self._rule_names()
        if rules and not rules & known:
            return "its rule came after the scan, when the recording was judged again"
        if finding.evidence and not any(self._in_a_box(e.time_ns) for e in finding.evidence):
            return "it was seen in a further box, which is not recorded"
        if any(line.startswith("It was seen in a further box") for line in finding.explain):
            return "it was seen in a further box"
        return ""

    def _rule_names(self) -> set[str]:
        return {rule.name for rule in load_texts(self._rules).rules}


def _hurried(item: Rederived) -> bool:
    return item.surroundings is not None and item.surroundings.hurried


def _alert_key(alert: Alert) -> tuple[int, str, str]:
    return alert.time_ns, alert.rule, alert.priority


def _plain(value: Any) -> Any:
    return {k: v for k, v in value.items() if k != "basis"} if isinstance(value, dict) else value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _named(finding: Finding) -> str:
    return f"the finding “{finding.title[:160]}” ({finding.kind}, {finding.fingerprint[:12]})"


def surroundings_in(rounds: Sequence[Rederived]) -> Iterator[Surroundings]:
    """Those that are there."""
    return (item.surroundings for item in rounds if item.surroundings is not None)

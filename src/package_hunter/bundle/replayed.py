"""The recordings of a bundle judged again, and held against its report: what agrees, what differs, what is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.bundle import sections
from package_hunter.bundle.checked import How
from package_hunter.bundle.errors import BadBundleError
from package_hunter.bundle.findings import Compared as ComparedFindings
from package_hunter.bundle.findings import Further, Origin, Source, unrecorded
from package_hunter.bundle.findings import compare as compare_findings
from package_hunter.bundle.identity import which
from package_hunter.model.observation import Alert
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.observe.events import compile_rules
from package_hunter.pipeline.closing import Closing
from package_hunter.pipeline.rederive import Rederived, Whole, rederive, together
from package_hunter.pipeline.surroundings import Surroundings
from package_hunter.rules import Matcher
from package_hunter.rules.load import load_texts

Rules = Sequence[tuple[str, str]]
_MAX_TOLD = 20  # differences of a kind that are named one by one


@dataclass(frozen=True, slots=True)
class Compared:
    """``findings`` are those of the replay, and of the report where those cannot be derived. ``checked``: how each part
    of the report was. ``unknown``: what could not be told, sentences; ``differences``: what is not as the report says,
    sentences."""

    findings: ComparedFindings
    alerts: int
    attested_alerts: int
    checked: Mapping[str, How]
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
        self._around = list(surroundings_in(rounds))
        self._closing = closing_in(rounds)
        self._rules = tuple(rules)
        self._differences: list[str] = []
        self._unknown: list[str] = []

    def made(self) -> Compared:
        self._look_at_rounds()
        alerts, attested = self._alerts()
        complete = bool(self._rounds) and len(self._around) == len(self._rounds)
        whole = together(self._rounds) if complete else Whole()
        parts = self._sections(whole, complete and not any(item.truncated for item in self._rounds))
        findings = self._findings(whole, complete)
        weak = {origin.source for origin in findings.origins} & {Source.ATTESTED}
        checked = {**parts.checked, "findings": How.SIGNED if weak else How.REPLAYED}
        if any(origin.why for origin in findings.origins):
            checked["findings (whom to blame, where a further box told)"] = How.SIGNED
        return Compared(
            findings,
            alerts,
            attested,
            checked,
            (*self._differences, *parts.differences, *findings.differences),
            (*self._unknown, *parts.unknown, *findings.unknown),
        )

    def _look_at_rounds(self) -> None:
        for number, item in enumerate(self._rounds, 1):
            name = which(number, len(self._rounds))
            if item.truncated:
                self._unknown.append(f"{name} ends in the middle: only what is before was judged.")
            around = item.surroundings
            if around is None:
                self._unknown.append(
                    f"{name} keeps no surroundings (an older one, or of a scan that was killed): its alerts were "
                    "compared, its findings could not be."
                )
                continue
            if item.kept.closing is None:
                self._unknown.append(
                    f"{name} does not say what was scanned, and in which boxes (an older one, or of a scan that was "
                    "killed): the signature alone says whose it is."
                )
            if around.rules != self._rules:
                self._differences.append(f"{name} was judged by other rules than those of the bundle.")
            said = around.facts.coverage.events
            if said != item.events and not item.truncated:
                self._differences.append(f"{name} has {item.events} events, and its scan saw {said}.")

    def _alerts(self) -> tuple[int, int]:
        """How many the replay gave, and how many of the report's are attested alone."""
        derived = [alert for item in self._rounds for alert in item.alerts]
        said, seen = Counter(map(_alert_key, self._report.alerts)), Counter(map(_alert_key, derived))
        surely = Counter(_alert_key(a) for item in self._rounds if not item.hurried for a in item.alerts)
        self._tell("The recording shows an alert that the report has not", (surely - said).elements())
        lost = list((said - seen).elements())
        elsewhere = [key for key in lost if self._in_a_further_box(key[0])]
        self._tell(
            "The report has an alert that the recording does not show",
            (key for key in lost if not self._in_a_further_box(key[0])),
        )
        return len(derived), len(elsewhere)

    def _tell(self, what: str, keys: Iterable[tuple[int, str, str]]) -> None:
        by_rule = Counter(rule for _, rule, _ in keys)
        for rule, count in list(by_rule.items())[:_MAX_TOLD]:
            self._differences.append(f"{what}: rule “{rule[:200]}”, {count} times.")
        if len(by_rule) > _MAX_TOLD:
            self._differences.append(f"{what}: {len(by_rule) - _MAX_TOLD} more rules.")

    def _in_a_further_box(self, time_ns: int) -> bool:
        """Whether a box that is not recorded lived then, or may have, where nothing says which boxes there were."""
        if not self._rounds:
            return True
        if self._closing is not None:
            return any(box.began_ns <= time_ns <= box.ended_ns for box in unrecorded(self._closing))
        if len(self._around) < len(self._rounds):
            return False
        return not any(one.began_ns <= time_ns <= one.ended_ns for one in self._around)

    def _sections(self, whole: Whole, sure: bool) -> sections.Found:
        closing = self._closing
        replaced = self._report.canaries.replaced if closing is None else closing.replaced
        base = replace(self._report, canaries=replace(self._report.canaries, replaced=replaced))
        surely = together([item for item in self._rounds if not item.hurried]) if sure else Whole()
        ground = sections.Ground(
            to_json(whole.shown_in(base)),
            to_json(surely.shown_in(base)),
            None if closing is None else bool(unrecorded(closing)),
            sure,
            {} if closing is None else closing.sections,
        )
        return sections.compare(to_json(self._report), ground)

    def _findings(self, whole: Whole, complete: bool) -> ComparedFindings:
        if not complete:
            why = "the recording keeps no surroundings" if self._rounds else "there is no recording"
            origins = tuple(Origin(f, Source.ATTESTED, why) for f in self._report.findings)
            return ComparedFindings(origins, self._report.findings, (), (), ())
        alone = frozenset(mark for item in self._rounds for mark in item.alone)
        further = Further(self._closing, tuple(self._around), frozenset(self._rule_names()))
        return compare_findings(self._report, whole.findings, alone, further)

    def _rule_names(self) -> set[str]:
        return {rule.name for rule in load_texts(self._rules).rules}


def _alert_key(alert: Alert) -> tuple[int, str, str]:
    return alert.time_ns, alert.rule, alert.priority


def surroundings_in(rounds: Sequence[Rederived]) -> Iterator[Surroundings]:
    """Those that are there."""
    return (item.surroundings for item in rounds if item.surroundings is not None)


def closing_in(rounds: Sequence[Rederived]) -> Closing | None:
    """What the scan said at its end; None where a recording does not keep it."""
    said = [item.kept.closing for item in rounds]
    return said[0] if said and None not in said else None

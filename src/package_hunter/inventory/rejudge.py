"""Kept recordings judged again, by the rules of now: what a new rule sees in an old scan becomes part of its result,
and
is told to whoever has the package.

A replay has no network and no host facts, so it takes nothing back, and only what *new* rules see counts: a finding
of a
rule that gave no alert when the scan ran. Rules that were there then had more to go by.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from package_hunter.access.actor import Actor
from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.errors import HunterError, StoreError
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.policy.verdict import explanation
from package_hunter.queue import recordings
from package_hunter.store import history, reports, results, rule_sets, scans
from package_hunter.store.database import Store
from package_hunter.store.history import Change
from package_hunter.store.models import Scan
from package_hunter.triage.results import of_scans

if TYPE_CHECKING:
    from package_hunter.rules import Matcher

JUDGED_AGAIN = "Its recording was judged again: rules that were not there then saw more."
_MATCHERS = 8  # compiled rule sets that are kept: a place has one of its own


@dataclass(slots=True)
class Done:
    """What came of it: recordings judged, results that are others now, recordings that could not be read."""

    judged: int = 0
    changed: int = 0
    unread: int = 0


class Rejudge:
    """Judges recordings one after the other."""

    def __init__(self, store: Store, settings: Settings, by: Actor) -> None:
        self._store, self._settings, self._by = store, settings, by
        self._matchers: OrderedDict[tuple[tuple[str, str], ...], Matcher] = OrderedDict()
        self.done = Done()

    def all(self, project: uuid.UUID | None, most: int) -> Done:
        """The newest ``most`` scans of which a recording is kept (of a project)."""
        with self._store.read() as session:
            found = recordings.recorded(session, project, most)
        for scan_id in found:
            self._one(scan_id)
        return self.done

    def one(self, scan_id: uuid.UUID) -> Done:
        """This scan, if a recording of it is kept."""
        with self._store.read() as session:
            kept = recordings.sizes(session, [scan_id])
        if kept:
            self._one(scan_id)
        return self.done

    def _one(self, scan_id: uuid.UUID) -> None:
        with self._store.read() as session:
            scan = scans.get(session, EVERYTHING, scan_id)
            data = None if scan is None else scans.report(session, EVERYTHING, scan_id)
            if scan is None or data is None:
                return  # deleted meanwhile
            texts = tuple(rule_sets.of_project(session, scan.project_id))
        report = from_json(data)
        try:
            with recordings.fetched(self._store, self._settings, scan_id) as files:
                found = [f for path in files for f in self._new(path, texts, report)]
        except StoreError:
            raise  # it is the store that fails, and not this recording
        except HunterError:
            self.done.unread += 1
            return
        self.done.judged += 1
        if found:
            self._store_again(scan_id, report, found)
            self.done.changed += 1

    def _new(self, path: Path, texts: tuple[tuple[str, str], ...], report: Report) -> Iterator[Finding]:
        from package_hunter.pipeline.replay import replay

        fired = {alert.rule for alert in report.alerts}
        known = {finding.fingerprint for finding in report.findings}
        for finding in replay(path, self._matcher(texts)).report.findings:
            rules = {str(e.data["rule"]) for e in finding.evidence if e.data.get("rule")}
            if (
                rules
                and not rules & fired
                and finding.fingerprint not in known
                and finding.severity != "info"
            ):
                yield finding

    def _matcher(self, texts: tuple[tuple[str, str], ...]) -> Matcher:
        from package_hunter.observe.events import compile_rules
        from package_hunter.rules.document import read_file
        from package_hunter.rules.load import builtin_files, load_texts

        if texts not in self._matchers:
            builtin = [(path.name, read_file(path)) for path in builtin_files()]
            self._matchers[texts] = compile_rules(load_texts([*builtin, *texts]))
            if len(self._matchers) > _MATCHERS:
                self._matchers.popitem(last=False)
        return self._matchers[texts]

    def _store_again(self, scan_id: uuid.UUID, report: Report, found: Sequence[Finding]) -> None:
        findings = (*report.findings, *{f.fingerprint: f for f in found}.values())
        coverage = replace(report.coverage, notes=(JUDGED_AGAIN, *report.coverage.notes))
        again = replace(
            report,
            findings=findings,
            coverage=coverage,
            explanation=explanation(findings, coverage),
            known_from=None,
        )
        with self._store.write() as session:
            scan = session.get_one(Scan, scan_id)
            before = {"verdict": scan.verdict, "decision": scan.decision}
            results.stored(session, scan, again)
            result = of_scans(session, [scan_id])[scan_id]
            scan.verdict, scan.decision = result.verdict.value, result.decision.value
            body = replace(again, verdict=result.verdict, decision=result.decision)
            reports.replace(session, scan_id, to_json(body))
            after = {"verdict": scan.verdict, "decision": scan.decision, "findings": len(findings)}
            change = Change("scan.rejudge", str(scan_id), before, after, project=scan.project_id)
            history.record(session, self._by, change)

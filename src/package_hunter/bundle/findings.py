"""The findings of a report, held against those that its recordings come to: where each comes from, what is not so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from package_hunter.inventory.rejudge import JUDGED_AGAIN
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.report_form import Json, finding_json
from package_hunter.model.scales import severity_rank
from package_hunter.pipeline.closing import Box, Closing, digest_of
from package_hunter.pipeline.gated import KIND as GATED
from package_hunter.pipeline.surroundings import Surroundings

_SAME = ("kind", "severity", "proof", "title", "form", "blame", "attack")
_NARROWED = ("kind", "severity", "proof", "title", "form", "attack")
_GRAVER = "a further box, which is not recorded, showed it graver"
_NOT_COMPARED = ("fingerprint", "waived")  # what it was found by; what a policy made of it
_OF_BEFORE = (
    "The recording does not say which boxes its scan had, so nobody can tell whether there was a further one in which "
    "{} of the report's findings were seen."
)


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
    """``findings`` are those of the replay, and of the report where those cannot be derived; ``bare`` those of the
    replay alone. ``differences`` and ``unknown`` are sentences."""

    origins: tuple[Origin, ...]
    findings: tuple[Finding, ...]
    bare: tuple[Finding, ...]
    differences: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Further:
    """What is known of boxes beyond the recorded ones: what the scan said at its end (None: nothing), what the recorded
    ones keep; and the names of the rules that it was judged by."""

    closing: Closing | None
    around: tuple[Surroundings, ...]
    rules: frozenset[str]

    def left(self, finding: Finding) -> bool:
        """Whether the scan had a box that is not recorded, and left the digest of just this finding."""
        if self.closing is None:
            return True
        said = self.closing.findings.get(finding.fingerprint)
        return bool(unrecorded(self.closing)) and said == digest_of({**finding_json(finding), "waived": None})

    def any(self) -> bool:
        """Whether the scan had a box that is not recorded, or may have."""
        return self.closing is None or bool(unrecorded(self.closing))

    def narrowed(self) -> bool:
        """Whether packages may have been loaded apart."""
        return self.closing is None or any(box.further == "narrow" for box in self.closing.boxes)

    def mixes(self) -> bool:
        """Whether a box that is not recorded may have changed a finding without making it graver: one of the scan's
        own, or one in which packages were loaded apart. Others add only."""
        return self.closing is None or any(b.further in ("", "narrow") for b in unrecorded(self.closing))

    def outside(self, time_ns: int) -> bool:
        """Whether a box that is not recorded lived then, or may have."""
        if self.closing is not None:
            return any(box.began_ns <= time_ns <= box.ended_ns for box in unrecorded(self.closing))
        return not any(one.began_ns <= time_ns <= one.ended_ns for one in self.around)

    def compares_worlds(self) -> bool:
        """Whether the scan had boxes in several worlds of an ecosystem."""
        if self.closing is None:
            return len({one.world for one in self.around}) > 1
        own = {(box.ecosystem, box.world) for box in self.closing.boxes if not box.further}
        return any(count > 1 for count in Counter(ecosystem for ecosystem, _ in own).values())


def unrecorded(closing: Closing) -> list[Box]:
    """The boxes of a scan of which there is no recording."""
    return [box for box in closing.boxes if not box.recorded]


def compare(report: Report, shown: Sequence[Finding], alone: frozenset[str], further: Further) -> Compared:
    """The report's findings held against those that the recordings show. ``alone``: fingerprints of those that come
    without what the gateway recorded."""
    return _Comparison(report, shown, alone, further).made()


class _Comparison:
    def __init__(
        self, report: Report, shown: Sequence[Finding], alone: frozenset[str], further: Further
    ) -> None:
        self._report, self._alone, self._further = report, alone, further
        self._derived = {finding.fingerprint: finding for finding in shown}
        self._differences: list[str] = []

    def made(self) -> Compared:
        origins: list[Origin] = []
        findings: list[Finding] = []
        bare: list[Finding] = []
        for finding in self._report.findings:
            twin, keys = self._twin(finding)
            if twin is None:
                why = self._why_attested(finding)
                if why:
                    origins.append(Origin(finding, Source.ATTESTED, why))
                    findings.append(finding)
                else:
                    self._differences.append(f"The recording does not show {_named(finding)}.")
                continue
            self._derived.pop(twin.fingerprint, None)
            # what the report says where they agree: of the same weight, and known by the mark that states go by
            agreed = replace(finding, severity=twin.severity, proof=twin.proof, kind=twin.kind)
            bare.append(agreed)
            if self._graver(finding, twin):
                origins.append(Origin(finding, Source.ATTESTED, _GRAVER))
                findings.append(finding)
                continue
            why = self._same(finding, twin, keys)
            source = Source.RECORDING if twin.fingerprint in self._alone else Source.GATEWAY
            origins.append(Origin(finding, source, why))
            findings.append(agreed)
        for finding in self._derived.values():
            if finding.kind == GATED and self._further.any():
                continue  # what a further box told of one world is not in it
            self._differences.append(f"The recording shows {_named(finding)}, which the report has not.")
            findings.append(finding)
            bare.append(finding)
        told = tuple(self._differences), self._unknown(origins)
        return Compared(tuple(origins), tuple(findings), tuple(bare), *told)

    def _unknown(self, origins: Sequence[Origin]) -> tuple[str, ...]:
        attested = sum(origin.source is Source.ATTESTED for origin in origins)
        return (_OF_BEFORE.format(attested),) if attested and self._further.closing is None else ()

    def _twin(self, finding: Finding) -> tuple[Finding | None, tuple[str, ...]]:
        """The same finding of the replay, and what must be equal. One whose blame was narrowed down in a further box
        has another mark, and the evidence that it had."""
        if finding.fingerprint in self._derived:
            return self._derived[finding.fingerprint], _SAME
        if not self._further.narrowed():
            return None, _SAME
        known = {f.fingerprint for f in self._report.findings}
        what = [evidence.what for evidence in finding.evidence]
        for other in self._derived.values():
            same = other.kind == finding.kind and [e.what for e in other.evidence] == what
            if (
                same
                and other.fingerprint not in known
                and other.blame is not None
                and other.blame.phase == "import"
            ):
                return other, _NARROWED
        return None, _SAME

    def _graver(self, finding: Finding, twin: Finding) -> bool:
        """Whether a further box, of which there is no recording, showed it as graver than the recorded ones did."""
        closing = self._further.closing
        if closing is None or finding.kind != twin.kind or _weight(finding) <= _weight(twin):
            return False
        adds = any(box.further != "narrow" for box in unrecorded(closing))
        told = {evidence.what for evidence in finding.evidence}
        return adds and self._further.left(finding) and all(e.what in told for e in twin.evidence)

    def _same(self, finding: Finding, twin: Finding, keys: Sequence[str]) -> str:
        """Whether it is; why it is not of the recording alone where a further box has a part in it."""
        said, shown = finding_json(finding), finding_json(twin)
        other = [key for key in dict.fromkeys((*keys, *said, *shown)) if said.get(key) != shown.get(key)]
        other = [key for key in other if key not in _NOT_COMPARED]
        by_further = bool(other) and self._further.mixes() and self._further.left(finding)
        if by_further:
            lacks = self._lacks_evidence(finding, said, shown)
            other = [
                key for key in other if key in keys and not (key == "blame" and self._further.narrowed())
            ]
            if not other and not lacks:
                if keys == _NARROWED or said.get("blame") != shown.get("blame"):
                    return "whom to blame was found in a further box"
                return "a further box, which is not recorded, has a part in it"
        for key in other:
            if key == "evidence" and self._lacks_evidence(finding, said, shown):
                continue
            self._differences.append(
                f"{_named(finding)}: the report's {key} is {_short(said.get(key))}, the replay's "
                f"{_short(shown.get(key))}."
            )
        return ""

    def _lacks_evidence(self, finding: Finding, said: Json, shown: Json) -> bool:
        told = {evidence.get("what") for evidence in said["evidence"]}
        missing = [e for e in shown["evidence"] if e.get("what") not in told]
        if missing and len(told) < len(shown["evidence"]):
            self._differences.append(
                f"{_named(finding)}: the report lacks evidence: {_short(missing[0].get('what'))}."
            )
            return True
        return False

    def _why_attested(self, finding: Finding) -> str:
        """Why a finding cannot come from these recordings; "" where it should."""
        rules = {str(e.data["rule"]) for e in finding.evidence if e.data.get("rule")}
        if rules and not rules & self._further.rules and JUDGED_AGAIN in self._report.coverage.notes:
            return "its rule came after the scan, when the recording was judged again"
        if not self._further.left(finding):
            return ""
        if finding.kind == GATED:
            return "it compares several boxes" if self._further.compares_worlds() else ""
        if not finding.evidence or any(self._further.outside(e.time_ns) for e in finding.evidence):
            return "it was seen in a further box, which is not recorded"
        if self._further.narrowed() and finding.blame is not None and finding.blame.phase == "import":
            return "whom to blame was found in a further box, which is not recorded"
        return ""


def _weight(finding: Finding) -> tuple[bool, int]:
    return finding.proof, severity_rank(finding.severity)


def _named(finding: Finding) -> str:
    return f"the finding “{finding.title[:160]}” ({finding.kind}, {finding.fingerprint[:12]})"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:120]}…"

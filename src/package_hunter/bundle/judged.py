"""The verdict of a bundle's report, held against the one that the policy gives again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from package_hunter.bundle import checked, policy
from package_hunter.bundle.checked import How
from package_hunter.bundle.findings import Source
from package_hunter.bundle.replayed import Compared
from package_hunter.model.report import Report


@dataclass(frozen=True, slots=True)
class Judgement:
    """``checked`` is how each thing that a policy says was; ``differences`` are sentences."""

    checked: Mapping[str, How]
    differences: tuple[str, ...]


def compare(report: Report, again: Report, said: policy.AnyPolicy) -> Judgement:
    """The report as it is held against itself ``again``, judged by what is ``said``, its notices left out before."""
    signed = {f"policy.json {key}: {words}": How.SIGNED for key, words in _unchecked(said)}
    if said.form == "server" or set(report.notices) - set(again.notices):
        signed["report.notices"] = How.SIGNED  # what was told when the scan ended
    if not report.notices:
        signed.pop("report.notices", None)
    return Judgement(signed, tuple(_differences(report, again, said)))


def _unchecked(said: policy.AnyPolicy) -> Iterator[tuple[str, str]]:
    for key, words in checked.POLICY[said.form].items():
        if getattr(said, key):
            yield key, words


def _differences(report: Report, again: Report, said: policy.AnyPolicy) -> Iterator[str]:
    waived = {finding.fingerprint: finding.waived for finding in again.findings}
    for finding in report.findings:
        if finding.waived != waived.get(finding.fingerprint, finding.waived):
            yield (
                f"The finding “{finding.title[:160]}” is silenced by {_short(finding.waived)} in the report, and by "
                f"{_short(waived[finding.fingerprint])} when it is judged again."
            )
    if report.explanation != again.explanation:
        yield f"The report's explanation is {_short(report.explanation)}, the replay's {_short(again.explanation)}."
    if said.form == "file" and set(again.notices) - set(report.notices):
        yield f"The report's notices lack {_short(sorted(set(again.notices) - set(report.notices))[0])}."
    yield from _of_day(report, said)
    if said.form == "server":
        known = {finding.fingerprint for finding in report.findings}
        for key, held in (("held", said.held), ("days", said.days)):
            if set(held) - known:
                yield f"policy.json ({key}) is about findings that the report has not."


def _of_day(report: Report, said: policy.AnyPolicy) -> Iterator[str]:
    """A report of files is judged by the day on which its scan ended, one of a server on that day or later."""
    ended = dt.datetime.fromtimestamp(report.finished / 1e9, dt.UTC).date().isoformat()
    if said.day < ended or (said.form == "file" and said.day != ended):
        yield f"The policy is asked on {said.day[:40]}, and the scan ended on {ended}."


def resting(report: Report, again: Report, found: Compared, said: policy.AnyPolicy) -> list[str]:
    """Whether the verdict rests on findings that nobody can come to again."""
    alone = [o for o in found.findings.origins if o.source is Source.ATTESTED]
    if not alone:
        return []
    without = policy.judged(replace(report, findings=found.findings.bare, notices=()), said)
    if (without.verdict, without.decision) == (again.verdict, again.decision):
        return []
    return [
        f"The verdict rests on what the report alone attests ({len(alone)} of its findings): without that it is "
        f"{without.verdict}, decision {without.decision}."
    ]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 160 else f"{text[:160]}…"

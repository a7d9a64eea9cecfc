"""`scan --baseline`: a report read beside an earlier one, so that only what is new decides."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.findings.compare import compare
from package_hunter.model.report import Report
from package_hunter.model.times import rfc3339
from package_hunter.policy import Policy
from package_hunter.policy.rejudge import rejudge


def against(report: Report, old: Report, policy: Policy, own: str | None = None) -> Report:
    """The report with what ``old`` has not; findings that it had count no more, unless they are proof.

    Proof of malice does not become acceptable by being known. ``own`` as in `rejudge`.
    """
    difference = compare(old, report)
    new = {f.fingerprint for f in difference.new_findings}
    reason = f"known: the baseline of {rfc3339(old.finished)[:10]} has it too"
    findings = tuple(
        f if f.fingerprint in new or f.proof or f.waived is not None else replace(f, waived=reason)
        for f in report.findings
    )
    data = {
        "id": old.id,
        "finished": rfc3339(old.finished),
        "new_findings": [f.fingerprint for f in difference.new_findings],
        "new_hosts": list(difference.new_hosts),
        "new_programs": list(difference.new_programs),
        "new_files": list(difference.new_files),
        "changed_packages": [
            {"package": name, "old": before, "new": after}
            for name, before, after in difference.changed_packages
        ],
    }
    notices = report.notices
    if old.target.name != report.target.name:
        notices = (*notices, f"The baseline is of another project: {old.target.name}.")
    compared = replace(report, findings=findings, baseline=data, notices=notices)
    # waivers were applied before: only verdict, decision and explanation follow from the new marks
    return rejudge(compared, replace(policy, waivers=()), own)

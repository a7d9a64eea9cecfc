"""A report judged by a policy: waivers mark findings, then verdict and decision are made again.

Two policies may have a say. The user's (or the server's) is trusted. The scanned project's own file is not:
it may waive what is no proof, and it may make the decision stricter, never milder.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from package_hunter.confined import Allowance, ConfinedChild, StoppedError
from package_hunter.errors import UsageError
from package_hunter.model import wire
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus
from package_hunter.policy.decide import DEFAULT, decide
from package_hunter.policy.load import parse_policy
from package_hunter.policy.model import Policy
from package_hunter.policy.verdict import explanation, verdict
from package_hunter.policy.waive import apply_waivers

OWN_FILE = "package-hunter.toml"
MAX_OWN_WAIVERS = 200
_MAX_OWN_BYTES = 1 << 20
_ALLOWED = Allowance(cpu_seconds=5, seconds=10.0, memory_bytes=256 << 20)
_MAX_SENTENCE = 400


def rejudge(
    report: Report, policy: Policy = DEFAULT, own: str | None = None, day: dt.date | None = None
) -> Report:
    """The report under ``policy``, with the text of the project's ``own`` policy file if that has a say; today, or on
    that day.

    A scan that failed stays as it is. What is wrong with the project's own file is a notice, no error: it is
    not the user's.
    """
    if report.status is ScanStatus.FAILED:
        return report
    packages = {p.purl: p for p in report.packages}
    trusted = apply_waivers(report.findings, policy, day, packages)
    inside, problem = own_policy(own)
    waived = apply_waivers(trusted.findings, inside, day, packages)
    result = verdict(waived.findings, report.coverage)
    asked = [decide(result, waived.findings, policy, packages, day)]
    if own is not None and not problem:
        asked.append(decide(result, waived.findings, inside, packages, day))
    by_own = sum(a.waived != b.waived for a, b in zip(trusted.findings, waived.findings, strict=True))
    notices = [*report.notices, *trusted.notices, *problem, *told_of_own_file(by_own), *waived.notices]
    return replace(
        report,
        findings=waived.findings,
        verdict=result,
        decision=max(asked, key=lambda decision: decision.rank),
        explanation=explanation(waived.findings, report.coverage),
        notices=tuple(dict.fromkeys(notices)),
    )


def own_text(read: Callable[[str, int], bytes | None], project: str) -> str | None:
    """The text of the own policy file of a project at that path, read as what it is: somebody else's. ``read``
    takes a path and the most bytes, and follows no link (BoxTree.read); None where there is no such file."""
    data = read(f"{project}/{OWN_FILE}", _MAX_OWN_BYTES)
    return None if data is None else data.decode("utf-8", "replace")


def own_policy(text: str | None) -> tuple[Policy, list[str]]:
    """The project's own policy, or an empty one and a sentence about what is wrong with it."""
    if text is None:
        return Policy(), []
    try:
        return _read_apart(text), []
    except (UsageError, StoppedError) as error:
        return Policy(), [f"The project's own {OWN_FILE} was not used: {error.message[:_MAX_SENTENCE]}"]


@lru_cache(maxsize=4)
def _read_apart(text: str) -> Policy:
    """Read in a child without rights: it is the scanned project's."""
    wire.ready(Policy)
    child = ConfinedChild("Reading it", lambda _: _answer, _ALLOWED)
    try:
        said = child.ask(text.encode("utf-8", "replace"))
    finally:
        child.close()
    if said[:1] == b"!":
        raise UsageError(said[1:].decode("utf-8", "replace"))
    try:
        policy: Policy = wire.from_bytes(Policy, said[1:])
    except ValueError:
        raise StoppedError("Reading it was given up: the answer is none.") from None
    return policy


def _answer(data: bytes) -> bytes:
    """In the child: ``=`` and the policy, or ``!`` and what is wrong with it."""
    try:
        policy = parse_policy(data.decode("utf-8", "replace"), f"the project's own {OWN_FILE}", inside=True)
    except UsageError as error:
        return b"!" + error.message.encode("utf-8", "replace")
    for what, many in (("waivers", len(policy.waivers)), ("rules", len(policy.rules))):
        if many > MAX_OWN_WAIVERS:
            return f"!it has over {MAX_OWN_WAIVERS} {what}.".encode()
    return b"=" + wire.to_bytes(Policy, policy)


def told_of_own_file(waived: int) -> list[str]:
    """The notice about what the project's own file waived."""
    if not waived:
        return []
    many = "1 finding is" if waived == 1 else f"{waived} findings are"
    return [f"{many} waived by the project's own {OWN_FILE}, which its authors write."]

"""What `scan` makes of a report: the user's policy, the project's own, a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from package_hunter.cli.baseline import against
from package_hunter.cli.diff import read_report
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.report import Report
from package_hunter.policy import DEFAULT, Policy, load_policy
from package_hunter.policy.rejudge import own_text, rejudge


@dataclass(frozen=True, slots=True)
class Judging:
    """Read before the scan, so that a mistake in a file costs nobody a scan; called with its report."""

    policy: Policy
    own: str | None = None
    old: Report | None = None
    asked: bool = True  # whether there is anything to judge anew

    @classmethod
    def of(
        cls, target: str, policy: Path | None, baseline: Path | None, own_policy: bool, remote: bool
    ) -> Judging:
        """``policy`` is the user's file; without one the scanned folder's own has its say, unless a server
        scans, which decides that by itself. UsageError: a file that cannot be read."""
        chosen = DEFAULT if policy is None else load_policy(policy)
        heed = own_policy and not remote and (policy is None or chosen.own_file)
        own = own_file(target) if heed else None
        old = None if baseline is None else read_report(baseline)
        return cls(chosen, own, old, not remote or policy is not None)

    def __call__(self, report: Report) -> Report:
        """The report as the policies see it."""
        judged = rejudge(report, self.policy, self.own) if self.asked else report
        return judged if self.old is None else against(judged, self.old, self.policy, self.own)


def own_file(target: str) -> str | None:
    """The text of the scanned folder's own policy file, read as what it is: somebody else's."""
    if target.startswith("pkg:") or not Path(target).is_dir():
        return None
    return own_text(BoxTree(Path(target), "/project").read, "/project")

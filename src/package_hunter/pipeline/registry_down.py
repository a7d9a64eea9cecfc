"""A registry that is down: then nothing was scanned, and a report about nothing would be one too many.

It is the gateway's word that counts, which asked the registry; never what programs in the box print.
"""

from __future__ import annotations

from package_hunter.errors import UnreachableError
from package_hunter.model.observation import OutsideFetch
from package_hunter.pipeline.round_result import RoundResult

_ADVICE = "Check the registry that this host's package manager is set up for, and the network to it; then scan again."


def registry_down(item: RoundResult) -> UnreachableError | None:
    """The error for a round in which no package came, since the registry did not answer; None where there is
    something to report: a package, or anything that was noticed."""
    silent = [fetch for fetch in item.network.fetched if fetch.status == OutsideFetch.DOWN and fetch.refused]
    failed = any(run.command.essential and run.exit_code != 0 for run in item.runs)
    if not silent or not failed or item.coverage.packages_installed or _noticed(item):
        return None
    target = item.round.plan.target
    return UnreachableError(
        f"The registry did not answer when {target.purl or target.name} was fetched: {silent[0].refused}.",
        _ADVICE,
    )


def _noticed(item: RoundResult) -> bool:
    return any(finding.severity != "info" for finding in item.findings)

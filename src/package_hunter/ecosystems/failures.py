"""What a failed fetch means: a package that does not exist, a registry that does not answer, or something
else.

The text that is read came from a package manager that ran before any package's code did (npm), or together
with builds (pip): it decides only between two ways of saying that there was nothing to scan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from package_hunter.errors import HunterError, NothingToScanError, UnreachableError
from package_hunter.model.scan import CommandRun, Target

_UNKNOWN = re.compile(
    r"\bE404\b|404 Not Found|\bETARGET\b|No matching version found|No matching distribution found"
    r"|Could not find gem|Couldn't find package|ERR_PNPM_FETCH_404|No candidates found"
)
_UNREACHABLE = re.compile(
    r"\bE50[234]\b|\b50[234] (?:Service|Bad Gateway|Gateway)|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN"
    r"|ENOTFOUND|ERR_SOCKET_TIMEOUT|Could not reach host|Read timed out|Max retries exceeded"
    r"|Network is unreachable"
)


def failure(target: Target, runs: Sequence[CommandRun]) -> HunterError | None:
    """The error that ends the scan of a single package that could not be fetched; None where the fetch went
    well, or where the scan should go on to a report (a project, another failure)."""
    bad = next((run for run in runs if run.command.essential and run.exit_code not in (0, None)), None)
    if bad is None or target.purl is None or target.sha256 is not None:
        return None
    if _UNREACHABLE.search(bad.output_tail):
        return UnreachableError(
            f"The registry did not answer when {target.purl} was asked for.",
            "Check the registry that this host's package manager is set up for, and the network to it.",
        )
    if _UNKNOWN.search(bad.output_tail):
        return NothingToScanError(
            f"{target.purl} is not in the registry.",
            "Check its name and version; leave the version out for the latest.",
        )
    return None

"""What a failed fetch means: a package that does not exist, a registry that does not answer, or something
else.

The text that is read came from a package manager that ran before any package's code did (npm), or together
with builds (pip): it decides only between two ways of saying that there was nothing to scan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from package_hunter.errors import HunterError, NothingToScanError, UnreachableError
from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.scan import CommandRun, Target

_UNKNOWN = (r"404 Not Found",)
_UNREACHABLE = (r"\b50[234] (?:Service|Bad Gateway|Gateway)", r"Network is unreachable")


@derived
def _unknown(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join([*_UNKNOWN, *(text for one in known for text in one.says_unknown)]))


@derived
def _unreachable(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join([*_UNREACHABLE, *(text for one in known for text in one.says_unreachable)]))


def failure(target: Target, runs: Sequence[CommandRun]) -> HunterError | None:
    """The error that ends the scan of a single package that could not be fetched; None where the fetch went
    well, or where the scan should go on to a report (a project, another failure)."""
    bad = next((run for run in runs if run.command.essential and run.exit_code not in (0, None)), None)
    if bad is None or target.purl is None or target.sha256 is not None:
        return None
    if _unreachable().search(bad.output_tail):
        return UnreachableError(
            f"The registry did not answer when {target.purl} was asked for.",
            "Check the registry that this host's package manager is set up for, and the network to it.",
        )
    if _unknown().search(bad.output_tail):
        return NothingToScanError(
            f"{target.purl} is not in the registry.",
            "Check its name and version; leave the version out for the latest.",
        )
    return None

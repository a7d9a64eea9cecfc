"""What accounts of the server are told of a scan's failure: sentences that name no path of this machine.

On the command line such a path helps; over HTTP it tells strangers how the server is laid out. A box's own paths
stay: they are what a report speaks of. Of a path that is hidden the last name is kept (``…/default.erofs``).
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import package_hunter
from package_hunter.config import Settings
from package_hunter.errors import HostError, HunterError, UsageError
from package_hunter.model.report import Report

_REST = r"[^\s'\"()<>|;,]*"
_ANY_PATH = re.compile(rf"(?<![\w./:-])/(?=[\w.-]+/){_REST}")


def failure(error: HunterError, settings: Settings) -> str:
    """The error's sentences. One that is about this host or its settings shows no absolute path at all; one
    about the archive may name those in it."""
    text = str(error)
    if isinstance(error, HostError | UsageError):
        text = _ANY_PATH.sub(_shortened, text)
    return hide(text, settings)


def report(report: Report, settings: Settings) -> Report:
    """The report with such sentences in it."""
    coverage, error = report.coverage, report.error
    reasons, notes = (tuple(hide(s, settings) for s in said) for said in (coverage.reasons, coverage.notes))
    return replace(
        report,
        coverage=replace(coverage, reasons=reasons, notes=notes),
        error=None if error is None else hide(error, settings),
    )


def hide(text: str, settings: Settings) -> str:
    """The text without paths in the server's own folders."""
    return _own_path(_folders(settings)).sub(_shortened, text)


def _folders(settings: Settings) -> tuple[str, ...]:
    """Where data, program, libraries and Python lie, as they are named and as they are."""
    program = Path(package_hunter.__file__).parent
    found = {settings.data_dir, program, program.parent, Path(sys.prefix), Path(sys.base_prefix), Path.home()}
    if settings.policy_file is not None:
        found.add(settings.policy_file)
    named = {str(path) for path in found} | {str(path.resolve()) for path in found}
    return tuple(sorted((n for n in named if n not in _COMMON), key=len, reverse=True))


# a box has these too: paths under them say nothing of this machine
_COMMON = {"/", "/usr", "/usr/local", "/tmp", "/home", "/root", "."}  # noqa: S108 - not used as a folder


@cache
def _own_path(folders: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(map(re.escape, folders))})(?:/{_REST})?(?![\w-])")


def _shortened(found: re.Match[str]) -> str:
    path = found[0]
    end = path[len(path.rstrip(".:,")) :]  # a sentence's, not the path's
    return f"…/{path.rstrip('.:,/').rpartition('/')[2]}{end}"

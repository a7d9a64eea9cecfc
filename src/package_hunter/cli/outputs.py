"""Where a report goes: pairs of ``--format`` and ``-o``, rendered as their destination needs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from package_hunter import report as forms
from package_hunter.errors import UsageError
from package_hunter.model.report import Report


@dataclass(frozen=True, slots=True)
class Output:
    """One form of the report, and its file (None: stdout)."""

    format: str
    path: Path | None = None


def outputs(formats: Sequence[str], paths: Sequence[Path]) -> list[Output]:
    """The first ``-o`` belongs to the first ``--format``, and so on; ``-`` is stdout.

    UsageError: unknown format, not a file for each of several formats, or two forms for stdout.
    """
    chosen = list(formats) or ["text"]
    for name in chosen:
        if name not in forms.FORMATS:
            known = ", ".join(forms.FORMATS)
            raise UsageError(f"There is no report format {name!r}.", f"Choose one of: {known}.")
    if len(paths) != len(chosen) and (len(chosen) > 1 or len(paths) > 1):
        raise UsageError(
            f"There are {len(chosen)} --format and {len(paths)} -o.",
            "Give one -o for each --format, in the same order; - is stdout.",
        )
    found = [
        Output(name, None if i >= len(paths) or str(paths[i]) == "-" else paths[i])
        for i, name in enumerate(chosen)
    ]
    if sum(o.path is None for o in found) > 1:
        raise UsageError("Two forms of the report cannot both go to stdout.", "Give each its -o FILE.")
    for output in found:
        if output.path is not None and not output.path.absolute().parent.is_dir():
            raise UsageError(f"There is no folder for {output.path}.", "Make it first.")
    return found


def write(report: Report, where: Sequence[Output], root: Path | None, explain: bool) -> None:
    """Render and write each; ``root`` is the scanned folder, for names and lines of its lock files."""
    for output in where:
        text = render(report, output, root, explain)
        if output.path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            continue
        try:
            output.path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{output.path} cannot be written: {error.strerror}.", "Check it.") from error


def render(report: Report, output: Output, root: Path | None = None, explain: bool = False) -> str:
    """The report in one form: colours only for stdout, places in files only where there is a folder."""
    if output.format == "text":
        return forms.text.render(report, color=None if output.path is None else False, explain=explain)
    if output.format == "sarif":
        return forms.sarif.render(report, root=root)
    if output.format == "gitlab":
        return forms.gitlab.render(report, root=root)
    return forms.FORMATS[output.format](report)

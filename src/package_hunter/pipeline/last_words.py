"""A failed command's last words without the values of fake secrets: a script that fails may print its environment, and
a report is passed on, where whoever looks for leaked keys would find these."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from package_hunter.model.observation import Canary
from package_hunter.model.scan import Coverage

_FAKE = "(a fake secret)"
_LEAST = 8  # characters: what is shorter may be an ordinary word
_CUT = 16  # of a value that a line's end may have cut


def without_fakes(coverage: Coverage, canaries: Iterable[Canary]) -> Coverage:
    """The same coverage; in what commands printed, and in sentences that quote it, no value of a fake."""
    parts = {line.strip() for canary in canaries for line in canary.value.splitlines()}
    values = sorted((part for part in parts if len(part) >= _LEAST), key=len, reverse=True)
    if not coverage.failed or not values:
        return coverage
    pattern = re.compile("|".join(f"{re.escape(v)}|{re.escape(v[:_CUT])}[^\\s]*(?=…)" for v in values))

    def clean(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(pattern.sub(_FAKE, text) for text in texts)

    failed = tuple(
        replace(
            one,
            reason=pattern.sub(_FAKE, one.reason),
            line=pattern.sub(_FAKE, one.line),
            output=clean(one.output),
        )
        for one in coverage.failed
    )
    return replace(coverage, failed=failed, reasons=clean(coverage.reasons), notes=clean(coverage.notes))

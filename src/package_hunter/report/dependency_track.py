"""CycloneDX 1.5 as Dependency-Track 4.11 and newer takes it, as a BOM and as a VEX document.

Dependency-Track reads the components of a BOM, and of a VEX document the analyses of vulnerabilities that it knows
already: those of a source of its own. Ours are `INTERNAL` there, under the id that is given here; it makes none of what
a document says (docs/report.md has what to do). Facts: its `CycloneDXVexImporter` and `Vulnerability.Source`.
"""

from __future__ import annotations

import json

from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.report.cyclonedx import document
from package_hunter.report.harmless import any_text


@any_text
def render(report: Report) -> str:
    """One CycloneDX document."""
    return json.dumps(clean(document(report, "1.5", "INTERNAL")), indent=2) + "\n"

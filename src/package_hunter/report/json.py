"""The JSON report: the contract of docs/report.md."""

from __future__ import annotations

import json

from package_hunter.model.report import Report
from package_hunter.report.harmless import any_text


@any_text
def render(report: Report) -> str:
    """One JSON object, indented, ASCII only: safe for any terminal and any reader."""
    from package_hunter.model.report_form import to_json  # only where it is asked for: it costs some 50 ms

    return json.dumps(to_json(report), indent=2, ensure_ascii=True, allow_nan=False) + "\n"

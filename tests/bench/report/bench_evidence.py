"""The HTML report of a scan of many processes: processor time and size. The goal: 100,000 under 2 s."""

from __future__ import annotations

import time

from package_hunter.report import html
from tests.support.evidence_samples import build


def main() -> None:
    """Print the table."""
    html.render(build(10))  # templates are compiled with the first one
    print("processes   of note   seconds      kB")
    for number, noted in ((1_000, 20), (100_000, 20), (100_000, 5_000), (1_000_000, 20)):
        report = build(number, noted)
        began = time.process_time()
        page = html.render(report)
        spent = time.process_time() - began
        print(f"{number:9,} {noted:9,} {spent:9.2f} {len(page) / 1024:7.0f}")

"""Two scans of the same package see the same: the alerts as a set, the findings, the verdict.

Three scans each by default; PACKAGE_HUNTER_REPEATS=10 makes it ten.
"""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import ROOT, scan_json

REPEATS = int(os.environ.get("PACKAGE_HUNTER_REPEATS", "3"))
_OF_ONE_SCAN = (
    "container.",
    "evt.time",
    "evt.num",
    "proc.pid",
    "proc.ppid",
    "proc.vpid",
    "thread.",
    "evt.rawtime",
)
# The box's own port of a connection is the kernel's choice, as are names of temporary files and pids in text.
_CHANGING = re.compile(
    r"(?<=10\.88\.0\.2:)\d+|(?<=fd88::2:)\d+|(?<=/proc/)\d+|(?<=[-_.])[A-Za-z0-9]{6,12}(?=$|[\s/])"
)


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def _steady(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the rule told about the event, less what is another one in each scan."""
    return tuple(
        sorted(
            (name, _CHANGING.sub("*", str(value)))
            for name, value in fields.items()
            if not name.startswith(_OF_ONE_SCAN)
        )
    )


def _alerts(report: dict[str, Any]) -> set[tuple[object, ...]]:
    """Who did what: rule, package, phase, script, and the fields that its output shows (host, file, command)."""
    return {
        (a["rule"], a["priority"], b["package"], b["phase"], b["script"], _steady(a["output_fields"]))
        for a in report["alerts"]
        for b in (a["blame"],)
    }


@pytest.mark.parametrize("name", ["falco-test", "nx-s1ngularity"])
def test_every_scan_sees_the_same(name: str) -> None:
    reports = [scan_json(ROOT / "simulations" / name, "--fail-on", "never") for _ in range(REPEATS)]
    first = reports[0]
    assert _alerts(first)
    for number, other in enumerate(reports[1:], 2):
        assert other["coverage"]["dropped"] == 0
        assert _alerts(other) ^ _alerts(first) == set(), f"scan {number} of {name} differs from the first"
        assert {f["fingerprint"] for f in other["findings"]} == {f["fingerprint"] for f in first["findings"]}
        assert (other["verdict"], other["decision"]) == (first["verdict"], first["decision"])

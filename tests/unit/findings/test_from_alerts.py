"""What an alert's signal is about."""

from __future__ import annotations

import pytest

from package_hunter.findings.from_alerts import _object
from tests.support.judge_samples import alert

UNITS = "/home/dev/.config/systemd/user"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("symlink", f"{UNITS}/default.target.wants/a.service"),
        ("symlinkat", f"{UNITS}/default.target.wants/a.service"),
        ("link", f"{UNITS}/default.target.wants/a.service"),
        ("renameat2", "/home/dev/projects/app/a.service"),
    ],
)
def test_a_link_is_told_by_its_own_place(call: str, told: str) -> None:
    """Its target, "../a.service", is no path from the working folder."""
    fields = {
        "fd.name": None,
        "fs.path.target": "/home/dev/projects/app/a.service",
        "fs.path.source": f"{UNITS}/default.target.wants/a.service",
    }
    assert _object(alert(event_type=call, output_fields=fields)) == told


def test_a_rule_that_tells_no_source_is_told_by_what_it_has() -> None:
    fields = {"fs.path.target": "/home/dev/.bashrc"}
    assert _object(alert(event_type="symlink", output_fields=fields)) == "/home/dev/.bashrc"

"""What an alert's signal is about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings.from_alerts import _object
from package_hunter.model.observation import FileChange, NetworkLog, Observation
from tests.support import judge_samples as samples
from tests.support.judge_samples import SECOND, T0, alert, judge

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


@pytest.mark.parametrize(
    ("maker", "milder"),
    [
        ("/usr/bin/ld", True),
        ("/usr/bin/x86_64-linux-gnu-ld.bfd", True),
        ("/usr/bin/ld.lld", True),
        ("/usr/bin/node", False),
        ("/home/dev/projects/app/ld", False),
        ("/usr/bin/ld/evil", False),
    ],
)
def test_a_program_that_the_systems_linker_made_is_known(maker: str, milder: bool) -> None:
    first, node = samples.PROCESSES[:2]
    linker = replace(node, key=70, parent=node.key, pid=770, exepath=maker, cmdline="ld")
    made = FileChange("/tmp/t/probe", "created", 70, T0 + SECOND)
    ran = alert(
        rule="Program run from a temporary or hidden place", event_type="execve", pid=node.pid, blame=samples.BLAME,
        time_ns=T0 + 2 * SECOND, tags=("kind:dropped_executable", "suspicious"),
        output_fields={"proc.exepath": "/tmp/t/probe", "proc.cmdline": "probe"},
    )  # fmt: skip
    seen = Observation(alerts=(ran,), processes=(first, node, linker), files=(made,))
    (found,) = (f for f in judge(seen, NetworkLog()) if f.kind == "dropped_executable")
    assert (found.severity == "info") is milder

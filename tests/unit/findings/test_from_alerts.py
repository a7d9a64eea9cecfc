"""What an alert's signal is about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.from_alerts import _object, signals
from package_hunter.model.observation import Connection, FileChange, NetworkLog, Observation
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


@pytest.mark.parametrize(
    ("reached", "said"),
    [
        ([("icmp", 0)], "ping -c 1 192.0.2.9 pinged 192.0.2.9"),
        ([("icmp", 0), ("udp", 1025)], "ping -c 1 192.0.2.9 contacted 192.0.2.9, port 1025"),
        ([("icmp", 0), ("tcp", 80)], "ping -c 1 192.0.2.9 pinged 192.0.2.9"),
        ([("tcp", 1025)], "ping -c 1 192.0.2.9 contacted 192.0.2.9, port 1025"),
    ],
)
def test_a_ping_has_no_port(reached: list[tuple[str, int]], said: str) -> None:
    contact = alert(
        rule="Unexpected outbound connection destination",
        tags=("kind:outbound_connection", "suspicious"),
        event_type="connect",
        output_fields={"proc.cmdline": "ping -c 1 192.0.2.9", "fd.name": "10.88.0.2:40000->192.0.2.9:1025"},
    )
    log = NetworkLog(
        connections=tuple(
            Connection(1, protocol, "192.0.2.9", port, 7, None, None, 64, 64) for protocol, port in reached
        )
    )
    (found,) = signals(Context(Observation(alerts=(contact,)), log, RoundFacts(), None))
    assert found.what == said

"""Who asks for several signs of a box is told; one sign says nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from package_hunter.findings.box_signs import FAMILIES, TECHNIQUE, family_of, family_of_command
from package_hunter.model.observation import Alert, DnsRecord, NetworkLog, Observation
from tests.support.judge_samples import BLAME, alert, judge


def read(path: str) -> Alert:
    return alert(
        rule="Search for a sandbox",
        tags=("kind:evasion", "info", TECHNIQUE),
        output_fields={"fd.name": path, "proc.cmdline": "node index.js"},
    )


def kinds(*alerts: Alert, network: NetworkLog | None = None) -> list[tuple[str, str]]:
    found = judge(Observation(alerts=alerts), network or NetworkLog())
    return [(f.kind, f.severity) for f in found]


def test_one_or_two_families_are_for_information() -> None:
    assert kinds(read("/.dockerenv"), read("/proc/1/cgroup"), read("/proc/uptime")) == [("evasion", "info")]


def test_three_families_are_to_be_looked_at() -> None:
    found = kinds(read("/.dockerenv"), read("/proc/net/arp"), read("/proc/uptime"))
    assert found == [("evasion", "medium")]


PASS = ("/proc", "/proc/1/stat", "/proc/77/status", "/proc/uptime", "/proc/mounts")


@pytest.mark.parametrize(
    ("paths", "severity"),
    [
        (PASS, "info"),
        ((*PASS, "/proc/1/cmdline", "/proc/diskstats", "/sys/class/net/eth0/address"), "info"),
        (PASS[1:], "medium"),  # the first process, and no other
        ((*PASS, "/proc/1/environ"), "medium"),
        (("/proc", "/proc/1/sched", "/proc/uptime"), "medium"),
        ((*PASS, "/proc/net/arp"), "medium"),
        ((*PASS, "/.dockerenv"), "medium"),
        ((*PASS, "/sys/class/dmi/id/sys_vendor"), "medium"),
        (("/proc/mounts", "/proc/net/arp", "/proc/kmsg"), "medium"),
    ],
)
def test_a_monitor_of_the_system_asks_for_no_box(paths: tuple[str, ...], severity: str) -> None:
    assert kinds(*map(read, paths)) == [("evasion", severity)]


@pytest.mark.parametrize(
    "path", ["/proc/self/uid_map", "/proc/77/timens_offsets", "/proc/77/task/78/gid_map"]
)
def test_nobody_but_a_sandbox_hunter_reads_namespaces(path: str) -> None:
    assert kinds(read(path)) == [("evasion", "medium")]


def test_made_up_names_are_a_family() -> None:
    dns = tuple(
        DnsRecord(1, name, "A", "NXDOMAIN", 1, BLAME) for name in ("zz4fzyo82mvyr.example", "nobody.invalid")
    )
    found = kinds(read("/.dockerenv"), read("/proc/uptime"), network=NetworkLog(dns=dns))
    assert ("evasion", "medium") in found
    mistyped = (DnsRecord(1, "printer", "A", "NXDOMAIN", 1, BLAME),)
    found = kinds(read("/.dockerenv"), read("/proc/uptime"), network=NetworkLog(dns=mistyped))
    assert ("evasion", "medium") not in found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/proc/self/mountinfo", "mounts"),
        ("/proc//1//environ", "the first process"),
        ("/proc/", "other processes"),
        ("/sys/class/dmi/id/product_name", "virtual hardware"),
        ("/sys/class/net/enp3s0/address", "the network card"),
        ("/home/dev/.bash_history", "the history of commands"),
        ("/proc/self/cgroup", None),  # an empty node reads these
        ("/proc/meminfo", None),
        ("/proc/self/maps", None),
        ("/sys/devices/system/cpu/online", None),
    ],
)
def test_families_of_files(path: str, name: str | None) -> None:
    family = family_of(path)
    assert (family.name if family else None) == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("/usr/bin/ps aux", "other processes"),
        ("ip neigh show", "neighbours"),
        ("ip -o link", "the network card"),
        ("uptime", "the time since the start"),
        ("psql -c uptime", None),
    ],
)
def test_families_of_commands(line: str, name: str | None) -> None:
    family = family_of_command(line)
    assert (family.name if family else None) == name


def test_each_family_has_a_name_of_its_own() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_docs_name_the_families() -> None:
    docs = Path(__file__).resolve().parents[3] / "docs/sandbox.md"
    cells = re.findall(
        r"^\| .+? \| (?:hidden|tells|as the host) \| ([^|]*) \|", docs.read_text("utf-8"), re.M
    )
    told = {re.sub(r" \(.*", "", cell).strip() for cell in cells} - {""}
    assert told <= {family.name for family in FAMILIES}
    assert len(told) >= 10

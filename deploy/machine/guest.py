"""What the trial machine does once it is up: the manual's commands, a scan, figures. Its stdout is a serial port.

Runs as root in a machine made by try.py, and nowhere else: it installs units and starts them.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tarfile
import time
import traceback
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD = "ana", "correct horse"
UNITS = ("package-hunter-server", "package-hunter-worker@1")
SIMULATION = ROOT / "simulations/falco-test"
PATIENCE = 1800.0  # seconds for any one step: an emulated processor is slow
DONE = "the trial went well"  # the last line, where it did
T = TypeVar("T")
client = httpx.Client(base_url="http://127.0.0.1:3000", auth=(USER, PASSWORD), timeout=120, trust_env=False)


def main() -> int:
    """Every step, in order; the first that fails ends it, and the units' logs tell why."""
    steps = (the_machine, the_manuals_commands, a_scan, how_shut_off, the_end)
    try:
        for step in steps:
            began = time.monotonic()
            step()
            say(f"({step.__name__.replace('_', ' ')}: {time.monotonic() - began:.0f} s)")
    except Exception:
        say(traceback.format_exc())
        for command in (("journalctl", "-b", "-o", "cat", "-u", "package-hunter*"), ("dmesg",)):
            say("\n".join(run(*command, may_fail=True).splitlines()[-60:]))
        return 1
    say(DONE)
    return 0


def the_machine() -> None:
    """Kernel, cgroup layout, systemd, and what `doctor` says before anything is installed."""
    cgroups = run("stat", "-f", "-c", "%T", "/sys/fs/cgroup")
    systemd = run("systemctl", "--version").splitlines()[0]
    say(f"Linux {platform.release()}, {systemd}, /sys/fs/cgroup: {cgroups}")
    say(run(str(ROOT / ".venv/bin/package-hunter"), "doctor", may_fail=True))


def the_manuals_commands() -> None:
    """The block of commands in deploy/README.md, as it stands there."""
    run("sh", "-ec", commands(), typed=f"{PASSWORD}\n")
    wait_for(healthy)
    say("deploy/README.md: its commands ran; server and worker are up")


def commands() -> str:
    """Those of the manual's section on systemd, a line each."""
    section = (ROOT / "deploy/README.md").read_text(encoding="utf-8").split("## systemd", 1)[1]
    return "".join(f"{line}\n" for line in re.findall(r"^    (\S.*)$", section, re.MULTILINE))


def a_scan() -> None:
    """A bundled simulation that needs no registry, through API, queue, box, judgement and store."""
    body = BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        archive.add(SIMULATION, SIMULATION.name)
    headers = {"Content-Type": "application/octet-stream"}
    answer = client.post("/api/v1/scans?depth=quick", content=body.getvalue(), headers=headers)
    scan = answer.raise_for_status().json()["id"]
    wait_for(lambda: finished(scan))
    report = client.get(f"/api/v1/scans/{scan}/report?format=json").raise_for_status().json()
    rules = sorted({alert["rule"] for alert in report["alerts"]})
    blamed = sorted({finding["blame"]["package"] for finding in report["findings"]})
    say(f"{SIMULATION.name}: {report['verdict']}; rules: {', '.join(rules)}; blamed: {', '.join(blamed)}")
    assert "Download tool started" in rules, rules
    assert any(package.startswith("pkg:npm/maldep") for package in blamed), blamed


def how_shut_off() -> None:
    """`systemd-analyze security` of the running units, and who answers requests."""
    for unit in UNITS:
        said = run("systemd-analyze", "security", "--no-pager", f"{unit}.service", may_fail=True)
        say(re.sub(r"^\W+", "", said.splitlines()[-1]))
    say(run("ps", "-o", "user:16,pid,args", "-C", "package-hunter", may_fail=True))


def the_end() -> None:
    """The target stops, and nothing of a box is left: processes, cgroups, mounts, loop devices, namespaces."""
    run("systemctl", "stop", "package-hunter.target")
    left = {
        "units": [unit for unit in UNITS if run("systemctl", "is-active", unit, may_fail=True) == "active"],
        "cgroups": [str(path) for path in Path("/sys/fs/cgroup/package-hunter").glob("*/")],
        "mounts": [
            line for line in Path("/proc/mounts").read_text().splitlines() if "package-hunter" in line
        ],
        "loop devices": run("losetup", "--list", "--noheadings").splitlines(),
        "network namespaces": run("ip", "netns").splitlines(),
        "processes": run("pgrep", "-af", "runc|package_hunter", may_fail=True).splitlines(),
    }
    assert not any(left.values()), left
    say(f"stopped; none left of: {', '.join(left)}")


def healthy() -> bool:
    """Whether the server answers and knows a worker that can scan."""
    try:
        return bool(client.get("/api/v1/health").json()["status"] == "ok")
    except (httpx.HTTPError, ValueError):
        return False


def finished(scan: str) -> bool:
    """Whether the scan has ended; AssertionError where it failed."""
    found = client.get(f"/api/v1/scans/{scan}").raise_for_status().json()
    assert found["status"] != "failed", found
    return bool(found["status"] == "finished")


def wait_for(what: Callable[[], T]) -> T:
    """The first true value that ``what`` gives."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(2)
    raise AssertionError(f"not within {PATIENCE:.0f} s: {what}")


def run(*command: str, typed: str = "", may_fail: bool = False) -> str:
    """What a command prints; its last words where it fails."""
    done = subprocess.run(command, input=typed, capture_output=True, text=True)
    said = (done.stdout + done.stderr).strip()
    assert may_fail or done.returncode == 0, f"{command} ended with {done.returncode}:\n{said[-3000:]}"
    return said


def say(sentence: str) -> None:
    """To the serial port, for try.py."""
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The systemd units: systemd itself takes them, and they are as shut off as the manual says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.requires import ROOT, needs_program

FOLDER = ROOT / "deploy/systemd"
UNITS = sorted(path.name for path in FOLDER.glob("package-hunter*"))
PROGRAM = "/opt/package-hunter/.venv/bin/package-hunter"
MANUAL = ROOT / "docs/operations.md"


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def values(name: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text(name), re.MULTILINE)


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    needs_program("systemd-analyze")
    for name in UNITS:  # the program is not installed where tests run
        here = text(name).replace(PROGRAM, "/bin/true")
        (tmp_path / name.replace("@.", "@1.")).write_text(here, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no"]
    for path in sorted(tmp_path.iterdir()):
        done = subprocess.run([*command, str(path)], capture_output=True, text=True)
        ours = [line for line in done.stderr.splitlines() if path.name in line]
        assert (done.returncode, ours) == (0, [])


def test_a_misspelled_line_would_be_seen(tmp_path: Path) -> None:
    needs_program("systemd-analyze")
    unit = tmp_path / "package-hunter-server.service"
    unit.write_text(
        text(unit.name).replace(PROGRAM, "/bin/true").replace("PrivateTmp", "PrivateTemp"), encoding="utf-8"
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )
    assert "PrivateTemp" in done.stderr


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_they_are_as_shut_off_as_the_manual_says(name: str) -> None:
    needs_program("systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(FOLDER / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stderr
    said = re.search(rf"`{re.escape(name)}`[^|]*\| ([\d.]+) \|", MANUAL.read_text(encoding="utf-8"))
    assert said is not None
    # another version of systemd weighs a little differently
    assert float(found[1]) == pytest.approx(float(said[1]), abs=0.5)


def test_the_sealers_key_is_not_the_servers_users() -> None:
    """The supervisor and the sealer are root; the API's process becomes the user by itself (api/server.py)."""
    assert values("package-hunter-server.service", "User") == []
    assert set(values("package-hunter-server.service", "CapabilityBoundingSet")[0].split()) == {
        f"CAP_{name}" for name in ("SETUID", "SETGID", "SETPCAP", "CHOWN", "FOWNER", "DAC_OVERRIDE", "KILL")
    }
    owners = dict(re.findall(r"^d (\S+) \d+ (\S+) ", text("tmpfiles.conf"), re.MULTILINE))
    assert owners["/var/lib/package-hunter"] == "root"
    servers = {Path(path).name for path, owner in owners.items() if owner != "root"}
    assert servers == {"store", "artefacts"}, "what the server's user may write; never the history's key"


def test_nothing_covers_proc_or_sys_in_a_workers_sight() -> None:
    """A box in a user namespace gets a /proc of its own only where its worker's is whole (fs/namespace.c)."""
    unit = "package-hunter-worker@.service"
    covering = (
        "ProtectKernelTunables ProtectKernelLogs ProtectHostname ProtectControlGroups ProcSubset ProtectProc"
    )
    inherited = "PrivateUsers MemoryDenyWriteExecute RestrictNamespaces RestrictSUIDSGID"
    for key in (covering + " " + inherited).split():
        assert values(unit, key) == [], key


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_devices_are_allowed_by_the_name_of_a_driver_that_is_loaded(name: str) -> None:
    """A group of devices is looked up in /proc/devices as the unit starts: a driver that comes later is shut out."""
    drivers = {group.partition("-")[2] for value in values(name, "DeviceAllow") for group in [value.split()[0]]
               if re.match("(block|char)-", group)}  # fmt: skip
    for key in ("After", "Wants"):
        units = {unit for value in values(name, key) for unit in value.split()}
        assert {f"modprobe@{driver}.service" for driver in drivers} <= units, key


def test_the_server_sees_how_many_capabilities_there_are() -> None:
    """It gives up each of them by name, up to the last one of the kernel (confine.py, /proc/sys/kernel)."""
    assert values("package-hunter-server.service", "ProcSubset") == []


def test_the_target_starts_units_that_are_there() -> None:
    (wanted,) = values("package-hunter.target", "Wants")
    assert {unit.replace("@1.", "@.") for unit in wanted.split()} < set(UNITS)
    for unit in wanted.split():
        assert values(unit.replace("@1.", "@."), "PartOf") == ["package-hunter.target"]

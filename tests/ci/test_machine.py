"""The emulated machine's trial: what it runs is the manual's, and what it installs is setup's.

That it boots is no test of every change: `make machine-try`.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.requires import ROOT, needs_program

FOLDER = ROOT / "deploy/machine"


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"machine_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])  # as Python has it where the script is run
    return loaded("try")


def test_it_runs_the_manuals_commands(tmp_path: Path) -> None:
    commands = loaded("guest").commands()
    lines = commands.splitlines()
    assert lines[0].startswith("make ")
    assert any(line.startswith("systemctl enable --now package-hunter.target") for line in lines)
    assert lines[-1].startswith("curl ")
    assert subprocess.run(["sh", "-n"], input=commands, text=True).returncode == 0


def test_it_has_what_setup_asks_for(trial: ModuleType) -> None:
    packages = trial.packages()
    assert {"runc", "clang", "nftables", "erofs-utils"} < set(packages)
    assert {"systemd", "linux-image-cloud-amd64"} < set(packages)
    assert not [name for name in packages if not name.replace("-", "").replace(".", "").isalnum()]


def test_only_its_own_last_line_is_a_success(trial: ModuleType) -> None:
    assert trial.went_well("falco-test: malicious\nthe trial went well\n")
    assert not trial.went_well("the trial went well\nTraceback (most recent call last):\n")
    assert not trial.went_well("")


def test_systemd_takes_the_trials_unit(tmp_path: Path) -> None:
    needs_program("systemd-analyze")
    unit = tmp_path / "package-hunter-try.service"
    here = (FOLDER / unit.name).read_text(encoding="utf-8")
    unit.write_text(here.replace("/opt/package-hunter/.venv/bin/python", "/bin/true"), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


def test_the_machine_has_no_way_out(trial: ModuleType) -> None:
    """Neither a network card nor QEMU's default one."""
    command = trial.machine(Path("disk"), Path("kernel"), "tcg")
    assert command[command.index("-nic") + 1] == "none"
    assert not {"-netdev", "-net", "-virtfs"} & set(command)


def test_an_emulated_processor_keeps_its_own_time(trial: ModuleType) -> None:
    assert "-icount" in trial.machine(Path("disk"), Path("kernel"), "tcg")
    assert "-icount" not in trial.machine(Path("disk"), Path("kernel"), "kvm"), "QEMU refuses it there"

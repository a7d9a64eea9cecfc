"""The compose file and the images: who has which rights, what may talk to what, what is baked in."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.requires import ROOT, if_installed

FOLDER = ROOT / "deploy/images"
COMPOSE = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = sorted(FOLDER.glob("Dockerfile*"))
# what a container of Docker's has by itself, less what none of ours needs
SUPERVISOR = {"SETUID", "SETGID", "SETPCAP", "CHOWN", "FOWNER", "DAC_OVERRIDE", "KILL"}


@pytest.mark.parametrize("name", SERVICES)
def test_only_workers_have_rights_over_the_machine(name: str) -> None:
    service = SERVICES[name]
    assert "privileged" not in service, "exact rights, not all"
    assert service["cap_drop"] == ["ALL"]
    for option in ("network_mode", "devices", "ipc", "userns_mode"):
        assert option not in service
    assert not any(str(volume).startswith(("/", ".")) for volume in service.get("volumes", [])), (
        "host's folders"
    )
    if name == "worker":
        assert service["pid"] == "host"
        return
    assert "pid" not in service and "device_cgroup_rules" not in service
    assert set(service.get("cap_add", [])) <= SUPERVISOR
    assert service["security_opt"] == ["no-new-privileges:true"] and service["read_only"] is True


def test_the_workers_rights_are_those_that_the_manual_lists() -> None:
    listed = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = listed.split("<!-- worker-rights -->")[1].split("<!-- /worker-rights -->")[0]
    named = set(re.findall(r"^\| `CAP_(\w+)` \|", table, re.MULTILINE))
    assert named == set(SERVICES["worker"]["cap_add"])
    unit = (ROOT / "deploy/systemd/package-hunter-worker@.service").read_text(encoding="utf-8")
    (line,) = re.findall(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)
    assert set(line.split()) == {f"CAP_{name}" for name in named - {"MKNOD"}}


def test_the_stores_have_no_way_out() -> None:
    inner = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    for name in ("database", "objects", "migrate"):
        assert set(SERVICES[name]["networks"]) <= inner, name
        assert "ports" not in SERVICES[name]
    assert "ports" not in SERVICES["worker"]
    (port,) = SERVICES["server"]["ports"]
    assert port.startswith("${PUBLISH:-127.0.0.1:"), "no other machine, until somebody says so"


@pytest.mark.parametrize("name", ["server", "worker"])
def test_the_stores_are_stopped_after_those_who_write_to_them(name: str) -> None:
    """docker-compose 1.29 stops by direct dependencies alone."""
    assert {"database", "objects"} <= set(SERVICES[name]["depends_on"])


def test_secrets_come_from_files_that_git_ignores() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/deploy/compose/settings/" in ignored
    files = [secret["file"] for secret in COMPOSE["secrets"].values()]
    files += [service["env_file"] for service in SERVICES.values() if "env_file" in service]
    assert all(file.startswith("settings/") for file in files)
    text = (ROOT / "deploy/compose/compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"(?i)password\s*[:=]\s*[^{\s]", text)
    assert [n for n, s in SERVICES.items() if s.get("env_file") == "settings/owner.env"] == ["migrate"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_images_are_built_without_a_network(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\S+?):", text, re.MULTILINE)) == {"${BASE}"}
    assert not re.search(r"apt-get|curl|wget|git clone|ADD http", text)
    assert "--no-index" in text
    assert set(re.findall(r"https?://([^/:'\"]+)", text)) <= {"127.0.0.1"}
    assert '"--network", "none"' in (FOLDER / "make.py").read_text(encoding="utf-8")


def test_what_is_for_trial_says_so() -> None:
    text = (FOLDER / "Dockerfile.trial").read_text(encoding="utf-8")
    assert text.count("LABEL package-hunter.use=trial-only") == len(re.findall(r"^FROM", text, re.MULTILINE))


@pytest.mark.parametrize(
    "name", ["up", "backup", "restore", "images/worker-entry", "images/trial/postgres-entry"]
)
def test_scripts_are_sound_shell(name: str) -> None:
    path = ROOT / "deploy" / name
    assert path.stat().st_mode & 0o111
    shell = path.read_text(encoding="utf-8").splitlines()[0].rsplit("/", 1)[1].split()[-1]
    subprocess.run([shell, "-n", str(path)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(path)], check=True)


def test_compose_itself_takes_the_file(tmp_path: Any) -> None:
    if_installed("docker-compose", "it is for `make deploy-try`")
    folder = tmp_path / "settings"
    folder.mkdir()
    for name in ("server.env", "owner.env", "owner_password", "server_password", "artefacts_key"):
        (folder / name).touch()
    shutil.copy(ROOT / "deploy/compose/compose.yaml", tmp_path)
    command = ["docker-compose", "-f", str(tmp_path / "compose.yaml"), "config", "--quiet"]
    subprocess.run(command, check=True, cwd=tmp_path)

"""What runc and libseccomp are told."""

from __future__ import annotations

import json
import os
import re
import resource
import socket
from pathlib import Path
from typing import Any

import pytest

from package_hunter.model.box import BoxSpec, full_container_id
from package_hunter.sandbox import cgroups, oci, seccomp


def _configuration() -> dict[str, Any]:
    existing = {"user": "/proc/1/fd/3", "network": "/proc/1/fd/4"}
    spec = BoxSpec(scan_id="a1", labels={"x": "y"})
    return oci.configuration(spec, Path("/r"), "/package-hunter/a1", ["PATH=/bin"], existing, Path("/c"))


def test_is_json_and_has_every_namespace() -> None:
    config = json.loads(json.dumps(_configuration()))
    kinds = {n["type"]: n.get("path") for n in config["linux"]["namespaces"]}
    assert set(kinds) == {"user", "network", "pid", "ipc", "uts", "mount", "cgroup"}
    assert kinds["user"] == "/proc/1/fd/3" and kinds["pid"] is None
    assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": 100_000, "size": 65_536}]
    assert config["process"]["noNewPrivileges"] is True
    assert config["annotations"] == {"package-hunter.scan": "a1", "x": "y"}
    assert config["linux"]["resources"]["devices"] == [{"allow": False, "access": "rwm"}]


def test_limits_never_exceed_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CAP_SYS_RESOURCE runc fails on a limit above ours."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
    assert all(limit["hard"] <= 100 for limit in _configuration()["process"]["rlimits"])


def test_every_call_has_one_answer() -> None:
    profile = seccomp.profile()
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO" and profile["defaultErrnoRet"] == 38
    plain: list[str] = [n for rule in profile["syscalls"] if "args" not in rule for n in rule["names"]]
    assert len(plain) == len(set(plain))
    conditional = {n for rule in profile["syscalls"] if "args" in rule for n in rule["names"]}
    assert conditional == {
        *("clone", "unshare", "socket", "socketpair", "personality", "seccomp", "setrlimit", "prlimit64")
    }
    assert not conditional & set(plain)


@pytest.mark.parametrize(
    "name", ["clone3", "mount", "bpf", "ptrace", "io_uring_setup", "setns", "keyctl", "init_module"]
)
def test_dangerous_calls_are_not_allowed(name: str) -> None:
    for rule in seccomp.profile()["syscalls"]:
        assert rule["action"] != "SCMP_ACT_ALLOW" or name not in rule["names"]


def test_families_of_sockets() -> None:
    rules = [r for r in seccomp.profile()["syscalls"] if "socket" in r["names"]]
    allowed = {r["args"][0]["value"] for r in rules if r["action"] == "SCMP_ACT_ALLOW"}
    assert allowed == {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
    refused = {r["args"][0]["value"] for r in rules if r["args"][0]["op"] == "SCMP_CMP_EQ"} - allowed
    assert refused | allowed == set(range(17)) and os.name == "posix"
    assert [r["args"][0]["value"] for r in rules if r["args"][0]["op"] == "SCMP_CMP_GT"] == [16]


INNER = "package-hunter/a1/" + full_container_id("a1")


def test_container_id_is_what_falco_makes_of_the_cgroup() -> None:
    scan = "9d51e910-9a2c-40bf-9c51-31298c5743fb"
    leaf = cgroups.name_of(scan).rsplit("/", 1)[1]
    assert re.fullmatch("[0-9a-f]{64}", leaf)
    assert leaf.startswith("9d51e9109a2c40bf9c5131298c5743fb")
    assert re.fullmatch("[0-9a-f]{64}", full_container_id("not a number"))


@pytest.mark.parametrize("layout", ["v2", "hybrid", "v1"])
def test_cgroup_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    monkeypatch.setattr(cgroups, "_ROOT", tmp_path)
    if layout == "v2":
        (tmp_path / "cgroup.controllers").write_text("memory pids cpu\n")
        box = tmp_path / INNER
        _cgroup(
            box, "memory.events", "oom 3\noom_kill 2\n", "pids.events", "max 7\n", "memory.peak", "4096\n"
        )
        _cgroup(box, "cpu.stat", "usage_usec 5\nuser_usec 1\n")
        expected = (None, box, box)
    else:
        _cgroup(tmp_path / "freezer" / INNER)
        _cgroup(tmp_path / "memory" / INNER, "memory.oom_control", "under_oom 0\noom_kill 2\n")
        _cgroup(tmp_path / "memory" / INNER, "memory.max_usage_in_bytes", "4096\n")
        _cgroup(tmp_path / "pids" / INNER, "pids.events", "max 7\n")
        _cgroup(tmp_path / "cpuacct" / INNER, "cpuacct.usage", "5000\n")
        unified = None
        if layout == "hybrid":
            unified = tmp_path / "unified" / INNER
            _cgroup(unified)
        freezer = tmp_path / "freezer" / INNER
        expected = (freezer, unified, freezer)
    paths = cgroups.paths_of("a1")
    assert (paths.freezer, paths.unified, paths.procs) == expected
    assert cgroups.counters("a1") == {"oom_kills": 2, "pids_refused": 7, "memory_peak": 4096, "cpu_ns": 5000}
    assert cgroups.counters("gone") == {"oom_kills": 0, "pids_refused": 0, "memory_peak": 0, "cpu_ns": 0}
    (paths.procs / "cgroup.procs").write_text("12\n13\n")
    assert cgroups.processes(paths) == [12, 13]


def _cgroup(path: Path, *files: str) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in zip(files[::2], files[1::2], strict=True):
        (path / name).write_text(text)

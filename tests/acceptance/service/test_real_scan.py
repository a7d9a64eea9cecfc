"""The walk-through, nothing made up: `package-hunter serve`, curl, simulations/falco-test in a real box."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from package_hunter.config import Settings
from tests.support.requires import ROOT, needs_btf, needs_program, needs_runc
from tests.support.service_harness import free_port, open_folder, wait_for


@dataclass(frozen=True)
class Server:
    """A running `package-hunter serve`."""

    url: str
    log: Path

    def stacks(self) -> str:
        """What it said so far, and where each of its processes is."""
        for line in self.log.read_text().splitlines():
            if '"process started"' in line:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(json.loads(line)["pid"], signal.SIGUSR2)
        time.sleep(1.0)
        return self.log.read_text()[-20_000:]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    needs_runc()
    needs_btf()
    needs_program("curl")
    with open_folder() as folder:
        for name in ("image", "probe", "cache"):  # built once, used by all
            shared = Settings().data_dir / name
            shared.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(shared)
        environment = {
            **os.environ,
            "PACKAGE_HUNTER_DATA_DIR": str(folder),
            "PACKAGE_HUNTER_DEVELOPMENT": "1",
        }
        port = free_port()
        program = str(Path(sys.executable).parent / "package-hunter")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, "serve", "--port", str(port)], env=environment, stderr=log)
        try:
            wait_for(lambda: _answers(port))
            yield Server(f"http://localhost:{port}", folder / "log")
        finally:
            process.terminate()
            code = process.wait(60)
        assert code == 0, (folder / "log").read_text()[-3000:]


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://localhost:{port}/api/v1/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


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
